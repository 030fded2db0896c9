import { cartPole } from '../src/core/environments/cart-pole.ts';
import type { Environment } from '../src/core/environments/environment.ts';
import { pendulum } from '../src/core/environments/pendulum.ts';
import { createRandom } from '../src/core/foundation/random.ts';
import { bestAction } from '../src/learning/learners/agent/actions.ts';
import { createKernel } from '../src/learning/learners/agent/kernel.ts';
import { createMlp } from '../src/learning/learners/agent/mlp.ts';
import { qShape } from '../src/learning/models/dqn/network.ts';
import type { BenchRow } from './bench.ts';
import { DQN_CART_POLE, dqnOf, PPO_CART_POLE, PPO_PENDULUM, type PpoSettings, ppoOf } from './rl/tasks.ts';

const SEEDS = [1, 2, 3, 4, 5];

/** What is learned, seed by seed, with the zoo's parameters. */
export async function run(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const tasks = [
    { name: 'CartPole, PPO, 100k steps', make: cartPole, settings: PPO_CART_POLE, target: '>= 475' },
    { name: 'Pendulum, PPO, 100k steps', make: pendulum, settings: PPO_PENDULUM, target: '>= -250' },
  ];
  for (const { name, make, settings, target } of tasks) {
    const rewards = await eachSeed((seed) => ppoReward(make, settings, seed));
    rows.push(rowOf(`${name}: last 100 episodes`, rewards, target));
  }
  const learned = await eachSeed(dqnRewards);
  const last = learned.map((one) => one.last);
  const best = learned.map((one) => one.best);
  rows.push(rowOf('CartPole, DQN, 50k steps: 100 episodes, last weights', last, '>= 475'));
  rows.push(rowOf('CartPole, DQN, 50k steps: 100 episodes, weights of the best trial', best, '>= 475'));
  return rows;
}

async function eachSeed<T>(work: (seed: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (const seed of SEEDS) results.push(await work(seed));
  return results;
}

const rounded = (value: number): number => Math.round(10 * value) / 10;

const rowOf = (name: string, rewards: readonly number[], target: string): BenchRow => ({
  name,
  value: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
  unit: 'reward',
  target,
  note: `seeds 1 to 5: ${rewards.map(rounded).join(', ')}`,
});

/** Mean return of the last 100 episodes of training, exploration included. */
async function ppoReward(make: () => Environment, settings: PpoSettings, seed: number): Promise<number> {
  const copies = (count: number): readonly Environment[] => Array.from({ length: count }, make);
  const learner = await ppoOf({ make: copies, settings, seed, totalSteps: 100_000 });
  let reward = NaN;
  while (learner.steps < 100_000) reward = (await learner.iterate()).meanReward ?? NaN;
  await learner.dispose();
  return reward;
}

/** Without exploration: with the last weights, and with those that did best on 20 episodes in one of 20 trials. */
async function dqnRewards(seed: number): Promise<{ readonly last: number; readonly best: number }> {
  const make = (count: number): readonly Environment[] => Array.from({ length: count }, cartPole);
  const learner = await dqnOf({ make, settings: DQN_CART_POLE, seed, totalSteps: 50_000 });
  let best = { reward: -Infinity, weights: learner.parameters() };
  let nextTrial = 2500;
  while (learner.steps < 50_000) {
    await learner.iterate();
    if (learner.steps < nextTrial) continue;
    nextTrial += 2500;
    const weights = learner.parameters();
    const reward = greedyReward(weights, 20, 1000 + seed);
    if (reward > best.reward) best = { reward, weights };
  }
  const last = greedyReward(learner.parameters(), 100, seed);
  await learner.dispose();
  return { last, best: greedyReward(best.weights, 100, seed) };
}

/** Mean return of whole episodes of CartPole when the best action is always taken. */
function greedyReward(weights: Float32Array, episodes: number, seed: number): number {
  const environment = cartPole();
  const { actions, maxSteps } = environment;
  const kernel = createKernel();
  const network = createMlp(kernel, qShape(4, 2, { netArch: DQN_CART_POLE.netArch, dueling: false }), 1);
  network.load(weights, 0);
  const seen = kernel.allocate(4);
  const action = new Float32Array(1);
  const random = createRandom(seed);
  let total = 0;
  for (let episode = 0; episode < episodes; episode++) {
    environment.reset(random, seen.values, 0);
    for (let t = 0; t < maxSteps && (t === 0 || !environment.terminated); t++) {
      network.forward(seen.at, 1);
      bestAction(actions, network.output, 0, action, 0);
      total += environment.step(action, 0, seen.values, 0);
    }
  }
  return total / episodes;
}
