import { cartPole } from '../src/core/environments/cart-pole.ts';
import { type TradingTask, tradingEnvironments } from '../src/core/environments/trading.ts';
import { vectorise } from '../src/core/environments/vector.ts';
import { computeFeatures } from '../src/core/features/catalogue.ts';
import { createRandom } from '../src/core/foundation/random.ts';
import { agentFeatures } from '../src/learning/learners/agent/refits.ts';
import { classicalModels } from '../src/learning/models/classical.ts';
import { ppo } from '../src/learning/models/ppo/index.ts';
import { PpoAgentParams } from '../src/learning/models/ppo/params.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import type { BenchRow } from './bench.ts';
import { runPeer } from './peers/run.ts';
import { DQN_CART_POLE, dqnOf, PPO_CART_POLE, ppoOf, walks } from './rl/tasks.ts';

const TRADING: TradingTask = {
  panel: walks(20_000),
  rules: SPOT_RULES,
  weights: { returnWeight: 1, sharpeWeight: 0.1, drawdownWeight: 0.1 },
  actions: 'target',
  windowBars: 336,
};
const cartPoles = (count: number) => Array.from({ length: count }, cartPole);
const markets = (count: number) => tradingEnvironments(TRADING, count);

/** Speed; what is learned is measured by `rl-rewards`. */
export async function run(): Promise<readonly BenchRow[]> {
  const sb3 = runPeer('rl_sb3.py');
  const against = (name: string) =>
    sb3 === undefined ? {} : { peer: { name: 'Stable-Baselines3, one thread', value: sb3[name] } };
  const note = sb3 === undefined ? 'no Python with Stable-Baselines3 here' : 'same hyper-parameters';
  const unit = 'steps / s of processor time';
  const environment = { unit: 'M steps/s', target: '>= 1' };
  return [
    // First: in a process that has stepped other environments too, the call of `step` is slower.
    { name: 'trading environment, a new target each bar', value: environmentSpeed('trade'), ...environment },
    { name: 'trading environment, holding a position', value: environmentSpeed('hold'), ...environment },
    ...(await wholeTraining()),
    {
      name: 'PPO on the trading environment, 8 windows of 256 bars',
      value: await ppoSpeed(markets, { nEnvs: 8, nSteps: 256 }, 20_480),
      unit,
      target: '>= 20 x',
      note: 'the peer trades in a bare loop, here the execution core does',
      ...against('ppoTrading'),
    },
    {
      name: 'PPO on CartPole, default parameters',
      value: await ppoSpeed(cartPoles, {}, 20_480),
      unit,
      target: '>= 20 x',
      note,
      ...against('ppoCartPole'),
    },
    {
      name: "PPO on CartPole, the zoo's parameters",
      value: await ppoSpeed(cartPoles, PPO_CART_POLE, 20_480),
      unit,
      target: '>= 20 x',
      note,
      ...against('ppoCartPoleZoo'),
    },
    {
      name: "PPO on CartPole, the zoo's parameters: two threads against one",
      value: await twoThreads(),
      unit: 'x',
      note: 'wall clock; the same bits',
    },
    {
      name: 'DQN on CartPole, default parameters',
      value: await dqnSpeed({ bufferSize: 100_000 }, 20_000),
      unit,
      target: '>= 10 x',
      note,
      ...against('dqnCartPole'),
    },
    {
      name: "DQN on CartPole, the zoo's parameters",
      value: await dqnSpeed(DQN_CART_POLE, 8192),
      unit,
      target: '>= 10 x',
      note,
      ...against('dqnCartPoleZoo'),
    },
  ];
}

function environmentSpeed(way: 'trade' | 'hold'): number {
  const environment = vectorise(markets(8));
  const random = createRandom(1);
  const actions = Array.from({ length: 4096 }, () =>
    Float32Array.from({ length: 8 }, () => (way === 'trade' ? 2 * random() - 1 : NaN)),
  );
  if (way === 'hold') for (let t = 0; t < 4096; t += 16) actions[t].fill(1);
  environment.resetAll();
  const play = (steps: number): void => {
    for (let t = 0; t < steps; t++) environment.step(actions[t % 4096]);
    environment.finished.length = 0;
  };
  play(20_000);
  const start = performance.now();
  play(100_000);
  return (8 * 100_000) / (performance.now() - start) / 1000;
}

interface Learner {
  readonly steps: number;
  iterate(): Promise<unknown>;
  dispose(): Promise<void>;
}

/**
 * Steps a second of `steps` steps after a warm-up. Of processor time, all threads of the runtime together, so that other
 * work on the machine changes neither side.
 */
async function speedOf(learner: Learner, steps: number, seconds = processorSeconds): Promise<number> {
  while (learner.steps < steps / 4) await learner.iterate();
  const from = learner.steps;
  const start = seconds();
  while (learner.steps < from + steps) await learner.iterate();
  const speed = (learner.steps - from) / (seconds() - start);
  await learner.dispose();
  return speed;
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function twoThreads(): Promise<number> {
  const [one, two] = [PPO_CART_POLE, { ...PPO_CART_POLE, threads: 2 }].map((settings) =>
    ppoOf({ make: cartPoles, settings, seed: 1, totalSteps: 204_800 }),
  );
  const wall = (): number => performance.now() / 1000;
  const alone = await speedOf(await one, 20_480, wall);
  return (await speedOf(await two, 20_480, wall)) / alone;
}

const ppoSpeed = async (
  make: Parameters<typeof ppoOf>[0]['make'],
  settings: Parameters<typeof ppoOf>[0]['settings'],
  steps: number,
): Promise<number> => speedOf(await ppoOf({ make, settings, seed: 1, totalSteps: 10 * steps }), steps);

const dqnSpeed = async (settings: Parameters<typeof dqnOf>[0]['settings'], steps: number): Promise<number> =>
  speedOf(await dqnOf({ make: cartPoles, settings, seed: 1, totalSteps: 10 * steps }), steps);

/** 500 000 steps of the agent as `train --mode full` trains it, forecasts of other models and trials included. */
async function wholeTraining(): Promise<readonly BenchRow[]> {
  const params = PpoAgentParams.parse({});
  const { timeframe, series } = walks(17_520, ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']);
  const names = agentFeatures(params, classicalModels);
  const panel = {
    timeframe,
    series: series.map((one) => ({
      ...one,
      features: computeFeatures(names, one.candles, timeframe, {}),
    })),
  };
  const megabytes: number[] = [];
  const start = performance.now();
  await ppo.fit({
    panel,
    params,
    trainUntilMs: 14_000 * 3_600_000,
    seed: 1,
    signal: new AbortController().signal,
    onProgress: ({ step, steps }) => {
      if (step >= ((megabytes.length + 1) * steps) / 10) megabytes.push(process.memoryUsage().rss / 2 ** 20);
    },
  });
  const seconds = (performance.now() - start) / 1000;
  const [early, middle, late] = [0, 4, 9].map((tenth) => Math.round(megabytes[tenth]));
  return [
    {
      name: 'PPO trading agent, 500 000 steps, default parameters',
      value: seconds,
      unit: 's',
      target: '<= 180 s',
      note: 'three symbols of 17 520 bars; with forecasts of other models and 20 trials',
    },
    {
      name: 'its memory at the end',
      value: late,
      unit: 'MB',
      target: 'flat',
      note: `after 50 000 steps ${early}, 250 000 ${middle}, 500 000 ${late}`,
    },
  ];
}
