import type { Candles } from '../core/market/candles.ts';
import { type PairSymbol, parseSymbol } from '../core/market/symbol.ts';
import type { FinishedRun } from '../learning/training/train.ts';
import { openProject, type Project, type ProjectSettings } from './project.ts';
import type { Signal } from './workflows/signals.ts';

/** Candles of your own by pair, such as `{ 'BTC/USDT': candles }`: columns with times in epoch milliseconds UTC, oldest first. */
export type CandlesByPair = Readonly<Record<string, Candles>>;

/** Models, how they combine and what decides, over candles that a program of yours brings. */
export interface Ensemble {
  /** What else can be done with it: backtests, paper sessions, reports. */
  readonly project: Project;
  /**
   * Adds the candles to those that are stored, trains the models on all of them, and puts the run in use. Throws `UserError`
   * for unknown models and too few candles, and `signal.reason` when aborted.
   */
  fit(
    candles: CandlesByPair,
    options?: Omit<NonNullable<Parameters<Project['train']>[0]>, 'name'>,
  ): Promise<FinishedRun>;
  /**
   * Adds the candles, new ones or all there are, and says what every model and the ensemble want on the newest bar: the
   * document of `crypto-trader signals --json`. Each call is on record; see `crypto-trader signals report`.
   */
  signals(candles?: CandlesByPair): Promise<readonly Signal[]>;
  /** Frees what models hold. */
  close(): Promise<void>;
}

/**
 * Opens an ensemble in the folders of `config`; what was trained there before is in use again. `models`: what `fit` trains;
 * default: all. `synthetic` says that the candles are made up: they never mix with real ones.
 */
export async function loadEnsemble(
  config: ProjectSettings & { readonly train?: readonly string[]; readonly synthetic?: boolean },
): Promise<Ensemble> {
  const { train, synthetic = false, exchange, timeframe } = config;
  let project = openProject(config);
  const add = async (candles: CandlesByPair): Promise<void> => {
    for (const [name, columns] of Object.entries(candles)) {
      const symbol: PairSymbol = parseSymbol(name);
      if (columns.time.length > 0)
        await project.store.merge({ exchange, symbol, timeframe }, columns, { source: 'library', synthetic });
    }
  };
  return {
    get project() {
      return project;
    },
    async fit(candles, options = {}) {
      await add(candles);
      const run = await project.train({
        ...(train && { models: train }),
        ...(synthetic && { allowSynthetic: true }),
        ...options,
      });
      // A run that is not the first waits for `models activate`: here the newest is meant.
      await project.close();
      project = openProject({ ...config, run: run.runId });
      return run;
    },
    async signals(candles = {}) {
      await add(candles);
      return project.signals();
    },
    close: () => project.close(),
  };
}
