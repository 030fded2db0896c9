import { describe, expect, it } from 'vitest';
import { interpretableAttention, multiHeadAttention } from '../../../src/learning/engine/layers/attention.ts';
import { bidirectionalLstm } from '../../../src/learning/engine/layers/bidirectional.ts';
import { averagePool1d, causalConv1d, maxPool1d } from '../../../src/learning/engine/layers/conv1d.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { embedding } from '../../../src/learning/engine/layers/embedding.ts';
import { gatedResidual, variableSelection } from '../../../src/learning/engine/layers/gated.ts';
import { graphAttention } from '../../../src/learning/engine/layers/graph-attention.ts';
import { gru } from '../../../src/learning/engine/layers/gru.ts';
import { layerNorm } from '../../../src/learning/engine/layers/layer-norm.ts';
import { lstm } from '../../../src/learning/engine/layers/lstm.ts';
import { fromSteps, toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { tf } from '../../../src/learning/engine/tf.ts';
import { distance, fill, golden, numbersAt, runCompiled, runLayer } from './golden.ts';

const values = golden('layers.json');
const [B, T, I, H] = [2, 5, 3, 4];

/** Compares what PyTorch stored under `key` with a run of the compiled layer. */
function agree(
  key: string,
  run: Awaited<ReturnType<typeof runLayer>>,
  gradients: Readonly<Record<string, string>>,
): void {
  const at = (name: string): number[] => numbersAt(values, key, name);
  expect(distance(run.output, at('out'))).toBeLessThan(1e-5);
  for (const [name, stored] of Object.entries(gradients))
    expect(distance(run.gradient(name), at(stored)), `gradient of ${name}`).toBeLessThan(1e-5);
}

describe('layers against PyTorch', () => {
  const sequence = { rows: B, inputs: { x: { shape: [B, T, I], phase: 0.5 } } };

  it('LSTM', async () => {
    const run = await runLayer((declare) => {
      const layer = lstm(declare, 'lstm', { inputs: I, hidden: H });
      return (pass, { x }) => fromSteps(layer(pass, { steps: toSteps(x) }).steps);
    }, sequence);
    agree('lstm', run, { x: 'dx', 'lstm.weight_ih_l0': 'dparam0' });
    expect(distance([run.loss], numbersAt(values, 'lstm', 'loss'))).toBeLessThan(1e-5);
  });

  it('GRU', async () => {
    const run = await runLayer((declare) => {
      const layer = gru(declare, 'gru', { inputs: I, hidden: H });
      return (pass, { x }) => fromSteps(layer(pass, { steps: toSteps(x) }));
    }, sequence);
    agree('gru', run, { x: 'dx', 'gru.weight_ih_l0': 'dparam0' });
    expect(distance([run.loss], numbersAt(values, 'gru', 'loss'))).toBeLessThan(1e-5);
  });

  it('bidirectional LSTM', async () => {
    const run = await runLayer((declare) => {
      const layer = bidirectionalLstm(declare, 'both', { inputs: I, hidden: H });
      return (pass, { x }) => fromSteps(layer(pass, toSteps(x)));
    }, sequence);
    agree('bilstm', run, { x: 'dx', 'both.weight_ih_l0': 'dparam0' });
  });

  it('two stacked LSTMs', async () => {
    const run = await runLayer((declare) => {
      const [lower, upper] = [
        lstm(declare, 'lower', { inputs: I, hidden: H }),
        lstm(declare, 'upper', { inputs: H, hidden: H }),
      ];
      return (pass, { x }) => fromSteps(upper(pass, lower(pass, { steps: toSteps(x) })).steps);
    }, sequence);
    agree('lstm2', run, { x: 'dx', 'lower.weight_ih_l0': 'dparam0' });
  });

  it('layer norm', async () => {
    const run = await runLayer(
      (declare) => {
        const layer = layerNorm(declare, 'norm', { size: H });
        return (pass, { x }) => layer(pass, x);
      },
      { base: 0.3, rows: B, inputs: { x: { shape: [B, T, H], phase: 0.2 } } },
    );
    agree('layernorm_eps1e-5', run, { x: 'dx' });
  });

  it('causal convolution', async () => {
    const run = await runLayer(
      (declare) => {
        const layer = causalConv1d(declare, 'conv', { inputs: I, outputs: H, width: 3 });
        return (pass, { x }) => tf.transpose(layer(pass, tf.transpose(x, [0, 2, 1])), [0, 2, 1]);
      },
      { base: 0.1, rows: B, inputs: { x: { shape: [B, I, 7], phase: 0.4 } } },
    );
    agree('conv1d_causal_k3', run, { x: 'dx', 'conv.weight': 'dw' });
  });

  it('causal multi-head attention', async () => {
    const build =
      (part: 'output' | 'weights'): Parameters<typeof runLayer>[0] =>
      (declare) => {
        const layer = multiHeadAttention(declare, 'attention', { size: H, heads: 2, causal: true });
        return (pass, { x }) => layer(pass, x)[part];
      };
    const settings = { base: 0.2, rows: B, inputs: { x: { shape: [B, T, H], phase: 0.6 } } };
    agree('mha_2head_causal', await runLayer(build('output'), settings), { x: 'dx' });
    const { output } = await runLayer(build('weights'), settings);
    expect(distance(output, numbersAt(values, 'mha_2head_causal', 'attn'))).toBeLessThan(1e-5);
  });

  it('interpretable attention with one shared value', async () => {
    const key = 'interpretable_mha_2head_causal_sharedV';
    // The golden file fills each head's [4, 2] map on its own; the layer holds their transposes in one matrix.
    const columns = [0, 0.1, 0.5, 0.6, 1.1].map((phase) => transposed(fill([H, 2], phase), H, 2));
    const projection = transposed(fill([2, H], 1.3), 2, H);
    for (const queries of [T, 2]) {
      const run = await runLayer(
        (declare) => {
          const layer = interpretableAttention(declare, 'attention', { size: H, heads: 2 });
          const at = Array.from({ length: queries }, (_, i) => T - queries + i);
          return (pass, { x }) => layer(pass, { x, at }).output;
        },
        {
          rows: B,
          parameters: [Float32Array.from(columns.flatMap((part) => [...part])), projection],
          inputs: { x: { shape: [B, T, H], phase: 0.8 } },
        },
      );
      const all = numbersAt(values, key, 'out');
      const last = [0, 1].flatMap((b) => all.slice((b * T + T - queries) * H, (b + 1) * T * H));
      expect(distance(run.output, last)).toBeLessThan(1e-5);
      if (queries === T) agree(key, run, { x: 'dx' });
    }
  });

  it('graph attention', async () => {
    const edges = Float32Array.from(numbersAt(values, 'gat_1head_leaky0.2_elu', 'adj'));
    const run = await runLayer(
      (declare) => {
        const layer = graphAttention(declare, 'graph', { inputs: 3, outputs: 2 });
        return (pass, { x }) => layer(pass, { x, edges: tf.tensor(edges, [4, 4]) }).output;
      },
      { phases: [0.2, 0.3, 0.4], rows: 4, inputs: { x: { shape: [4, 3], phase: 0.1 } } },
    );
    agree('gat_1head_leaky0.2_elu', run, { x: 'dX' });
  });

  it('gated residual network with context', async () => {
    const run = await runLayer(
      (declare) => {
        const layer = gatedResidual(declare, 'grn', { inputs: H, hidden: H, context: H });
        return (pass, { x }) => layer(pass, { x, context: tf.tensor(fill([B, H], 0.9), [B, H]) });
      },
      { rows: B, inputs: { x: { shape: [B, H], phase: 0.5 } } },
    );
    agree('grn_ctx_eps1e-3', run, { x: 'dx' });
  });

  it('variable selection', async () => {
    const run = await runLayer(
      (declare) => {
        const layer = variableSelection(declare, 'vsn', { variables: 3, hidden: H, context: H });
        return (pass, { x }) => {
          // A vector is the number 1 times the vector: one row after the other.
          const one = { values: tf.ones([1, 3]), biases: tf.zeros([3, H]) };
          const contexts = tf.unstack(tf.tensor(fill([B, H], 0.7), [B, H]));
          const rows = tf.unstack(x).map((vectors, row) => {
            const context = tf.reshape(contexts[row], [1, H]);
            return layer(pass, { variables: { ...one, vectors }, context }).output;
          });
          return tf.concat(rows, 0);
        };
      },
      { rows: B, inputs: { x: { shape: [B, 3, H], phase: 0.2 } } },
    );
    agree('vsn_3vars_eps1e-3', run, { x: 'dx' });
  });
});

it('causal attention in blocks of queries is the attention of one block, gradient included', async () => {
  const rowsKept = 93; // one block alone; the first and half of the second of the 150 steps
  const run = (time: number) =>
    runLayer(
      (declare) => {
        const layer = multiHeadAttention(declare, 'attention', { size: H, heads: 2, causal: true });
        return (pass, { x }) => tf.slice(layer(pass, x).output, 0, [1, rowsKept, H]);
      },
      { base: 0.2, rows: 1, inputs: { x: { shape: [1, time, H], phase: 0.6 } } },
    );
  const [whole, part] = [await run(150), await run(rowsKept)];
  expect(distance(whole.output, part.output)).toBeLessThan(1e-6);
  for (const name of ['attention.in_proj_weight', 'attention.in_proj_bias', 'attention.out_proj.weight'])
    expect(distance(whole.gradient(name), part.gradient(name)), name).toBeLessThan(1e-5);
  const [dx, expected] = [whole.gradient('x'), part.gradient('x')];
  expect(distance(dx.slice(0, rowsKept * H), expected.slice(0, rowsKept * H))).toBeLessThan(1e-6);
  expect(dx.slice(rowsKept * H, 150 * H).every((value) => value === 0)).toBe(true);
});

it('pooling takes whole windows counted from the newest step', async () => {
  const x = { shape: [1, 5, 1], values: Float32Array.of(9, 1, 4, 3, 2) };
  const found = await runCompiled({ x }, (inputs) => ({
    max: maxPool1d(inputs.x, 2),
    mean: averagePool1d(inputs.x, 2),
  }));
  expect([...found.max]).toEqual([4, 3]);
  expect([...found.mean]).toEqual([2.5, 2.5]);
});

it('an embedding gives the rows of its classes, and each row collects the gradients of its uses', async () => {
  const run = await runLayer(
    (declare) => {
      const layer = embedding(declare, 'symbol', { classes: 3, size: 2 });
      return (pass, { x }) => tf.add(layer(pass, tf.tensor1d([2, 0, 2], 'int32')), tf.mul(x, 0));
    },
    { rows: 3, inputs: { x: { shape: [3, 2], phase: 0 } } },
  );
  const table = fill([3, 2]);
  expect([...run.output]).toEqual([4, 5, 0, 1, 4, 5].map((at) => table[at]));
  const weight = (k: number): number => Math.cos(0.13 * k);
  const expected = [weight(2), weight(3), 0, 0, weight(0) + weight(4), weight(1) + weight(5)];
  expect(distance(run.gradient('symbol.weight'), expected)).toBeLessThan(1e-6);
});

it('an error in a layer names the operation and the layer', async () => {
  await expect(
    runLayer(
      (declare) => {
        const layer = dense(declare, 'head', { inputs: 4, outputs: 1 });
        return (pass, { x }) => layer(pass, x);
      },
      { rows: 2, inputs: { x: { shape: [2, 3], phase: 0 } } },
    ),
  ).rejects.toThrow(
    'In network "golden": In dense "head": TF.js kernel "BatchMatMul" of [2, 3] and [1, 4]: inner sizes 3 and 4 differ',
  );
});

const transposed = (x: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: x.length }, (_, k) => x[(k % rows) * columns + Math.floor(k / rows)]);
