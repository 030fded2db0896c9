import { join } from 'node:path';
import type { OwnFeature } from '../core/features/define-feature.ts';
import type { InputSources } from '../core/features/inputs.ts';
import { DEFAULT_SOURCES } from '../core/features/inputs.ts';
import type { Forecast, Model } from '../core/forecast/model.ts';
import { type Log, silentLog } from '../core/foundation/log.ts';
import { UserError } from '../core/foundation/errors.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import { chooseStrategy } from '../core/strategy/registry.ts';
import type { Strategy } from '../core/strategy/strategy.ts';
import { allSeedsOf } from '../learning/ensemble/voters.ts';
import { chooseEnsemble } from '../learning/ensemble/registry.ts';
import type { Timeframe } from '../core/market/timeframe.ts';
import type { Instrument } from '../core/trading/instrument.ts';
import { type ExecutionRules, SPOT_RULES } from '../core/trading/rules.ts';
import type { LoadedPanel } from '../data/panel/load-panel.ts';
import { openExchange } from '../data/exchange/client.ts';
import { openStore, type Store } from '../data/store/store.ts';
import type { BarRecord } from '../desk/paper/record.ts';
import type { Backtest } from '../lab/backtest/backtest.ts';
import type { Provenance } from '../lab/backtest/document.ts';
import { trainedForecasts } from '../lab/backtest/trained-source.ts';
import { walkForwardForecasts } from '../lab/backtest/walk-forward-source.ts';
import { runInUse } from '../learning/training/active-run.ts';
import { createRegistry, type Registry } from '../learning/models/registry.ts';
import { loadTrained, loadTrainedPanel, type TrainedSet } from '../learning/training/checkpoints.ts';
import { findRun } from '../learning/training/run-folder.ts';
import { forecastRun } from '../learning/training/run-forecasts.ts';
import type { TrainingEvent } from '../learning/training/journal.ts';
import type { TrainingSettings } from '../learning/training/plan.ts';
import type { FinishedRun } from '../learning/training/train.ts';
import { renderReport } from './report/backtest-report.ts';
import { type AdaptedRun, adaptRun } from './workflows/adapt.ts';
import { openPaper } from './workflows/paper.ts';
import { train } from './workflows/train.ts';
import { backtest } from './workflows/backtest.ts';
import { keepSignals } from './workflows/prediction-log.ts';
import { type Signal, signalSheet, type SignalTerms } from './workflows/signals.ts';

/** Where a project's files are and which market it is about. */
export interface ProjectSettings {
  /** Folder of stored candles: what `crypto-trader fetch` fills. */
  readonly dataDir: string;
  readonly checkpointDir: string;
  readonly logDir: string;
  /** A ccxt exchange id, or the name under which the candles were stored. */
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  /** First and last bar to use, epoch milliseconds; default: all that are stored. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Seed of everything random; default 42. */
  readonly seed?: number;
  /** Share of the bars for early stopping and thresholds, and share that training never sees; default 15 and 20. */
  readonly validationPct?: number;
  readonly testPct?: number;
  /** Costs and risk rules, over those of a long-only spot account with 10 bp of fees and 5 bp of slippage per side. */
  readonly rules?: Partial<ExecutionRules>;
  /** How forecasts become one; default: enhanced. */
  readonly ensemble?: { readonly id?: string; readonly params?: Readonly<Record<string, unknown>> };
  /** Hyper-parameters by model id. */
  readonly params?: TrainingSettings['params'];
  /** Models of your own, beside ours. */
  readonly models?: readonly Model[];
  /** Features of your own, beside the catalogue. */
  readonly features?: readonly OwnFeature[];
  /** Strategies of your own, beside ours. */
  readonly strategies?: readonly Strategy[];
  /** What decides on the forecasts, in backtests and on paper, with its parameters; default: cost-aware. */
  readonly strategy?: { readonly id: string; readonly params?: Readonly<Record<string, unknown>> };
  /** The training run to use, by its name or the path of its folder; default: the active one. */
  readonly run?: string;
  /** Which markets features that need other inputs look at. */
  readonly sources?: InputSources;
}

