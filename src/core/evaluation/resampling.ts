import { fromBase64 } from '../foundation/base64.ts';
import type { Random } from '../foundation/random.ts';
import { KERNEL_CODE } from './resampling-code.ts';

/** See kernels/resampling.ts; addresses in bytes. */
type Draw = (
  values: number,
  places: number,
  draws: number,
  resamples: number,
  seedHigh: number,
  seedLow: number,
  sums: number,
) => void;

interface Draws {
  /** Places that are drawn for each resample, with replacement. */
  readonly draws: number;
  readonly resamples: number;
  /** Gives two numbers, from which all places follow. */
  readonly random: Random;
}

const PAGE_BYTES = 65_536;
let started:
  | {
      readonly exports: Record<'drawPairs' | 'drawSingles', Draw>;
      readonly memory: WebAssembly.Memory<ArrayBuffer>;
    }
  | undefined;

/** Of each resample the sums of x, of y, of their squares and of their product, five numbers each. */
export function drawPairs(x: Float64Array, y: Float64Array, options: Draws): Float64Array {
  return draw('drawPairs', { places: x.length, columns: [x, y], sums: 5 }, options);
}

/** Of each resample the sums of x and of its squares. */
export function drawSingles(x: Float64Array, options: Draws): Float64Array {
  return draw('drawSingles', { places: x.length, columns: [x], sums: 2 }, options);
}

function draw(
  name: 'drawPairs' | 'drawSingles',
  of: { readonly places: number; readonly columns: readonly Float64Array[]; readonly sums: number },
  { draws, resamples, random }: Draws,
): Float64Array {
  const { places, columns } = of;
  const at = columns.length * places;
  const end = at + of.sums * resamples;
  const { exports, memory } = (started ??= start());
  const missing = Math.ceil((8 * end - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
  const numbers = new Float64Array(memory.buffer);
  columns.forEach((column, c) => {
    for (let i = 0; i < places; i++) numbers[columns.length * i + c] = column[i];
  });
  const bits = (): number => Math.floor(random() * 2 ** 32);
  exports[name](0, places, draws, resamples, bits(), bits(), 8 * at);
  return numbers.slice(at, end);
}

function start(): NonNullable<typeof started> {
  const memory = new WebAssembly.Memory<ArrayBuffer>({ initial: 1 });
  const compiled = new WebAssembly.Module(fromBase64(KERNEL_CODE));
  const { exports } = new WebAssembly.Instance<NonNullable<typeof started>['exports']>(compiled, {
    env: { memory },
  });
  return { exports, memory };
}
