import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import type { Panel } from '../src/dataset/panel.ts';
import { cartPole } from '../src/environments/cart-pole.ts';
import type { Environment } from '../src/environments/environment.ts';
import { pendulum } from '../src/environments/pendulum.ts';
import { type TradingTask, tradingEnvironments } from '../src/environments/trading.ts';
import { vectorise } from '../src/environments/vector.ts';
import { createRandom, normal } from '../src/foundation/random.ts';
import { emptyCandles } from '../src/market/candles.ts';
import { createDqn } from '../src/models/dqn/learner.ts';
import { DqnParams } from '../src/models/dqn/params.ts';
import { createPpo, type PpoLearner } from '../src/models/ppo/learner.ts';
import { PpoParams } from '../src/models/ppo/params.ts';
import { SPOT_RULES } from '../src/trading/rules.ts';
import type { BenchRow } from './bench.ts';

const SEEDS = [1, 2, 3, 4, 5];
/** The zoo's parameters of CartPole and Pendulum (rl-baselines3-zoo, hyperparams/ppo.yml). */
const CART_POLE = {
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
const PENDULUM = { nEnvs: 4, nSteps: 1024, gamma: 0.9, learningRate: 1e-3 } as const;

const Peer = z.object({
  ppoCartPole: z.number(),
  ppoCartPoleZoo: z.number(),
  ppoTrading: z.number(),
  dqnCartPole: z.number(),
});

export async function run(): Promise<readonly BenchRow[]> {
  const sb3 = peer();
  const against = (value: number | undefined) =>
    value === undefined ? {} : { peer: { name: 'Stable-Baselines3, one thread', value } };
  const unit = 'steps/s';
  const [scores, swings] = [await finalRewards(cartPole, CART_POLE), await finalRewards(pendulum, PENDULUM)];
  return [
    {
      name: 'trading environment, a new target each bar',
      value: environmentSpeed(true),
      unit: 'M steps/s',
      target: '>= 1',
    },
    {
      name: 'trading environment, holding',
      value: environmentSpeed(false),
      unit: 'M steps/s',
      target: '>= 1',
    },
    {
      name: 'PPO on CartPole, default parameters',
      value: await ppoSpeed(() => [cartPole()], {}, 20_480),
      unit,
      target: '>= 20 x',
      ...against(sb3?.ppoCartPole),
    },
    {
      name: "PPO on CartPole, the zoo's parameters",
      value: await ppoSpeed((count) => Array.from({ length: count }, cartPole), CART_POLE, 20_480),
      unit,
      ...against(sb3?.ppoCartPoleZoo),
    },
    {
      name: 'PPO on the trading environment, 8 windows of 256 bars',
      value: await ppoSpeed(
        (count) => tradingEnvironments(TRADING, count),
        { nEnvs: 8, nSteps: 256 },
        20_480,
      ),
      unit,
      target: '>= 20 x',
      note: 'the peer trades in a bare loop, here the execution core does',
      ...against(sb3?.ppoTrading),
    },
    {
      name: 'DQN on CartPole, default parameters',
      value: await dqnSpeed(20_000),
      unit,
      target: '>= 10 x',
      ...against(sb3?.dqnCartPole),
    },
    {
      name: 'CartPole, PPO, 100k steps',
      value: mean(scores),
      unit: 'reward',
      target: '>= 475',
      note: scores.join(', '),
    },
    {
      name: 'Pendulum, PPO, 100k steps',
      value: mean(swings),
      unit: 'reward',
      target: '>= -250',
      note: swings.join(', '),
    },
  ];
}

/** Figures of the peer, where PYTHON names an interpreter that has it. */
function peer(): z.output<typeof Peer> | undefined {
  const python = process.env.PYTHON;
  if (python === undefined) return undefined;
  const script = join(import.meta.dirname, 'peers/rl_sb3.py');
  return Peer.parse(JSON.parse(execFileSync(python, [script], { encoding: 'utf8' })));
}

const BARS = 20_000;
const TRADING: TradingTask = {
  panel: walk(),
  rules: SPOT_RULES,
  weights: { returnWeight: 1, sharpeWeight: 0.1, drawdownWeight: 0.1 },
  actions: 'target',
  windowBars: 336,
};

function environmentSpeed(trades: boolean): number {
  const environment = vectorise(tradingEnvironments(TRADING, 8));
  const random = createRandom(1);
  const actions = Float32Array.from({ length: 8 * 4096 }, () => (trades ? 2 * random() - 1 : NaN));
  environment.resetAll();
  const play = (steps: number): void => {
    for (let t = 0; t < steps; t++) {
      const at = (t % 4096) * 8;
      environment.step(actions.subarray(at, at + 8));
    }
    environment.finished.length = 0;
  };
  play(20_000);
  const start = performance.now();
  play(100_000);
  return (8 * 100_000) / (performance.now() - start) / 1000;
}

type PpoSettings = Parameters<typeof PpoParams.parse>[0];

async function ppoSpeed(
  make: (count: number) => readonly Environment[],
  settings: PpoSettings,
  steps: number,
): Promise<number> {
  const learner = await learnerOf(make, settings, 1, 10 * steps);
  while (learner.steps < steps / 4) await learner.iterate();
  const from = learner.steps;
  const start = performance.now();
  while (learner.steps < from + steps) await learner.iterate();
  const speed = ((learner.steps - from) / (performance.now() - start)) * 1000;
  await learner.dispose();
  return speed;
}

async function learnerOf(
  make: (count: number) => readonly Environment[],
  settings: PpoSettings,
  seed: number,
  totalSteps: number,
): Promise<PpoLearner> {
  const params = PpoParams.parse(settings);
  return createPpo({ environment: vectorise(make(params.nEnvs)), params, seed, totalSteps });
}

async function dqnSpeed(steps: number): Promise<number> {
  const params = DqnParams.parse({ bufferSize: 100_000 });
  const learner = await createDqn({
    environment: vectorise([cartPole()]),
    params,
    seed: 1,
    totalSteps: 10 * steps,
  });
  while (learner.steps < steps / 4) await learner.iterate();
  const from = learner.steps;
  const start = performance.now();
  while (learner.steps < from + steps) await learner.iterate();
  const speed = ((learner.steps - from) / (performance.now() - start)) * 1000;
  await learner.dispose();
  return speed;
}

/** Mean return of the last 100 episodes of a training of 100 000 steps, by seed. */
async function finalRewards(make: () => Environment, settings: PpoSettings): Promise<readonly number[]> {
  const rewards: number[] = [];
  for (const seed of SEEDS) {
    const copies = (count: number): readonly Environment[] => Array.from({ length: count }, make);
    const learner = await learnerOf(copies, settings, seed, 100_000);
    let reward = NaN;
    while (learner.steps < 100_000) reward = (await learner.iterate()).meanReward ?? NaN;
    await learner.dispose();
    rewards.push(Math.round(10 * reward) / 10);
  }
  return rewards;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function walk(): Panel {
  const random = createRandom(1);
  const candles = emptyCandles(BARS);
  let last = 100;
  for (let row = 0; row < BARS; row++) {
    const close = last * Math.exp(0.01 * normal(random));
    candles.time[row] = row * 3_600_000;
    candles.open[row] = last;
    candles.close[row] = close;
    candles.high[row] = Math.max(last, close);
    candles.low[row] = Math.min(last, close);
    candles.volume[row] = 1000;
    last = close;
  }
  const names = Array.from({ length: 14 }, (_, k) => `feature${k}`);
  const columns = names.map(() => Float64Array.from({ length: BARS }, () => normal(random)));
  return { timeframe: '1h', series: [{ symbol: 'BTC/USDT', candles, features: { names, columns } }] };
}
