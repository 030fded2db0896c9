import type { Network } from '../../engine/network.ts';
import type { BatchSpec } from '../../engine/program.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Loss } from '../../engine/trainer.ts';
import { lossUnder, untaped, valuesOf } from './inner-loop.ts';

/**
 * Averaged gradient episodic memory (Chaudhry, Ranzato, Rohrbach & Elhoseiny 2019, eq. 11): where a step would raise the
 * loss of remembered examples, its gradient is projected until it does not. The batch also has `memory.<input>` for every
 * input, as many rows. Random layers are off.
 */
export function projectedLoss(
  network: Pick<Network, 'parameters'>,
  loss: Loss,
  batch: BatchSpec,
): { readonly loss: Loss; readonly batch: BatchSpec } {
  const remembered = Object.entries(batch).map(([name, spec]) => [`memory.${name}`, spec] as const);
  return {
    batch: { ...batch, ...Object.fromEntries(remembered) },
    loss(pass, given) {
      const start = valuesOf(pass, network.parameters);
      const names = Object.keys(batch);
      const pick = (prefix: string): Record<string, Tensor> =>
        Object.fromEntries(names.map((name) => [name, given[prefix + name]]));
      const values = [...start.values()];
      const gradientOf = (rows: Record<string, Tensor>): Tensor[] =>
        tf.grads((...moved: Tensor[]) =>
          tf.reshape(
            lossUnder(pass, new Map([...start.keys()].map((p, i) => [p, moved[i]])), rows, loss),
            [],
          ),
        )(values);
      const { gradient, figure } = untaped(() => {
        const [own, memory] = [gradientOf(pick('')), gradientOf(pick('memory.'))];
        const dot = inner(own, memory);
        // Nothing is taken away where both point the same way.
        const share = tf.div(tf.minimum(dot, 0), tf.maximum(inner(memory, memory), 1e-20));
        return {
          gradient: own.map((one, i) => tf.sub(one, tf.mul(memory[i], share))),
          figure: lossUnder(pass, start, pick(''), loss),
        };
      });
      // A linear function with that gradient, and the loss as its value.
      const slope = inner(gradient, values);
      return tf.add(
        figure,
        tf.sub(
          slope,
          untaped(() => tf.add(slope, 0)),
        ),
      );
    },
  };
}

const inner = (a: readonly Tensor[], b: readonly Tensor[]): Tensor =>
  tf.addN(a.map((one, i) => tf.sum(tf.mul(one, b[i]))));
