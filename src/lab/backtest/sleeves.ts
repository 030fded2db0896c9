import { money } from './money.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { finish } from '../../core/foundation/steps.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import type { DecisionTerms } from '../../core/strategy/decide.ts';
import { type Attribution, attribute, type Sleeve, walletTarget } from '../../core/trading/sleeves.ts';
import type { Backtest } from './backtest.ts';
import { decideSteps } from './decide.ts';
import type { ForecastSource } from './sources.ts';
import { marketOf } from './strategies.ts';

/** What is asked for: a model (or `ensemble`) under a strategy, with a share of the capital. */
export interface SleeveRequest {
  readonly model: string;
  readonly strategy: string;
  /** All of its parameters. */
  readonly strategyParams: Readonly<Record<string, unknown>>;
  readonly sharePct: number;
}

/** Its name in tables. */
const WALLET = 'sleeves';

interface Decided {
  readonly name: string;
  readonly share: number;
  readonly forecasts: readonly Forecast[];
}

/**
 * The source with one more member, the wallet that several strategies share, and what each of them wants in it. `found` holds
 * the forecasts as they were stated; `termsOf` knows the strategies. Throws `UserError` for a model that is not there.
 */
export function withSleeves(
  source: ForecastSource,
  found: ForecastSource,
  sleeves: readonly SleeveRequest[],
  termsOf: (sleeve: SleeveRequest) => DecisionTerms,
): { readonly source: ForecastSource; readonly sleeves: readonly Decided[] } {
  if (sleeves.length === 0) return { source, sleeves: [] };
  const decided = sleeves.map((sleeve): Decided => {
    const { model, strategy, sharePct } = sleeve;
    const member = found.members.find(({ id }) => id === model);
    if (member === undefined && model !== 'ensemble')
      throw new UserError(`The sleeve "${model}" is none of the models of this backtest.`, {
        hint: suggest(model, ['ensemble', ...found.members.map(({ id }) => id)]),
      });
    const own = {
      ...found,
      members: [],
      otherSeeds: [],
      ensemble: member?.forecasts ?? found.ensemble,
      voters: member === undefined ? found.voters : [model],
    };
    const { ensemble } = finish(decideSteps(own, termsOf(sleeve))).source;
    return { name: `${model}:${strategy}`, share: sharePct / 100, forecasts: ensemble };
  });
  const shares = decided.map(({ share }) => share);
  const forecasts = source.panel.series.map((_, s) => ({
    ...decided[0].forecasts[s],
    position: walletTarget(
      decided.map((one) => one.forecasts[s].position),
      shares,
    ),
  }));
  return {
    source: {
      ...source,
      members: [...source.members, { id: WALLET, kind: 'model', forecasts }],
      weights: { ...source.weights, [WALLET]: { sleeves, of: source.weights } },
    },
    sleeves: decided,
  };
}

/** Who earned what of the wallet. */
export function attributeSleeves(
  { panel, range }: ForecastSource,
  { members, market }: Backtest,
  decided: readonly Decided[],
): Attribution | undefined {
  const wallet = members.find(({ strategy }) => strategy.name === WALLET);
  if (wallet === undefined) return undefined;
  const { targetsOf } = marketOf(panel, range);
  const sleeves = decided.map(({ name, share, forecasts }): Sleeve => ({
    name,
    share,
    targets: targetsOf(forecasts),
  }));
  return attribute(wallet.run, market, sleeves);
}

export const SLEEVE_HEAD = ['sleeve', 'share %', 'before costs', 'costs', 'profit'];

export function sleeveRows(
  { sleeves, otherQuote }: Attribution,
  initialBalance: number,
): readonly (readonly string[])[] {
  const text = (quote: number): string => money(quote, initialBalance);
  const rows = sleeves.map(({ name, share, grossQuote, costQuote }) => [
    name,
    String(Math.round(share * 1000) / 10),
    text(grossQuote),
    text(costQuote),
    text(grossQuote - costQuote),
  ]);
  return [...rows, ['stops, band, rounding', '', '', '', text(otherQuote)]];
}
