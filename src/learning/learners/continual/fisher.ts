import { createExecutor } from '../../engine/executor.ts';
import type { Network } from '../../engine/network.ts';
import type { BatchSpec, Feeds } from '../../engine/program.ts';
import { gradientProgram } from '../../engine/train-program.ts';
import type { Loss } from '../../engine/trainer.ts';
import { parameterCount } from '../../engine/weights.ts';

/**
 * The diagonal of the Fisher information: the mean over examples of the squared gradient of each one's loss, which must be
 * a negative log likelihood. With the labels that were seen it is the empirical Fisher, with labels drawn from what the
 * network itself states the true one (Kunstner, Balles & Hennig 2019): that is up to `row`, which gives the feeds of an
 * example, one row. Throws `signal.reason` when aborted.
 */
export async function fisherDiagonal(
  problem: {
    readonly network: Pick<Network, 'name' | 'parameters'>;
    readonly loss: Loss;
    readonly batch: BatchSpec;
  },
  parameters: Float32Array,
  {
    count,
    rows = 1,
    row,
    signal,
  }: {
    readonly count: number;
    readonly rows?: number;
    readonly row: (i: number) => Feeds;
    readonly signal?: AbortSignal;
  },
): Promise<Float32Array> {
  const { network, loss, batch } = problem;
  const one = Object.fromEntries(
    Object.entries(batch).map(([name, { shape, type }]) => [
      name,
      { shape: [rows, ...shape.slice(1)], type },
    ]),
  );
  // Random layers off: the network that is kept is the one without them.
  const plain: Loss = (pass, given) => loss({ ...pass, training: false }, given);
  const program = gradientProgram({ network, loss: plain, batch: one });
  const executor = await createExecutor(program);
  try {
    const size = parameterCount(network.parameters);
    const gradient = new Float32Array(size);
    const results = { gradient, figures: new Float32Array(1 + program.metrics().length) };
    const sums = new Float64Array(size);
    for (let i = 0; i < count; i++) {
      signal?.throwIfAborted();
      const feeds = Object.entries(row(i)).map(([name, values]) => [`batch.${name}`, values] as const);
      await executor.run({ ...Object.fromEntries(feeds), parameters }, results, () => new Float32Array());
      for (let k = 0; k < size; k++) sums[k] += gradient[k] * gradient[k];
    }
    return Float32Array.from(sums, (sum) => sum / count);
  } finally {
    await executor.release();
  }
}
