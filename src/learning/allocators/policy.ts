import { createRandom, deriveSeed, normal, type Random } from '../../core/foundation/random.ts';
import { estimateAdvantages } from '../learners/agent/advantages.ts';
import { adam } from '../engine/optimizers.ts';
import type { Feeds } from '../engine/program.ts';
import { tf } from '../engine/tf.ts';
import { createTrainer, type Loss } from '../engine/trainer.ts';
import { type AllocatorData, fillWindow } from './data.ts';
import { type Forward, openForward, specOf } from './forward.ts';
import { policyNetwork } from './networks.ts';
import type { LearnerState, LearnTask } from './state.ts';
import { firstOf, memoryOf, stretchesOf } from './stretches.ts';
import { passBar } from './transition.ts';

/** Stretches of history that are played side by side. */
const PLAYED = 8;
/** Updates on what one round has played. */
export const UPDATES = 4;
const CLIP = 0.2;
const VALUE_WEIGHT = 0.5;
/** A bar's trade costs at that bar, and what it left weighs on the next few: not many bars have to be looked ahead. */
const AHEAD = { gamma: 0.9, gaeLambda: 0.9 };

/**
 * Proximal policy optimisation over weights (Schulman et al. 2017). The environment is the past itself: its reward is the logarithmic growth after
 * costs less that of equal weights over the same bar, which no action changes, so that it takes away noise and moves no gradient (Mao et
 * al. 2018). A round plays stretches of consecutive bars, each from what the portfolio vector memory held there last, then makes
 * `UPDATES` steps on them.
 */
export async function learnPolicy(task: LearnTask): Promise<LearnerState> {
  const { data, params, seed, signal } = task;
  const { lookback, hidden, costRate, steps } = params;
  const assets = data.symbols.length;
  const { rows, bars } = stretchesOf(task);
  const network = policyNetwork({ assets, lookback, hidden });
  const named = {
    ...network,
    forward: (...[pass, { x, mask, previous }]: Parameters<Loss>) =>
      network.forward(pass, { x, mask, previous }),
  };
  const float = (shape: readonly number[]) => ({ shape, type: 'float32' as const });
  const played = bars * PLAYED;
  const trainer = await createTrainer({
    network,
    loss: clippedLoss(named.forward),
    optimizer: adam(),
    batch: {
      ...specOf('ppo', played, assets, lookback),
      drawn: float([played, 1 + assets]),
      likelihood: float([played]),
      advantages: float([played]),
      returns: float([played]),
    },
    seed,
    clipNorm: 0.5,
  });
  const forward = await openForward(
    named,
    specOf('ppo', PLAYED, assets, lookback),
    ({ scores, value, logStd }) => ({ scores, value, logStd }),
    { scores: PLAYED * (1 + assets), value: PLAYED, logStd: 1 },
  );
  const memory = memoryOf('ppo', task);
  const state = (): LearnerState => ({ train: trainer.state(), memory: Float32Array.from(memory) });
  const stage = createStage(data, rows, { bars, lookback, costRate });
  try {
    if (task.from !== undefined) trainer.restore(task.from.train);
    for (let round = trainer.state().step / UPDATES; round < steps; round++) {
      signal?.throwIfAborted();
      const firsts = Array.from({ length: PLAYED }, (_, k) =>
        firstOf(rows, bars, seed, `round ${round}, stretch ${k}`),
      );
      const random = createRandom(deriveSeed(seed, `round ${round}`));
      const feeds = await stage.play(forward, trainer.parameters(), { firsts, memory, random });
      let loss = 0;
      for (let update = 0; update < UPDATES; update++)
        loss = (await trainer.step(feeds, params.learningRate)).losses[0];
      await task.onStep?.(round + 1, loss, state);
    }
    return state();
  } finally {
    await trainer.dispose();
    await forward.dispose();
  }
}

/** The clipped surrogate and the critic's square; scores of what cannot be held have no part in the likelihood. */
const clippedLoss =
  (forward: (...args: Parameters<Loss>) => ReturnType<ReturnType<typeof policyNetwork>['forward']>): Loss =>
  (pass, batch) => {
    const { scores, value, logStd } = forward(pass, batch);
    const rows = value.shape[0] ?? 1;
    const open = tf.concat([tf.ones([rows, 1]), batch['mask']], 1);
    const away = tf.div(tf.sub(batch['drawn'], scores), tf.exp(logStd));
    const density = tf.add(tf.mul(tf.square(away), 0.5), logStd);
    const likelihood = tf.neg(tf.sum(tf.mul(density, open), 1));
    const ratio = tf.exp(tf.sub(likelihood, batch['likelihood']));
    const near = tf.clipByValue(ratio, 1 - CLIP, 1 + CLIP);
    const { advantages, returns } = batch;
    const gain = tf.mean(tf.minimum(tf.mul(ratio, advantages), tf.mul(near, advantages)));
    const missed = tf.mean(tf.square(tf.sub(returns, value)));
    return tf.sub(tf.mul(missed, VALUE_WEIGHT), gain);
  };

interface Play {
  /** Indices into the rows where the stretches begin. */
  readonly firsts: readonly number[];
  /** Read where a stretch begins, written along it. */
  readonly memory: Float32Array;
  readonly random: Random;
}

