import { describe, expect, it } from 'vitest';
import { lstm } from '../../src/engine/layers/lstm.ts';
import { tf } from '../../src/engine/tf.ts';
import { distance, golden, goldenPresent, numbersAt, runLayer } from './golden.ts';

const values = golden('layers.json');
const [B, T, I, H] = [2, 5, 3, 4];

describe.skipIf(!goldenPresent)('layers against PyTorch (needs ../shared/golden/nn)', () => {
  it('an LSTM gives PyTorch output, loss and gradients', async () => {
    const run = await runLayer(
      (declare) => {
        const layer = lstm(declare, 'lstm', { inputs: I, hidden: H });
        return (pass, { x }) => {
          const { steps } = layer(pass, { steps: tf.unstack(tf.transpose(x, [1, 2, 0])) });
          return tf.transpose(tf.stack([...steps]), [2, 0, 1]);
        };
      },
      { rows: B, inputs: { x: { shape: [B, T, I], phase: 0.5 } } },
    );
    expect(distance(run.output, numbersAt(values, 'lstm', 'out'))).toBeLessThan(1e-5);
    expect(distance([run.loss], numbersAt(values, 'lstm', 'loss'))).toBeLessThan(1e-5);
    expect(distance(run.gradient('x'), numbersAt(values, 'lstm', 'dx'))).toBeLessThan(1e-5);
    expect(distance(run.gradient('lstm.weight_ih_l0'), numbersAt(values, 'lstm', 'dparam0'))).toBeLessThan(
      1e-5,
    );
  });
});
