import type { Panel } from '../../src/core/dataset/panel.ts';
import type { Environment } from '../../src/core/environments/environment.ts';
import { vectorise } from '../../src/core/environments/vector.ts';
import { createRandom, normal } from '../../src/core/foundation/random.ts';
import { emptyCandles } from '../../src/core/market/candles.ts';
import type { PairSymbol } from '../../src/core/market/symbol.ts';
import { createDqn, type DqnLearner } from '../../src/learning/models/dqn/learner.ts';
import { DqnParams } from '../../src/learning/models/dqn/params.ts';
import { createPpo, type PpoLearner } from '../../src/learning/models/ppo/learner.ts';
import { PpoParams } from '../../src/learning/models/ppo/params.ts';

export type PpoSettings = Parameters<typeof PpoParams.parse>[0];
export type DqnSettings = Parameters<typeof DqnParams.parse>[0];

/** The zoo's parameters (rl-baselines3-zoo, hyperparams/ppo.yml and dqn.yml). */
export const PPO_CART_POLE = {
  nEnvs: 8,
  nSteps: 32,
  batchSize: 256,
  gaeLambda: 0.8,
  gamma: 0.98,
  nEpochs: 20,
  learningRate: 1e-3,
  learningRateSchedule: 'linear',
  clipRangeSchedule: 'linear',
} as const;
export const PPO_PENDULUM = { nEnvs: 4, nSteps: 1024, gamma: 0.9, learningRate: 1e-3 } as const;
export const DQN_CART_POLE = {
  learningRate: 2.3e-3,
  batchSize: 64,
  bufferSize: 100_000,
  learningStarts: 1000,
  targetUpdateInterval: 10,
  trainFreq: 256,
  gradientSteps: 128,
  explorationFraction: 0.16,
  explorationFinalEps: 0.04,
  netArch: [256, 256],
};

export interface Task<Settings> {
  readonly make: (count: number) => readonly Environment[];
  readonly settings: Settings;
  readonly seed: number;
  readonly totalSteps: number;
}

export function ppoOf({ make, settings, seed, totalSteps }: Task<PpoSettings>): Promise<PpoLearner> {
  const params = PpoParams.parse(settings);
  return createPpo({ environment: vectorise(make(params.nEnvs)), params, seed, totalSteps });
}

export function dqnOf({ make, settings, seed, totalSteps }: Task<DqnSettings>): Promise<DqnLearner> {
  const params = DqnParams.parse(settings);
  return createDqn({ environment: vectorise(make(params.nEnvs)), params, seed, totalSteps });
}

/** Hourly random walks of `symbols` with 14 features that mean nothing. */
export function walks(bars: number, symbols: readonly PairSymbol[] = ['BTC/USDT']): Panel {
  const random = createRandom(1);
  const series = symbols.map((symbol) => {
    const candles = emptyCandles(bars);
    let last = 100;
    for (let row = 0; row < bars; row++) {
      const close = last * Math.exp(0.01 * normal(random));
      candles.time[row] = row * 3_600_000;
      candles.open[row] = last;
      candles.close[row] = close;
      candles.high[row] = Math.max(last, close);
      candles.low[row] = Math.min(last, close);
      candles.volume[row] = 1000 * (1 + random());
      last = close;
    }
    const names = Array.from({ length: 14 }, (_, k) => `feature${k}`);
    const columns = names.map(() => Float64Array.from({ length: bars }, () => normal(random)));
    return { symbol, candles, features: { names, columns } };
  });
  return { timeframe: '1h', series };
}
