import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPass, unflatten } from '../../../../src/learning/engine/program.ts';
import { tf } from '../../../../src/learning/engine/tf.ts';
import { tftNetwork } from '../../../../src/learning/models/tft/network.ts';
import { distance, fill, golden, runCompiled } from '../../engine/golden.ts';

const Golden = z.object({
  config: z.object({ static_ids: z.array(z.number()) }),
  params: z.array(z.tuple([z.string(), z.array(z.number())])),
  out: z.array(z.number()),
  quantile_loss_sum: z.number(),
  grad_norm: z.number(),
  grad_sq_by_param: z.record(z.string(), z.number().nullable()),
});

/** NVIDIA wraps LayerNorm in a module of its own. */
const ourName = (name: string): string => name.replace('layer_norm.ln.', 'layer_norm.');

describe("the Temporal Fusion Transformer beside NVIDIA's in PyTorch", async () => {
  const expected = Golden.parse(golden('tft_forward.json'));
  const found = await compiled(expected);

  it('has the same outputs', () => {
    expect(distance(found.output, expected.out)).toBeLessThan(1e-5);
  });

  it('has the same quantile loss', () => {
    expect(found.loss).toBeCloseTo(expected.quantile_loss_sum, 5);
  });

  it('has the same gradient norm, and the same for every parameter', () => {
    const norm = Math.sqrt(found.squares.reduce((sum, [, square]) => sum + square, 0));
    expect(norm / expected.grad_norm).toBeCloseTo(1, 4);
    for (const [name, square] of found.squares) {
      const wanted = expected.grad_sq_by_param[name] ?? NaN;
      expect(Math.abs(square - wanted), name).toBeLessThan(1e-4 * wanted + 1e-9);
    }
  });
});

async function compiled({ config, params }: z.output<typeof Golden>) {
  const [rows, encoder, total, bars] = [2, 6, 9, 3];
  const network = tftNetwork({
    hidden: 8,
    heads: 2,
    dropout: 0,
    lookBack: encoder,
    futureBars: bars,
    outputBars: [1, 2, 3],
    outputsPerBar: 3,
    observedInputs: 3,
    knownInputs: 2,
    symbols: 3,
  });
  const phases = new Map(params.map(([name], i) => [ourName(name), { name, phase: 0.11 * i }]));
  const filled = network.parameters.map(({ name, shape }) => fill(shape, phases.get(name)?.phase ?? NaN));
  const flat = Float32Array.from(filled.flatMap((values) => [...values]));
  const observed = joined(fill([rows, total, 2], 0.6), 2, fill([rows, total, 1], 0.9), 1, {
    rows,
    total,
    encoder,
  });
  const results = await runCompiled(
    {
      observed: { shape: [rows, encoder, 3], values: observed },
      known: { shape: [rows, total, 2], values: fill([rows, total, 2], 0.3) },
      symbol: { shape: [rows], values: Int32Array.from(config.static_ids) },
      future: { shape: [rows, bars, 1], values: fill([rows, bars, 1], 1.5) },
      flat: { shape: [flat.length], values: flat },
    },
    ({ flat: parameters, future, ...inputs }) => {
      const outputOf = (values: typeof parameters) => {
        const none = { input: () => tf.scalar(0), random: () => tf.scalar(0) };
        const where = { training: false, rows, firstRow: 0, stepOffset: 0 };
        const pass = createPass(none, { ...where, values: unflatten(network.parameters, values) });
        return tf.reshape(network.forward(pass, inputs).output, [rows, bars, 3]);
      };
      const { value, grads } = tf.valueAndGrads((values) => {
        const error = tf.sub(future, outputOf(values));
        const levels = tf.tensor([0.1, 0.5, 0.9]);
        const losses = tf.maximum(tf.mul(error, levels), tf.mul(error, tf.sub(levels, 1)));
        return tf.reshape(tf.sum(tf.mean(losses, [0, 1])), []);
      })([parameters]);
      return { output: outputOf(parameters), loss: value, gradient: grads[0] };
    },
  );
  let offset = 0;
  const squares = network.parameters.map(({ name }, i): [string, number] => {
    const part = results.gradient.subarray(offset, (offset += filled[i].length));
    return [phases.get(name)?.name ?? name, part.reduce((sum, value) => sum + value * value, 0)];
  });
  return { output: results.output, loss: results.loss[0], squares };
}

/** Two inputs side by side, the first `encoder` of `total` steps. */
function joined(
  a: Float32Array,
  aWidth: number,
  b: Float32Array,
  bWidth: number,
  { rows, total, encoder }: { readonly rows: number; readonly total: number; readonly encoder: number },
): Float32Array {
  const values: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let t = 0; t < encoder; t++) {
      const at = row * total + t;
      values.push(
        ...a.subarray(at * aWidth, (at + 1) * aWidth),
        ...b.subarray(at * bWidth, (at + 1) * bWidth),
      );
    }
  return Float32Array.from(values);
}