/** The past as an environment: `PLAYED` stretches at a time, their columns used anew by every round. */
function createStage(
  data: AllocatorData,
  rows: readonly number[],
  {
    bars,
    lookback,
    costRate,
  }: { readonly bars: number; readonly lookback: number; readonly costRate: number },
) {
  const assets = data.symbols.length;
  const columns = 1 + assets;
  const played = bars * PLAYED;
  const unit = rewardUnit(data, rows);
  const all = {
    x: new Float32Array(played * lookback * assets),
    mask: new Float32Array(played * assets),
    previous: new Float32Array(played * columns),
    drawn: new Float32Array(played * columns),
    likelihood: new Float32Array(played),
    advantages: new Float32Array(played),
    returns: new Float32Array(played),
  };
  const now = {
    x: new Float32Array(PLAYED * lookback * assets),
    mask: new Float32Array(PLAYED * assets),
    previous: new Float32Array(PLAYED * columns),
  };
  const rewards = new Float32Array(played);
  const values = new Float32Array(played);
  const ended = new Uint8Array(played);
  const lastValues = new Float32Array(PLAYED);
  const wanted = new Float64Array(columns);
  const relatives = new Float64Array(columns).fill(1);

  const look = (row: number, k: number): void =>
    fillWindow(data, row, lookback, now.x, k * lookback * assets, now.mask, k * assets);

  return {
    async play(
      forward: Forward<'scores' | 'value' | 'logStd'>,
      parameters: Float32Array,
      { firsts, memory, random }: Play,
    ): Promise<Feeds> {
      for (const [k, first] of firsts.entries())
        now.previous.set(memory.subarray(rows[first] * columns, (rows[first] + 1) * columns), k * columns);
      for (let t = 0; t < bars; t++) {
        for (const [k, first] of firsts.entries()) look(rows[first + t], k);
        const said = await forward.run(parameters, now);
        const at = t * PLAYED;
        all.x.set(now.x, at * lookback * assets);
        all.mask.set(now.mask, at * assets);
        all.previous.set(now.previous, at * columns);
        values.set(said.value, at);
        for (const [k, first] of firsts.entries()) {
          all.likelihood[at + k] = draw(said.scores, said.logStd[0], k, at + k, random);
          const row = rows[first + t];
          relativesAfter(data, row, relatives);
          const before = now.previous.subarray(k * columns, (k + 1) * columns);
          const held = memory.subarray((row + 1) * columns, (row + 2) * columns);
          const growth = passBar(before, wanted, relatives, costRate, held);
          before.set(held);
          rewards[at + k] = (Math.log(growth) - Math.log(evenGrowth(relatives, now.mask, k * assets))) / unit;
        }
      }
      // The bar after a stretch is looked at for its value alone; the last of them is the last row that is known.
      for (const [k, first] of firsts.entries()) look(rows[first + bars - 1] + 1, k);
      lastValues.set((await forward.run(parameters, now)).value);
      const { advantages, returns } = all;
      estimateAdvantages({ rewards, values, ended, lastValues, advantages, returns }, AHEAD);
      standardise(advantages);
      return all;
    },
  };

  /** Scores around the policy's, and the weights they make, into `drawn` and `wanted`; their log-likelihood but for a constant. */
  function draw(scores: Float32Array, logStd: number, k: number, at: number, random: Random): number {
    const deviation = Math.exp(logStd);
    let likelihood = 0;
    let top = -Infinity;
    for (let i = 0; i < columns; i++) {
      const mean = scores[k * columns + i];
      const isOpen = i === 0 || now.mask[k * assets + i - 1] === 1;
      // What cannot be held draws nothing; its score lies so far below that its weight is none.
      all.drawn[at * columns + i] = isOpen ? mean + deviation * normal(random) : mean;
      const score = all.drawn[at * columns + i];
      if (isOpen) likelihood -= 0.5 * ((score - mean) / deviation) ** 2 + logStd;
      wanted[i] = isOpen ? score : -Infinity;
      top = Math.max(top, wanted[i]);
    }
    let total = 0;
    for (let i = 0; i < columns; i++) total += wanted[i] = Math.exp(wanted[i] - top);
    for (let i = 0; i < columns; i++) wanted[i] /= total;
    return likelihood;
  }
}

function relativesAfter({ returns }: AllocatorData, row: number, relatives: Float64Array): void {
  for (const [i, column] of returns.entries())
    relatives[1 + i] = Number.isFinite(column[row + 1]) ? 1 + column[row + 1] : 1;
}

/** Growth over a bar of equal weights in what can be held. */
function evenGrowth(relatives: Float64Array, mask: Float32Array, at: number): number {
  let [sum, count] = [0, 0];
  for (let i = 1; i < relatives.length; i++)
    if (mask[at + i - 1] === 1) {
      sum += relatives[i];
      count++;
    }
  return count === 0 ? 1 : sum / count;
}

/** Root mean square of single assets' returns on the rows that are learned from: rewards come in units of it. */
function rewardUnit({ returns }: AllocatorData, rows: readonly number[]): number {
  let [sum, count] = [0, 0];
  for (const column of returns)
    for (const row of rows)
      if (Number.isFinite(column[row + 1])) {
        sum += column[row + 1] ** 2;
        count++;
      }
  return Math.sqrt(sum / count) || 1;
}

function standardise(values: Float32Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) / (spread + 1e-8);
}
