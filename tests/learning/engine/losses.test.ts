import { describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  crossEntropy,
  quantileLoss,
  smoothL1,
} from '../../../src/learning/engine/losses.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { distance, fill, golden, numbersAt, runCompiled } from './golden.ts';

const values = golden('layers.json');
const vector = (phase: number, scale = 1) => ({
  shape: [6],
  values: fill([6], phase).map((value) => scale * value),
});

describe('losses against PyTorch', () => {
  it('quantile loss and its gradient', async () => {
    const found = await runCompiled(
      { p: { shape: [6, 3], values: fill([6, 3], 0.9) }, y: { shape: [6, 1], values: fill([6], 0.3) } },
      ({ p, y }) => {
        const of = tf.valueAndGrad((forecast: Tensor) => quantileLoss(forecast, y, [0.1, 0.5, 0.9]));
        const { value, grad } = of(p);
        return { loss: value, dp: grad };
      },
    );
    const key = 'quantile_loss_q.1_.5_.9_sum_over_q_mean_over_n';
    expect(distance(found.loss, numbersAt(values, key, 'loss'))).toBeLessThan(1e-6);
    expect(distance(found.dp, numbersAt(values, key, 'dp'))).toBeLessThan(1e-6);
  });

  it('smooth L1, binary and three-class cross-entropy', async () => {
    const found = await runCompiled(
      {
        z: vector(0.9, 4),
        y: vector(0.3),
        logits: { shape: [5, 3], values: fill([5, 3], 0.2).map((value) => 3 * value) },
        classes: { shape: [5], values: Int32Array.of(0, 2, 1, 1, 0) },
      },
      ({ z, y, logits, classes }) => ({
        smooth: smoothL1(z, y),
        binary: binaryCrossEntropy(z, tf.cast(tf.greater(y, 0), 'float32')),
        three: crossEntropy(logits, classes),
        // Equal weights change nothing.
        weighted: crossEntropy(logits, classes, [2, 2, 2]),
      }),
    );
    expect(distance(found.smooth, numbersAt(values, 'smooth_l1_beta1_x4'))).toBeLessThan(1e-6);
    expect(distance(found.binary, numbersAt(values, 'bce_logits'))).toBeLessThan(1e-6);
    expect(distance(found.three, numbersAt(values, 'cross_entropy_3class'))).toBeLessThan(1e-6);
    expect(distance(found.weighted, found.three)).toBeLessThan(1e-6);
  });

  it('the clipped policy loss of PPO and its gradients', async () => {
    const key = 'ppo_loss_sb3_clip.2_ent.01_vf.5';
    const actions = Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1);
    const scaled = (phase: number) => ({
      shape: [8, 3],
      values: fill([8, 3], phase).map((value) => 4 * value),
    });
    const found = await runCompiled(
      {
        logits: scaled(0.4),
        old: scaled(0.1),
        value: { shape: [8], values: fill([8], 0.05) },
        advantage: { shape: [8], values: fill([8], 0.7) },
        returns: { shape: [8], values: fill([8], 1.7) },
        actions: { shape: [8], values: actions },
      },
      ({ logits, old, value, advantage, returns, actions }) => {
        const chosen = tf.cast(tf.oneHot(actions as never, 3), 'float32');
        const logOf = (scores: Tensor): Tensor => tf.sum(tf.mul(tf.logSoftmax(scores), chosen), 1);
        const centred = tf.sub(advantage, tf.mean(advantage));
        const deviation = tf.sqrt(tf.div(tf.sum(tf.square(centred)), 7));
        const normalised = tf.div(centred, tf.add(deviation, 1e-8));
        const loss = (scores: Tensor, critic: Tensor): Tensor => {
          const ratio = tf.exp(tf.sub(logOf(scores), logOf(old)));
          const clipped = tf.clipByValue(ratio, 0.8, 1.2);
          const policy = tf.mean(tf.minimum(tf.mul(normalised, ratio), tf.mul(normalised, clipped)));
          const log = tf.logSoftmax(scores);
          const entropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.exp(log), log), 1)));
          const error = tf.mean(tf.square(tf.sub(returns, critic)));
          return tf.sub(tf.sub(tf.mul(error, 0.5), policy), tf.mul(entropy, 0.01));
        };
        const { value: total, grads } = tf.valueAndGrads((a: Tensor, b: Tensor) => loss(a, b) as never)([
          logits,
          value,
        ]);
        return { total, dlogits: grads[0], dval: grads[1] };
      },
    );
    expect(distance(found.total, numbersAt(values, key, 'loss'))).toBeLessThan(1e-6);
    expect(distance(found.dlogits, numbersAt(values, key, 'dlogits'))).toBeLessThan(1e-6);
    expect(distance(found.dval, numbersAt(values, key, 'dval'))).toBeLessThan(1e-6);
  });

  it.each(['first', 'second'])('meta-gradients of MAML, %s order', async (order) => {
    const shapes = [[1, 8], [8], [8, 1], [1]];
    const inputs = Object.fromEntries(
      shapes.map((shape, i) => [`p${i}`, { shape, values: fill(shape, 0.1 * (i + 1)) }]),
    );
    const line = (from: number): Float32Array => Float32Array.from({ length: 5 }, (_, i) => from + 2 * i);
    const found = await runCompiled(inputs, (tensors) => {
      const task = (x: Float32Array) => ({
        x: tf.tensor2d(x, [5, 1]),
        y: tf.tensor2d(
          x.map((value) => 2 * Math.sin(value - 1)),
          [5, 1],
        ),
      });
      const [a, b] = [task(line(-4)), task(line(-3.5))];
      const loss = (p: readonly Tensor[], { x, y }: ReturnType<typeof task>): Tensor => {
        const hidden = tf.tanh(tf.add(tf.matMul(x, p[0]), p[1]));
        return tf.mean(tf.square(tf.sub(tf.add(tf.matMul(hidden, p[2]), p[3]), y)));
      };
      const parameters = shapes.map((_, i) => tensors[`p${i}`]);
      const inner = (p: readonly Tensor[]) => tf.grads((...q: Tensor[]) => loss(q, a))([...p]);
      // First order: the inner gradient counts as a constant.
      const constant = order === 'first' ? inner(parameters) : undefined;
      const outer = (...p: Tensor[]): Tensor => {
        const gradients = constant ?? inner(p);
        return loss(
          p.map((value, i) => tf.sub(value, tf.mul(gradients[i], 0.01))),
          b,
        );
      };
      const { value, grads } = tf.valueAndGrads(outer)(parameters);
      return { inner: loss(parameters, a), outer: value, w1: grads[0], b2: grads[3] };
    });
    const key = `maml_${order}_order_alpha.01`;
    expect(distance(found.inner, numbersAt(values, key, 'inner'))).toBeLessThan(1e-5);
    expect(distance(found.outer, numbersAt(values, key, 'outer'))).toBeLessThan(1e-5);
    expect(distance(found.w1, numbersAt(values, key, 'metagrad_W1'))).toBeLessThan(1e-5);
    expect(distance(found.b2, numbersAt(values, key, 'metagrad_b2'))).toBeLessThan(1e-5);
  });
});
