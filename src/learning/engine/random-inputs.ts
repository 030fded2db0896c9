import { createRandom, deriveSeed, fillMask, normal } from '../../core/foundation/random.ts';
import { sizeOf } from './onnx/graph.ts';

/**
 * A random tensor of a step. It is an input, filled here from (seed, step, row), and not an ONNX random
 * node: such a node keeps its generator inside the session, where no checkpoint can store it.
 */
export interface RandomInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'mask' | 'uniform' | 'normal';
  /** Share of ones in a mask, to 1/65536. */
  readonly keep: number;
  /** Which of the step's random tensors this is. */
  readonly stream: number;
  /** Steps after the first one of an unrolled run. */
  readonly stepOffset: number;
  /** Rows of the batch that it serves. */
  readonly firstRow: number;
  readonly rows: number;
}

/** Fills `values` for the run that starts at `step`: a row's numbers do not depend on who computes it. */
export function fillRandom(
  input: RandomInput,
  values: Float32Array | Uint8Array,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const perRow = sizeOf(input.shape) / input.rows;
  const stepSeed = deriveSeed(deriveSeed(seed, `random.${input.stream}`), String(step + input.stepOffset));
  const threshold = Math.round(input.keep * 65536);
  for (let row = 0; row < input.rows; row++) {
    const rowSeed = stepSeed + Math.imul(input.firstRow + row, 0x9e3779b1);
    const [from, until] = [row * perRow, (row + 1) * perRow];
    if (input.kind === 'mask') {
      fillMask(values, { from, until, seed: rowSeed, threshold });
      continue;
    }
    const random = createRandom(rowSeed);
    const draw = input.kind === 'normal' ? () => normal(random) : random;
    for (let i = from; i < until; i++) values[i] = draw();
  }
}
