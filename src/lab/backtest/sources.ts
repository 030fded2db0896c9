import { formatTime } from '../../core/foundation/time.ts';
import type { Store } from '../../data/store/store.ts';
import { type Fold } from '../../core/dataset/splits.ts';
import { type Combined, type EnsembleChoice, isPlain } from '../../learning/ensemble/combine.ts';
import type { MemberFacts } from '../../learning/ensemble/method.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { endedSeries } from '../../core/dataset/panel.ts';
import { endText } from '../../core/market/history-end.ts';
import type { ExplanationPart } from '../../core/forecast/explanation.ts';
import { type Forecast, type Model } from '../../core/forecast/model.ts';
import { type Registry } from '../../learning/models/registry.ts';
import { doubtLines } from '../../data/plausibility.ts';
import { type LoadedPanel } from '../../data/panel/load-panel.ts';
import type { BacktestInput } from './backtest.ts';
import type { DecisionSpan } from './decide.ts';
import type { BarRange } from './strategies.ts';

/** Forecasts to trade, and what must be said about where they come from. */
export interface ForecastSource {
  readonly panel: LoadedPanel;
  readonly range: BarRange;
  /** Of a walk-forward: what each model was refitted on, and where it was asked. */
  readonly folds?: readonly Fold[];
  /** Where strategies that rest on skill may measure it, in time order. */
  readonly decisions: readonly DecisionSpan[];
  readonly ensemble: readonly Forecast[];
  /** What the ensemble that decides in a span would have stated over the bars where its skill is measured; default: what it did state. */
  readonly shown?: (span: number) => readonly Forecast[];
  readonly members: BacktestInput['members'];
  readonly trainedBy: string;
  /** Symbols of the settings that the trained set does not know; nothing is said about them. */
  readonly untrained: readonly PairSymbol[];
  /** Members that state positions and no belief: baselines and rules. */
  readonly positionsOnly: readonly string[];
  /** Members that make the ensemble, walking forward in any fold. */
  readonly voters: readonly string[];
  /** `shares[s][m]`: row by row beside the candles, what voter m counted for on symbol s. */
  readonly shares?: Combined['shares'];
  /** What identifies each member's weights; ids of trials are made of it. */
  readonly weights: Readonly<Record<string, unknown>>;
  /** Of members that draw random numbers, the seed of their training. */
  readonly memberSeeds: Readonly<Record<string, number>>;
  /** The same from the other seeds of the trained set, when they were asked for. */
  readonly otherSeeds: readonly (Pick<ForecastSource, 'ensemble' | 'weights' | 'memberSeeds'> & {
    readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
  })[];
  /** What the models say that their forecasts rest on, on average over the validation bars. */
  readonly explanations: readonly ModelExplanation[];
  readonly warnings: readonly string[];
}

export interface ModelExplanation {
  readonly model: string;
  readonly parts: readonly ExplanationPart[];
}

export interface SourceRequest {
  /** The models that there are; default: ours. */
  readonly registry?: Registry;
  readonly store: Store;
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
  /** Pairs whose candles are right although no market does what they say. */
  readonly acceptImplausible?: readonly PairSymbol[];
  /** How forecasts become one; default: enhanced. */
  readonly ensemble?: EnsembleChoice;
  /** Ids of the models to use; default: all there are. */
  readonly models: readonly string[] | undefined;
}

/** Equal weights stand beside every other way of combining several. */
export const besideOf = (
  choice: EnsembleChoice,
  equal: readonly Forecast[],
  voters: readonly MemberFacts[],
) =>
  isPlain(choice, voters) || voters.length < 2
    ? []
    : [{ id: EQUAL_WEIGHT, kind: 'model' as const, forecasts: equal }];

const EQUAL_WEIGHT = 'equal-weight';

/** Who has a vote in the ensemble, where not everybody has. */
export const votesText = ({ learned: { leftOut } }: Combined): readonly string[] =>
  leftOut.length === 0
    ? []
    : [`No vote in the ensemble: ${leftOut.map(({ id, reason }) => `${id} (${reason})`).join(', ')}.`];

/** Another way of combining the same models is another rule. */
export const withEnsemble = (
  weights: Readonly<Record<string, unknown>>,
  { method, params }: EnsembleChoice,
): ForecastSource['weights'] =>
  method.plain ? weights : { ...weights, [EQUAL_WEIGHT]: weights, ensemble: { id: method.id, params } };

export const kindOf = ({ kind }: Model): 'model' | 'baseline' => (kind === 'baseline' ? 'baseline' : 'model');

export function requireBars({ fromMs, untilMs }: BarRange, panel: LoadedPanel): void {
  const bars = panel.series.some(({ candles }) => {
    const { time } = candles;
    return time.length > 0 && time[time.length - 1] >= fromMs && time[0] < untilMs;
  });
  if (bars && fromMs < untilMs) return;
  throw new UserError(
    `There is no bar to test from ${formatTime(fromMs)} on: the stored ones end at ${formatTime(panel.untilMs)}.`,
    {
      hint: 'Fetch newer candles with `crypto-trader fetch`, or choose another range with --since and --until.',
    },
  );
}

/** Bars that are hard to believe; pairs that stopped trading, or were not fetched since. */
export const dataWarnings = (panel: LoadedPanel): readonly string[] => [
  ...doubtLines(panel.doubts),
  ...endedSeries(panel).map(
    (one) =>
      `${endText(one)}. Nothing trades there after; what is held is marked at its last close, and sold at it after trading.delistedAfterHours.`,
  ),
];
