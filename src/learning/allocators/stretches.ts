import { UserError } from '../../core/foundation/errors.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import { decidableRows } from './data.ts';
import type { LearnedId } from './params.ts';
import type { LearnTask } from './state.ts';

/** The rows that can be learned from, and how many consecutive ones make a step. Throws `UserError` when there are too few. */
export function stretchesOf({ data, lastRow, params }: LearnTask): {
  readonly rows: readonly number[];
  readonly bars: number;
} {
  const rows = decidableRows(data, params.lookback, lastRow);
  const bars = Math.min(params.bars, rows.length);
  if (bars >= 8) return { rows, bars };
  throw new UserError(
    `There are ${rows.length} days to learn from, and a window takes ${params.lookback}: expected 8 or more.`,
    { hint: 'Fetch more history.' },
  );
}

/** Where a stretch begins, drawn from the seed and a name of its own alone, so that a resumed run draws the same. */
export function firstOf(rows: readonly number[], bars: number, seed: number, name: string): number {
  const random = createRandom(deriveSeed(seed, name));
  // Recent stretches are drawn more often: a geometric distribution from the end, as the paper's.
  const last = rows.length - bars;
  const back = Math.floor(Math.log(1 - random()) / Math.log(1 - Math.min(0.9, 2 / Math.max(2, last))));
  return Math.max(0, last - (back % (last + 1)));
}

/** The portfolio vector memory that training starts or goes on with, [rows, 1 + assets]; empty for `deep`. */
export function memoryOf(id: LearnedId, { data, from }: LearnTask): Float32Array {
  const columns = 1 + data.symbols.length;
  const even =
    id === 'deep' ? new Float32Array(0) : new Float32Array(data.time.length * columns).fill(1 / columns);
  if (from === undefined) return even;
  if (from.memory.length === even.length) return Float32Array.from(from.memory);
  throw new UserError('The training that is to go on saw other days or assets than these.', {
    hint: 'Give it the same --until and --symbols, or train anew without --resume.',
  });
}
