import { availableParallelism, cpus } from 'node:os';
import { formatDay } from '../../core/foundation/time.ts';
import type { Fold } from '../../core/dataset/splits.ts';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { DecisionTerms } from '../../core/strategy/decide.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { Store } from '../../data/store/store.ts';
import type { Finding } from '../../lab/audit/finding.ts';
import { type Backtest, backtest } from '../../lab/backtest/backtest.ts';
import { decide } from '../../lab/backtest/decide.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import { walkForwardForecasts } from '../../lab/backtest/walk-forward-source.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { identifyProgram } from './program.ts';
import type { FoldCache } from '../../learning/validation/fold-cache.ts';
import type { WalkForwardCost } from '../../learning/validation/walk-forward.ts';
import { auditFolds } from './audit-folds.ts';
import { provenanceOf } from './provenance.ts';

/** A market over a time, on which everything is tried. */
export interface Window {
  readonly id: string;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The windows that `docs/results.md` is about. */
export const WINDOWS: readonly Window[] = [
  {
    id: 'two-years',
    exchange: 'binance',
    timeframe: '1h',
    symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'],
    sinceMs: Date.UTC(2024, 1, 15),
    untilMs: Date.UTC(2026, 1, 14),
  },
  {
    id: 'five-years',
    exchange: 'binance',
    timeframe: '1h',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    sinceMs: Date.UTC(2020, 8, 20),
    untilMs: Date.UTC(2026, 1, 14),
  },
];

export interface ResultsRequest {
  readonly windows: readonly Window[];
  readonly store: Store;
  readonly cache: FoldCache;
  readonly registry: Registry;
  /** Hyper-parameters by model id. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly sources: InputSources;
  readonly acceptImplausible: readonly PairSymbol[];
  readonly validationPct: number;
  /** Every strategy to decide by, with its parameters; the first is what the audit is about. */
  readonly strategies: readonly Pick<DecisionTerms, 'strategy' | 'params'>[];
  readonly rulesOf: (symbols: readonly PairSymbol[]) => ExecutionRules;
  readonly instrumentsOf: (symbols: readonly PairSymbol[]) => readonly Instrument[];
  readonly trialsFile: string;
  /** Ids of models, or `all`. */
  readonly models: readonly string[];
  readonly folds: number;
  readonly embargoBars: number;
  /** Models whose fit takes longer are not fitted again for the audit. */
  readonly mostFitSeconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onWindow: (window: Window) => void;
  readonly onCost: (cost: WalkForwardCost) => void;
  readonly onFold: (done: number, total: number, modelId: string) => void;
  readonly onStep: (text: string) => void;
}

export interface WindowResult {
  readonly window: Window;
  readonly embargoBars: number;
  readonly folds: readonly Fold[];
  /** The same forecasts, decided by each strategy. */
  readonly strategies: readonly {
    readonly id: string;
    readonly result: Backtest;
    readonly about: Provenance;
  }[];
  readonly audit: { readonly strategy: string; readonly findings: readonly Finding[] };
}

export interface Results {
  readonly windows: readonly WindowResult[];
  readonly seed: number;
  /** Made of the parts of the program that forecasts come from: another one, and forecasts may differ. */
  readonly program: string;
  readonly machine: string;
  readonly node: string;
}

/**
 * Walks every model forward over every window and trades the forecasts by every strategy. Finished folds are found again;
 * the rest takes minutes. Throws `UserError` when candles of a window are not stored.
 */
export async function results(request: ResultsRequest): Promise<Results> {
  for (const window of request.windows) await requireCandles(request.store, window);
  const windows: WindowResult[] = [];
  for (const window of request.windows) {
    request.onWindow(window);
    windows.push(await resultOf(window, request));
  }
  const { seed } = request;
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown processor'}`;
  return {
    windows,
    seed,
    program: identifyProgram().codeSha256.slice(0, 40),
    machine,
    node: process.version,
  };
}

async function resultOf(window: Window, request: ResultsRequest): Promise<WindowResult> {
  const { strategies: decided, signal, embargoBars } = request;
  const source = await walkForwardForecasts({
    ...request,
    ...window,
    fromMs: undefined,
  });
  const traded: { id: string; source: ForecastSource; result: Backtest }[] = [];
  for (const chosen of decided) {
    signal.throwIfAborted();
    request.onStep(`strategy ${chosen.strategy.id}`);
    traded.push({ id: chosen.strategy.id, ...tradedBy(chosen, source, request) });
  }
  // All of them are entered into the ledger before any of them is judged by what was tried.
  const judged = async ({ source: by, result }: (typeof traded)[number]): Promise<Provenance> =>
    provenanceOf(by, result, { seed: request.seed, trialsFile: request.trialsFile, by: 'walk-forward' });
  for (const one of traded) await judged(one);
  const strategies: WindowResult['strategies'][number][] = [];
  for (const one of traded) strategies.push({ id: one.id, result: one.result, about: await judged(one) });
  request.onStep('audit');
  const { folds: plan } = source;
  invariant(plan !== undefined, 'a walk-forward has folds');
  const rules = request.rulesOf(window.symbols);
  const findings = await auditFolds(
    {
      ...request,
      ...window,
      source: { members: source.members, folds: plan },
      terms: { ...decided[0], cost: tradeCostsFrom(rules), allowShort: rules.allowShort },
      rules,
      instruments: request.instrumentsOf(window.symbols),
    },
    { mostFitSeconds: request.mostFitSeconds },
  );
  return {
    window,
    embargoBars,
    folds: plan,
    strategies,
    audit: { strategy: decided[0].strategy.id, findings },
  };
}

function tradedBy(
  chosen: ResultsRequest['strategies'][number],
  found: ForecastSource,
  { rulesOf, instrumentsOf, seed }: ResultsRequest,
): { readonly source: ForecastSource; readonly result: Backtest } {
  const symbols = found.panel.series.map(({ symbol }) => symbol);
  const rules = rulesOf(symbols);
  const { source } = decide(found, { ...chosen, cost: tradeCostsFrom(rules), allowShort: rules.allowShort });
  const instruments = instrumentsOf(symbols);
  return { source, result: backtest({ ...source, stated: found, instruments, rules, seed }) };
}

/** Throws `UserError`, with the command that fetches them, when candles of `window` are not stored. */
export async function requireCandles(store: Store, window: Window): Promise<void> {
  const { exchange, timeframe, symbols, sinceMs, untilMs } = window;
  for (const symbol of symbols) {
    const found = await store.manifest({ exchange, symbol, timeframe });
    const step = TIMEFRAME_MS[timeframe];
    if (found && found.firstTimeMs <= sinceMs && found.lastTimeMs + step >= untilMs) continue;
    throw new UserError(
      `The store does not hold all ${exchange} ${symbol} ${timeframe} candles of "${window.id}".`,
      {
        hint: `Fetch them: crypto-trader fetch --exchange ${exchange} --symbols ${symbols.join(',')} --timeframe ${timeframe} --since ${formatDay(sinceMs)} --until ${formatDay(untilMs - 1)}`,
      },
    );
  }
}
