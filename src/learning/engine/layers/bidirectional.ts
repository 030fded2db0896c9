import type { Declare, Layer } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { lstm } from './lstm.ts';

/**
 * Two LSTMs over the same steps, one backwards, their outputs joined to [2 hidden, batch] a step. Only for
 * windows that lie wholly in the past of the decision: every output sees the whole window.
 */
export function bidirectionalLstm(
  declare: Declare,
  name: string,
  sizes: { readonly inputs: number; readonly hidden: number },
): Layer<readonly Tensor[], readonly Tensor[]> {
  const forwards = lstm(declare, name, sizes);
  const backwards = lstm(declare, `${name}.reverse`, sizes);
  return (pass, steps) => {
    const ahead = forwards(pass, { steps }).steps;
    const back = [...backwards(pass, { steps: [...steps].reverse() }).steps].reverse();
    return ahead.map((step, t) => tf.concat([step, back[t]], 0));
  };
}