/** A backtest with what it is about, as the report shows it. */
export interface ProjectBacktest {
  readonly result: Backtest;
  readonly about: Provenance;
}

/** A project in a program of your own: what the commands do, as values, without printing. */
export interface Project {
  /** Our models and yours. */
  readonly registry: Registry;
  readonly store: Store;
  /**
   * Trains models on the stored candles and keeps them as a run. Throws `UserError` for unknown models or missing
   * candles, and `signal.reason` when aborted: `crypto-trader train --mode resume` finishes such a run.
   */
  train(options?: {
    readonly mode?: 'quick' | 'full';
    /** Name of the run; default: made of the time. */
    readonly name?: string;
    readonly models?: readonly string[];
    /** A complete run, by name or folder, whose networks are gone on with: its models and parameters, on all bars there are now. */
    readonly from?: string;
    readonly allowSynthetic?: boolean;
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: TrainingEvent) => void;
  }): Promise<FinishedRun>;
  /**
   * Takes a few steps with each network of the run in use on its newest bars, and keeps those that are better on bars behind
   * them, as a new run, which is in use from then on only when it is activated and the project names no `run`. Throws `UserError`
   * when no model of the run can adapt, and `signal.reason` when aborted.
   */
  adapt(options?: {
    /** How far back these bars reach; default: 14 days. */
    readonly spanMs?: number;
    /** Gradient steps and their learning rate; default: those of each model. */
    readonly steps?: number;
    readonly rate?: number;
    /** Name of the new run; default: made of that of the old one and the time. */
    readonly name?: string;
    readonly activate?: boolean;
    readonly signal?: AbortSignal;
  }): Promise<AdaptedRun>;
  /** Forecasts of every model of the run in use and of the ensemble, one per symbol, for bars from `sinceMs` on;
   * default: those that training has not seen. */
  predict(options?: { readonly sinceMs?: number; readonly untilMs?: number }): Promise<{
    readonly panel: LoadedPanel;
    readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
    readonly ensemble: readonly Forecast[];
  }>;
  /**
   * What the ensemble wants on the newest stored bar, and why; `undefined` below `minConfidence`, when it has no opinion, or
   * when the symbol's bars end before those of the others.
   */
  signal(
    symbol: PairSymbol,
    options?: {
      readonly minConfidence?: number;
      /** Whether it goes on record beside what will happen (`crypto-trader signals history`); default: true. */
      readonly keep?: boolean;
    },
  ): Promise<Signal | undefined>;
  /** The same of every model and the ensemble, on all symbols or some; those whose bars end early are left out. */
  signals(options?: {
    readonly symbols?: readonly PairSymbol[];
    readonly keep?: boolean;
  }): Promise<readonly Signal[]>;
  /** Trades the run in use over bars it never saw; with `folds`, models refitted before each fold instead. */
  backtest(options?: {
    readonly fromMs?: number;
    readonly untilMs?: number;
    readonly models?: readonly string[];
    readonly folds?: number;
    readonly embargoBars?: number;
    readonly signal?: AbortSignal;
  }): Promise<ProjectBacktest>;
  /**
   * Trades on paper until `signal` aborts or the bars end, and returns what the account came to. The session is on disk bar
   * by bar: the same call goes on where it stopped, after a crash too. `stored`: bars that training has not seen, at
   * once; `exchange`: as they close, at an exchange that ccxt knows.
   */
  paper(options: {
    readonly bars: 'stored' | 'exchange';
    /** Name of the session; default: of exchange, timeframe and bars. */
    readonly name?: string;
    /** A bar was processed and is on disk. */
    readonly onBar?: (bar: BarRecord) => void;
    /** Looks at the exchange after which it ends, and the pause between two; default: none, 60 s. */
    readonly maxCycles?: number;
    readonly intervalMs?: number;
    readonly log?: Log;
    readonly signal?: AbortSignal;
  }): Promise<{ readonly sessionId: string; readonly barsProcessed: number; readonly equity: number }>;
  /** The backtest as one HTML page. */
  report(backtest: ProjectBacktest): string;
  /** Frees what models hold. */
  close(): Promise<void>;
}

