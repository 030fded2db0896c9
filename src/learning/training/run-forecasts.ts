import type { Forecast } from '../../core/forecast/model.ts';
import type { Panel, Series } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import {
  type Combined,
  combineSteps,
  continueEnsemble,
  type EnsembleChoice,
  type EnsembleState,
  type LearnedEnsemble,
} from '../ensemble/combine.ts';
import { forecastEnsemble } from '../ensemble/equal-weight.ts';
import type { MemberFacts } from '../ensemble/method.ts';
import { votersOf } from '../ensemble/voters.ts';
import type { TrainedSet } from './checkpoints.ts';
import type { TrainedMember } from './member-folder.ts';

/** What every model of a run says, and what it comes to. */
export interface RunForecasts {
  readonly members: readonly {
    readonly id: string;
    /** Why it does not vote: see voters.ts. */
    readonly noSkill: string | undefined;
    readonly forecasts: readonly Forecast[];
  }[];
  /** One a symbol. */
  readonly ensemble: readonly Forecast[];
  /** The plain mean of the same voters, to stand beside it. */
  readonly equal: () => readonly Forecast[];
  /** The voters, in the order of the weights. */
  readonly voters: readonly MemberFacts[];
  readonly combined: Combined;
  /** Models that could not say anything, and what went wrong. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

interface RunOptions {
  readonly choice: EnsembleChoice;
  readonly fromMs: number;
  readonly learned?: LearnedEnsemble | undefined;
  readonly state?: EnsembleState | undefined;
  readonly onBar?: Parameters<typeof combineSteps>[3]['onBar'];
  /** After each model: how many of how many have been asked, and the one just asked. */
  readonly onMember?: ((done: number, total: number, id: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A model of a run. */
export type Speaker = Pick<TrainedMember, 'id' | 'model' | 'noSkill'>;

/** No opinion anywhere. */
const silence = ({ symbol, candles }: Series): Forecast => {
  const unknown = (): Float64Array => new Float64Array(candles.time.length).fill(NaN);
  return { symbol, horizonBars: 1, position: unknown(), confidence: unknown() };
};

/** The bars that no fit of the run has seen and that lie before `fromMs`. */
export const measuredSpan = (
  { trainUntilMs, validateUntilMs }: Pick<TrainedSet, 'trainUntilMs' | 'validateUntilMs'>,
  fromMs: number,
): Span => ({
  fromMs: trainUntilMs,
  untilMs: Math.max(trainUntilMs, Math.min(validateUntilMs, fromMs)),
});

/** What was said two bars before is what has earned something by the first. */
const earlierThan = (fromMs: number, { timeframe }: Panel): number => fromMs - 2 * TIMEFRAME_MS[timeframe];

/** From which bar on `forecastRun` asks the models. */
export const askedSinceMs = (
  { trainUntilMs }: Pick<TrainedSet, 'trainUntilMs'>,
  panel: Panel,
  fromMs: number,
): number => Math.min(earlierThan(fromMs, panel), trainUntilMs);

/** How a model is asked for its forecasts from a bar on. */
export type Ask<Member> = (member: Member, sinceMs: number) => Promise<readonly Forecast[]>;

/**
 * Every member's forecasts for every symbol of the panel from `fromMs` on, and their ensemble: the one path for backtests,
 * signals and paper. With `learned` (of an earlier call) the validation bars are not forecast again. A model that fails
 * is left out and named; throws when all do, what is no failure of a model, and `signal.reason`.
 */
export const forecastRun = (
  trained: TrainedSet,
  panel: LoadedPanel,
  options: RunOptions,
): Promise<RunForecasts> =>
  forecastsOfRun(trained, panel, {
    ...options,
    ask: ({ fitted }, sinceMs) => fitted.forecast(panel, { sinceMs }),
  });

/** The same of models that `ask` knows how to ask. */
export async function forecastsOfRun<Member extends Speaker>(
  trained: Pick<TrainedSet<Member>, 'runId' | 'members' | 'trainUntilMs' | 'validateUntilMs'>,
  panel: Panel,
  {
    ask,
    choice,
    fromMs,
    learned,
    state,
    onBar,
    onMember,
    signal,
  }: RunOptions & { readonly ask: Ask<Member> },
): Promise<RunForecasts> {
  const sinceMs = learned === undefined ? askedSinceMs(trained, panel, fromMs) : earlierThan(fromMs, panel);
  const failed: { id: string; reason: string }[] = [];
  let turn = Promise.resolve();
  let done = 0;
  const said = await Promise.all(
    trained.members.map(async (member) => {
      // One begins after the other, each in a turn of its own: what a session then computes runs side by side.
      turn = turn.then(() => giveWay(signal));
      await turn;
      try {
        return { member, forecasts: await ask(member, sinceMs) };
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        failed.push({ id: member.id, reason: error.message });
        return { member, forecasts: panel.series.map(silence) };
      } finally {
        onMember?.(++done, trained.members.length, member.id);
      }
    }),
  );
  if (failed.length === said.length)
    throw new UserError(`No model of the run "${trained.runId}" can forecast: ${failed[0].reason}`, {
      hint: 'Train again: crypto-trader train',
    });
  const voters = votersOf(
    said.map(({ member, forecasts }) => ({ ...member, forecasts })),
    choice.method,
  ).map(({ id, model: { kind }, forecasts }) => ({ id, kind, forecasts }));
  const combined =
    learned === undefined
      ? await inTurns(
          combineSteps(panel, voters, choice, {
            spans: [{ fromMs, measured: measuredSpan(trained, fromMs) }],
            state,
            onBar,
          }),
          signal,
        )
      : continueEnsemble(panel, voters, choice, { learned, fromMs, state, onBar });
  return {
    members: said.map(({ member: { id, noSkill }, forecasts }) => ({ id, noSkill, forecasts })),
    ensemble: combined.forecasts,
    equal: () => panel.series.map((_, s) => forecastEnsemble(voters.map(({ forecasts }) => forecasts[s]))),
    voters: voters.map(({ id, kind }) => ({ id, kind })),
    combined,
    failed,
  };
}
