import { join } from 'node:path';
import { endedSeries } from '../../core/dataset/panel.ts';
import { parseTime } from '../../core/foundation/time.ts';
import { isInverse } from '../../core/trading/accounts/worth.ts';
import { balanceWarning } from '../../core/trading/balance-warning.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { Attribution } from '../../core/trading/sleeves.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { inTurns } from '../../data/turns.ts';
import type { Store } from '../../data/store/store.ts';
import { type Backtest, backtestSteps, type DetailCandles } from '../../lab/backtest/backtest.ts';
import { type Contribution, contributions } from '../../lab/backtest/contributions.ts';
import { decideSteps, type Edges } from '../../lab/backtest/decide.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { attributeSleeves, type SleeveRequest, withSleeves } from '../../lab/backtest/sleeves.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import { marketOf } from '../../lab/backtest/strategies.ts';
import type { TrialSummary } from '../../lab/backtest/trial-summary.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { type AccountData, type AccountKind, loadAccountData } from './account-data.ts';
import { loadDetail } from './detail-candles.ts';
import { auditOf, type KeptAudit } from './kept-audits.ts';
import { provenanceOf } from './provenance.ts';

/** What is decided on forecasts, and how it trades. */
export interface BacktestTask {
  readonly store: Store;
  readonly dataDir: string;
  /** What the models said: `trainedForecasts`, `walkForwardForecasts`. */
  readonly found: ForecastSource;
  /** The training run behind it, where there is one. */
  readonly runId?: string | undefined;
  readonly deciding: ReturnType<typeof chooseStrategy>;
  readonly rules: ExecutionRules;
  readonly instruments: readonly Instrument[];
  readonly risk?: RiskRules | undefined;
  /** Strategies that share one wallet, beside the others. */
  readonly sleeves?: readonly SleeveRequest[];
  readonly strategies: Registry['strategies'];
  /** Of finer candles to look for stops and targets in. */
  readonly detail?: Timeframe | undefined;
  readonly account?: AccountKind;
  /** Exchange whose perpetuals an account trades. */
  readonly derivatives?: string;
  readonly latencyBars?: number | undefined;
  /** What cash earns in percent a year, to compare with. */
  readonly cashRatePct?: number | undefined;
  readonly seed: number;
  /** How it enters the ledger of trials. */
  readonly by: 'backtest' | 'walk-forward';
  /** One that is run again is judged against the trials that it was judged against, and enters no ledger. */
  readonly again?: { readonly trials: TrialSummary } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TradedForecasts {
  /** With what the strategy decided in place of what models wanted. */
  readonly source: ForecastSource;
  readonly result: Backtest;
  readonly about: Provenance;
  readonly edges: Edges;
  readonly contributions: readonly Contribution[] | undefined;
  /** Finer candles that stops and targets were looked for in. */
  readonly detail: DetailCandles | undefined;
  /** Who earned what of the wallet that sleeves share. */
  readonly sleeves: Attribution | undefined;
  /** What the last whole audit of the training run found, of these very weights. */
  readonly audit: KeptAudit | undefined;
  /** What a perpetual account was charged and judged by. */
  readonly accountSources: AccountData['sources'];
}

type Dates = Readonly<
  Record<string, { readonly listed?: string | undefined; readonly delisted?: string | undefined }>
>;

/** Forecasts on a universe whose members come and go by date, and what must be said of who is in it. */
export function withMembers(found: ForecastSource, dates: Dates, haircutPct: number): ForecastSource {
  const symbols = found.panel.series.map(({ symbol }) => symbol);
  const dated = symbols.filter((symbol) => dates[symbol] !== undefined);
  if (dated.length === 0) return { ...found, warnings: [...found.warnings, ...survivors(found)] };
  const members = symbols.map((symbol) => {
    const { listed, delisted } = dates[symbol] ?? {};
    const at = (day: string | undefined) => (day === undefined ? undefined : parseTime(day));
    return { listedMs: at(listed), delistedMs: at(delisted) };
  });
  const lines = dated.map((symbol) => {
    const { listed, delisted } = dates[symbol];
    const from = listed === undefined ? '' : ` from ${listed.slice(0, 10)}`;
    const until = delisted === undefined ? '' : ` until ${delisted.slice(0, 10)}`;
    return `${symbol}${from}${until}`;
  });
  const sale =
    haircutPct > 0
      ? `at its last close less ${haircutPct} % (trading.delistingHaircutPct)`
      : 'at its last close';
  const text = `The universe is dated: ${lines.join('; ')}. What is held of a pair at its end is sold ${sale} once it was silent for trading.delistedAfterHours.`;
  return { ...found, range: { ...found.range, members }, warnings: [...found.warnings, text] };
}

/** So many pairs that all still trade were hardly drawn at random. */
const MANY_PAIRS = 5;

const survivors = ({ panel }: ForecastSource): readonly string[] =>
  panel.series.length >= MANY_PAIRS && endedSeries(panel).length === 0
    ? [
        `All ${panel.series.length} pairs still trade at the end: chosen today, they leave out those that died on the way, which flatters (survivorship). trading.members dates a universe.`,
      ]
    : [];

/**
 * Decides on forecasts, trades, judges, and enters the result into the ledger of everything that was tried. Throws `UserError` for what
 * the store lacks, and `signal.reason` when aborted.
 */
export async function backtest(task: BacktestTask): Promise<TradedForecasts> {
  const { store, found, deciding, rules, instruments, seed, signal } = task;
  const { panel } = found;
  const terms = { ...deciding, cost: tradeCostsFrom(rules), allowShort: rules.allowShort };
  const decided = await inTurns(decideSteps(found, terms), signal);
  const { source, sleeves } = withSleeves(decided.source, found, task.sleeves ?? [], (sleeve) => ({
    ...terms,
    ...chooseStrategy(sleeve.strategy, sleeve.strategyParams, task.strategies),
  }));
  // What an inverse account starts with is in coins.
  const small = isInverse(rules) ? undefined : balanceWarning(instruments, rules.initialBalance);
  const warnings = [...source.warnings, ...(small === undefined ? [] : [small])];
  const detail = task.detail && (await loadDetail(store, found, task.detail));
  const account = await loadAccountData(store, task.account ?? { kind: 'spot' }, {
    market: marketOf(panel, source.range).market,
    symbols: panel.series.map(({ symbol }) => symbol),
    timeframe: panel.timeframe,
    derivatives: task.derivatives ?? panel.exchange,
  });
  const result = await inTurns(
    backtestSteps({
      ...source,
      stated: found,
      instruments,
      rules,
      risk: task.risk,
      seed,
      detail,
      account: account.beside,
      latencyBars: task.latencyBars,
      cashRatePct: task.cashRatePct,
    }),
    signal,
  );
  const about = await provenanceOf({ ...source, warnings }, result, {
    seed,
    ...task.again,
    trialsFile: join(task.dataDir, 'trials.jsonl'),
    by: task.by,
  });
  return {
    source: { ...source, warnings },
    result,
    about,
    edges: decided.edges,
    contributions: contributions(found, result, terms),
    detail,
    sleeves: attributeSleeves(source, result, sleeves),
    audit: task.runId === undefined ? undefined : await auditOf(task.dataDir, task.runId, found.weights),
    accountSources: account.sources,
  };
}
