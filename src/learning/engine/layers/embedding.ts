import { gaussian } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { tf } from '../tf.ts';

/** A learned row for each class: int32 indices [...] to [..., size]. N(0, 1) as torch.nn.Embedding. */
export function embedding(
  declare: Declare,
  name: string,
  { classes, size }: { readonly classes: number; readonly size: number },
): Layer {
  const weight = within(declare, name)('weight', [classes, size], gaussian(1));
  return named(`embedding "${name}"`, (pass, indices) =>
    tf.gather(pass.value(weight), tf.cast(indices, 'int32')),
  );
}