/** Opens a project; nothing is read before it is asked for, and nothing runs but what is handed in here. */
export function openProject(settings: ProjectSettings): Project {
  const { checkpointDir, logDir, exchange, symbols, timeframe, untilMs } = settings;
  const { seed = 42, validationPct = 15, testPct = 20, params = {}, sources = DEFAULT_SOURCES } = settings;
  const registry = createRegistry(settings);
  const store = openStore(settings.dataDir);
  const trialsFile = join(settings.dataDir, 'trials.jsonl');
  const rules = { ...SPOT_RULES, maxPositionPct: 100 / symbols.length, ...settings.rules };
  const { id: strategyId = 'cost-aware', params: given = {} } = settings.strategy ?? {};
  const deciding = chooseStrategy(strategyId, given, registry.strategies);
  const { id: ensembleId = 'enhanced', params: weighing = {} } = settings.ensemble ?? {};
  const combining = chooseEnsemble(ensembleId, weighing);
  const saying: SignalTerms = { ...deciding, ensemble: combining, rules };
  const opened = new Map<string, Promise<TrainedSet>>();
  /** Loads a run once, whatever is asked of it. */
  const inUse = async (run = settings.run): Promise<TrainedSet> => {
    const { runId } = await runInUse(checkpointDir, run);
    const trained =
      opened.get(runId) ??
      loadTrained(checkpointDir, { registry, runId, allSeedsOf: allSeedsOf(combining.method) });
    opened.set(runId, trained);
    return trained.catch((error: unknown) => {
      opened.delete(runId);
      throw error;
    });
  };
  const instrumentsOf = (names: readonly PairSymbol[]): readonly Instrument[] =>
    names.map((symbol) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }));

  const predict: Project['predict'] = async ({ sinceMs, untilMs: until } = {}) => {
    const trained = await inUse();
    const panel = await loadTrainedPanel(store, trained, until === undefined ? {} : { untilMs: until });
    const { members, ensemble } = await forecastRun(trained, panel, {
      choice: combining,
      fromMs: sinceMs ?? trained.validateUntilMs,
    });
    return { panel, members, ensemble };
  };

  const signals: Project['signals'] = async ({ symbols: wanted, keep = true } = {}) => {
    const trained = await inUse();
    const panel = await loadTrainedPanel(store, trained);
    const sheet = await signalSheet(trained, panel, saying);
    const all = sheet.signals.filter(({ symbol }) => wanted?.includes(symbol) ?? true);
    if (keep && all.length > 0) {
      const { runId } = trained;
      const given = {
        runId,
        exchange: trained.exchange,
        timeframe: trained.timeframe,
        synthetic: panel.synthetic,
      };
      const by = { strategy: deciding.strategy.id, ensemble: combining.method.id };
      await keepSignals(settings.dataDir, { ...given, ...by, givenAtMs: Date.now() }, all);
    }
    return all;
  };

  return {
    registry,
    store,
    predict,

    train: async (options = {}) =>
      train(
        {
          kind: 'new',
          name: options.name,
          settings: {
            registry,
            mode: options.mode ?? 'quick',
            approach: 'both',
            seed,
            seeds: 1,
            exchange,
            symbols,
            timeframe,
            ...(settings.sinceMs !== undefined && { sinceMs: settings.sinceMs }),
            ...(untilMs !== undefined && { untilMs }),
            validationPct,
            testPct,
            costs: { feeBps: rules.feeBps, slippageBps: rules.slippageBps },
            ...(options.models && { models: options.models }),
            ...(options.from !== undefined && { from: await findRun(checkpointDir, options.from) }),
            params,
            sources,
            allowSynthetic: options.allowSynthetic ?? false,
          },
        },
        {
          registry,
          store,
          checkpointDir,
          logDir,
          trialsFile,
          rules: () => rules,
          signal: options.signal ?? new AbortController().signal,
          snapshots: { everyMinutes: 10, everyEpochs: 1, kept: 1 },
          onEvent: options.onEvent ?? (() => {}),
        },
      ),

    adapt: ({ spanMs = 14 * 86_400_000, activate = false, signal, ...options } = {}) =>
      adaptRun({
        ...options,
        checkpointDir,
        store,
        registry,
        run: settings.run,
        spanMs,
        activate,
        signal: signal ?? new AbortController().signal,
      }),

    signals,

    async signal(symbol, { minConfidence = 0, keep = true } = {}) {
      const { symbols: known } = await inUse();
      if (!known.includes(symbol)) {
        throw new UserError(`The models were not trained on ${symbol}.`, {
          hint: `They know ${known.join(', ')}.`,
        });
      }
      const all = await signals({ symbols: [symbol], keep });
      const signal = all.find(({ model }) => model === 'ensemble');
      return signal?.confidence === undefined || signal.confidence < minConfidence ? undefined : signal;
    },

    async backtest(options = {}) {
      const request = {
        registry,
        store,
        exchange,
        timeframe,
        fromMs: options.fromMs,
        untilMs: options.untilMs,
        models: options.models,
        ensemble: combining,
      };
      const found =
        options.folds === undefined
          ? await trainedForecasts(checkpointDir, {
              ...request,
              runId: settings.run,
              seeds: false,
            })
          : await walkForwardForecasts({
              ...request,
              symbols,
              sinceMs: settings.sinceMs ?? -Infinity,
              folds: options.folds,
              embargoBars: options.embargoBars ?? 24,
              validationPct,
              params,
              sources,
              seed,
              signal: options.signal ?? new AbortController().signal,
              onFold: () => {},
            });
      const { result, about } = await backtest({
        store,
        dataDir: settings.dataDir,
        found,
        deciding,
        rules,
        instruments: instrumentsOf(found.panel.series.map(({ symbol }) => symbol)),
        strategies: registry.strategies,
        seed,
        by: options.folds === undefined ? 'backtest' : 'walk-forward',
        signal: options.signal,
      });
      return { result, about };
    },

    async paper({ bars, signal = new AbortController().signal, log = silentLog, ...options }) {
      const opened = await openPaper(
        {
          store,
          dataDir: settings.dataDir,
          checkpointDir,
          bars:
            bars === 'stored'
              ? { kind: 'stored' }
              : {
                  kind: 'exchange',
                  open: (id) => openExchange({ id, timeoutMs: 20_000, retries: 5, log }),
                },
          name: options.name,
          run: settings.run,
          load: (runId) => inUse(runId),
          fresh: false,
          wanted: { exchange: undefined, timeframe: undefined },
          market: { exchange, timeframe },
          strategy: {
            id: deciding.strategy.id,
            params: deciding.params,
            isSet: settings.strategy !== undefined,
          },
          ensemble: {
            id: combining.method.id,
            params: combining.params,
            isSet: settings.ensemble !== undefined,
          },
          rules: () => rules,
          risk: undefined,
          instruments: instrumentsOf,
          log,
          signal,
        },
        () => {},
      );
      try {
        const { onBar = () => {} } = options;
        const { barsProcessed } = await opened.run({
          intervalMs: options.intervalMs ?? (bars === 'stored' ? 0 : 60_000),
          maxCycles: options.maxCycles,
          onBar: (record) => onBar(record),
        });
        const { session, account } = opened.session;
        return { sessionId: session.sessionId, barsProcessed, equity: account.equity() };
      } finally {
        await opened.close();
      }
    },

    report: ({ result, about }) => renderReport(result, about),

    async close() {
      const sets = await Promise.all([...opened.values()]);
      opened.clear();
      for (const { members } of sets) for (const { fitted } of members) fitted.dispose?.();
    },
  };
}
