import { join } from 'node:path';
import { startTuning } from '../../../src/app/workflows/start-study.ts';
import { openBench, runTrials, TuneTask } from '../../../src/app/workflows/tune.ts';
import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { spaceOfModel } from '../../../src/lab/tuning/model-space.ts';
import { openStudy, studySettings } from '../../../src/lab/tuning/study.ts';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { walk } from '../../support/candles.ts';

const START_MS = Date.UTC(2024, 0, 1);
const KEY = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
export const FOLDS = 3;
export const TRIALS = 10;
const NAME = 'storm';
export const MARKET = 'binance 1h BTC/USDT';
export const studyFolder = (root: string): string => join(root, NAME);
export const trialsFile = (root: string): string => join(root, 'trials.jsonl');

export async function prepare(root: string, seed: number): Promise<void> {
  const candles = walk(1700, { startMs: START_MS, seed });
  await openStore(join(root, 'data')).merge(KEY, candles, { source: 'binance', synthetic: false });
}

export interface TuneWorld {
  readonly folder: string;
  readonly seed: number;
}

/** A search over the parameters of one model, from where it stands to its end. */
export async function live({ folder, seed }: TuneWorld): Promise<void> {
  const surroundings = {
    registry: builtIn,
    store: openStore(join(folder, 'data')),
    rules: SPOT_RULES,
    acceptImplausible: [],
    signal: new AbortController().signal,
  };
  const settings = await studySettings(studyFolder(folder));
  const study =
    settings === undefined
      ? await startTuning(
          {
            ...{ model: 'ridge', mode: 'quick', own: {}, exchange: KEY.exchange, symbols: [KEY.symbol] },
            ...{ timeframe: KEY.timeframe, sources: DEFAULT_SOURCES, sinceMs: 0, folds: FOLDS },
            ...{ embargoBars: 24, validationPct: 15, minFills: 0, rules: JSON.stringify(SPOT_RULES) },
          },
          {
            ...{ folder, name: NAME, seed, sampler: 'tpe', pruner: 'none', objectives: ['sharpe'] },
            space: spaceOfModel(builtIn.findModel('ridge').params),
            ...{ testPct: 15, allowSynthetic: false },
          },
          surroundings,
        )
      : await openStudy(studyFolder(folder));
  const task = TuneTask.parse(study.settings.task);
  const bench = await openBench(task, { testPct: 0, seed: study.settings.seed }, surroundings);
  await study.refresh();
  await runTrials(study, bench, {
    ...{ trialsFile: trialsFile(folder), rules: SPOT_RULES, trials: TRIALS },
    signal: surroundings.signal,
    onTrial: () => undefined,
  });
  await study.close();
}
