import { join } from 'node:path';
import { endedSeries } from '../core/dataset/panel.ts';
import type { OwnFeature } from '../core/features/define-feature.ts';
import type { InputSources } from '../core/features/inputs.ts';
import { DEFAULT_SOURCES } from '../core/features/inputs.ts';
import type { Forecast, Model } from '../core/forecast/model.ts';
import { UserError } from '../core/foundation/errors.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import type { Strategy } from '../core/strategy/strategy.ts';
import type { Timeframe } from '../core/market/timeframe.ts';
import { type ExecutionRules, SPOT_RULES } from '../core/trading/rules.ts';
import type { LoadedPanel } from '../data/panel/load-panel.ts';
import { openStore, type Store } from '../data/store/store.ts';
import { type Backtest, backtest } from '../lab/backtest/backtest.ts';
import type { Provenance } from '../lab/backtest/document.ts';
import { trainedForecasts, walkForwardForecasts } from '../lab/backtest/sources.ts';
import { createRegistry, type Registry } from '../learning/models/registry.ts';
import {
  forecastAll,
  loadTrained,
  loadTrainedPanel,
  type TrainedSet,
} from '../learning/training/checkpoints.ts';
import type { TrainingEvent } from '../learning/training/journal.ts';
import { planRun, type TrainingSettings } from '../learning/training/plan.ts';
import { type FinishedRun, finishRun, startRun } from '../learning/training/train.ts';
import { renderReport } from './report/backtest-report.ts';
import { provenanceOf } from './workflows/provenance.ts';
import { type Signal, signalOf } from './workflows/signals.ts';

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
  /** Hyper-parameters by model id. */
  readonly params?: TrainingSettings['params'];
  /** Models of your own, beside ours. */
  readonly models?: readonly Model[];
  /** Features of your own, beside the catalogue. */
  readonly features?: readonly OwnFeature[];
  /** Strategies of your own, beside ours. */
  readonly strategies?: readonly Strategy[];
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
    readonly models?: readonly string[];
    readonly allowSynthetic?: boolean;
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: TrainingEvent) => void;
  }): Promise<FinishedRun>;
  /** Forecasts of every model of the run in use and of the ensemble, one per symbol, for bars from `sinceMs` on. */
  predict(options?: { readonly sinceMs?: number; readonly untilMs?: number }): Promise<{
    readonly panel: LoadedPanel;
    readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
    readonly ensemble: readonly Forecast[];
  }>;
  /** What the ensemble wants on the newest stored bar; `undefined` below `minConfidence`, when it has no opinion, or when
   * the symbol's bars end before those of the others. */
  signal(symbol: PairSymbol, options?: { readonly minConfidence?: number }): Promise<Signal | undefined>;
  /** Trades the run in use over bars it never saw; with `folds`, models refitted before each fold instead. */
  backtest(options?: {
    readonly fromMs?: number;
    readonly untilMs?: number;
    readonly models?: readonly string[];
    readonly folds?: number;
    readonly embargoBars?: number;
    readonly signal?: AbortSignal;
  }): Promise<ProjectBacktest>;
  /** The backtest as one HTML page. */
  report(backtest: ProjectBacktest): string;
  /** Frees what models hold. */
  close(): void;
}

/** Opens a project; nothing is read before it is asked for, and nothing runs but what is handed in here. */
export function openProject(settings: ProjectSettings): Project {
  const { checkpointDir, logDir, exchange, symbols, timeframe, untilMs } = settings;
  const { seed = 42, validationPct = 15, testPct = 20, params = {}, sources = DEFAULT_SOURCES } = settings;
  const registry = createRegistry(settings);
  const store = openStore(settings.dataDir);
  const trialsFile = join(settings.dataDir, 'trials.jsonl');
  const rules = { ...SPOT_RULES, maxPositionPct: 100 / symbols.length, ...settings.rules };
  const opened: TrainedSet[] = [];
  const inUse = async (): Promise<TrainedSet> => {
    const trained = await loadTrained(checkpointDir, { registry });
    opened.push(trained);
    return trained;
  };

  const predict: Project['predict'] = async ({ sinceMs, untilMs: until } = {}) => {
    const trained = await inUse();
    const panel = await loadTrainedPanel(store, trained, until === undefined ? {} : { untilMs: until });
    return { panel, ...(await forecastAll(trained, panel, sinceMs === undefined ? {} : { sinceMs })) };
  };

  return {
    registry,
    store,
    predict,

    async train(options = {}) {
      const surroundings = {
        registry,
        store,
        checkpointDir,
        logDir,
        signal: options.signal ?? new AbortController().signal,
        snapshots: { everyMinutes: 10, everyEpochs: 1, kept: 1 },
        onEvent: options.onEvent ?? (() => {}),
      };
      const plan = await planRun(store, {
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
        params,
        sources,
        allowSynthetic: options.allowSynthetic ?? false,
      });
      return finishRun(await startRun(plan, surroundings), surroundings);
    },

    async signal(symbol, { minConfidence = 0 } = {}) {
      const { panel, ensemble } = await predict();
      const s = panel.series.findIndex((one) => one.symbol === symbol);
      if (s < 0) {
        throw new UserError(`The models were not trained on ${symbol}.`, {
          hint: `They know ${panel.series.map((one) => one.symbol).join(', ')}.`,
        });
      }
      // A bar that is not the newest says nothing about the next open.
      if (endedSeries(panel).some((one) => one.symbol === symbol)) return undefined;
      const signal = signalOf('ensemble', panel.series[s], ensemble[s], panel.timeframe);
      return signal.confidence === undefined || signal.confidence < minConfidence ? undefined : signal;
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
      };
      const source =
        options.folds === undefined
          ? await trainedForecasts(checkpointDir, { ...request, seeds: false, measuresSkill: false })
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
      const instruments = source.panel.series.map((one) => ({
        symbol: one.symbol,
        amountStep: 0,
        priceTick: 0,
        minNotional: 0,
      }));
      const result = backtest({ ...source, instruments, rules, seed });
      return {
        result,
        about: await provenanceOf(source, result, {
          seed,
          trialsFile,
          by: options.folds === undefined ? 'backtest' : 'walk-forward',
        }),
      };
    },

    report: ({ result, about }) => renderReport(result, about),

    close() {
      for (const { members } of opened) for (const { fitted } of members) fitted.dispose?.();
      opened.length = 0;
    },
  };
}
