import type { Panel } from '../../../core/dataset/panel.ts';
import { labelEndMs } from '../../../core/dataset/labels.ts';
import { REGIMES, regimesOf } from '../../../core/evaluation/breakdown.ts';
import { createRandom, deriveSeed, shuffle } from '../../../core/foundation/random.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createMemory, type Memory } from '../continual/memory.ts';
import type { Examples } from './examples.ts';
import type { SeriesInputs } from './inputs.ts';

/** Training windows in two parts: what an earlier fit has learned, and what is new. Numbers of groups of examples. */
export interface Rehearsal {
  readonly fresh: Int32Array;
  readonly memory: Memory;
}

/**
 * What was trained on until `warmUntilMs` goes through a memory of `capacity` windows, in which every market regime of
 * `breakdown.ts` has as many places; what has come since is new. Regimes are told by the bars before each window, among those
 * before `untilMs`. Throws `UserError` when nothing is new, or nothing old.
 */
export function rehearsal(
  panel: Panel,
  examples: Examples,
  of: {
    readonly inputs: readonly SeriesInputs[];
    readonly horizonBars: number;
    readonly warmUntilMs: number;
    readonly untilMs: number;
    readonly capacity: number;
    readonly seed: number;
  },
): Rehearsal {
  const { inputs, horizonBars, warmUntilMs, untilMs } = of;
  const regimes = panel.series.map((one) => regimeNumbers(one, untilMs));
  const memory = createMemory(of.capacity, REGIMES.length, createRandom(deriveSeed(of.seed, 'memory')));
  const fresh: number[] = [];
  const old: number[] = [];
  for (let group = 0; group < examples.count / examples.group; group++) {
    const example = firstWindow(examples, group);
    const { time } = inputs[examples.series[example]];
    const endMs = labelEndMs(time[examples.row[example]], panel.timeframe, horizonBars);
    (endMs > warmUntilMs ? fresh : old).push(group);
  }
  if (fresh.length === 0 || old.length === 0)
    throw new UserError(
      fresh.length === 0
        ? 'There are no new training windows since the run to go on from ended.'
        : 'There are no training windows of the run to go on from among these bars.',
      { hint: 'Fetch newer bars and begin with the same ones, or leave continual at none.' },
    );
  // In random order: a reservoir that is shown time in order would still be fair, but so ties are too.
  for (const group of shuffle(
    Int32Array.from(old),
    createRandom(deriveSeed(of.seed, 'order of the memory')),
  )) {
    const example = firstWindow(examples, group);
    memory.see(group, regimes[examples.series[example]][examples.row[example]]);
  }
  return { fresh: Int32Array.from(fresh), memory };
}

/** Number in `REGIMES` at each bar; of bars from `untilMs` on, that of bars of which nothing is known. */
export function regimeNumbers({ candles }: Panel['series'][number], untilMs: number): Int32Array {
  const { time, close } = candles;
  const known = time.filter((opened) => opened < untilMs);
  const benchmark = known.map((_, row) => (row === 0 ? 0 : close[row] / close[row - 1] - 1));
  const names = regimesOf({ time: known, benchmark });
  return Int32Array.from(time, (_, row) => REGIMES.indexOf(names[row] ?? 'unknown'));
}

/** The first example of a group that has a window: one has. */
function firstWindow({ row, group: size }: Examples, group: number): number {
  for (let i = 0; i < size; i++) if (row[group * size + i] >= 0) return group * size + i;
  return group * size;
}

/**
 * One pass over the new groups in random order; with `half`, every batch of `groups` is half of new ones and half of
 * remembered ones.
 */
export function freshOrder(
  { fresh, memory }: Rehearsal,
  { groups, half, seed }: { readonly groups: number; readonly half: boolean; readonly seed: number },
): Int32Array {
  const order = shuffle(fresh.slice(), createRandom(seed));
  const own = half ? Math.max(1, groups >> 1) : groups;
  if (own === groups) return order;
  const batches: number[] = [];
  for (let from = 0; from < order.length; from += own) {
    const part = order.subarray(from, from + own);
    batches.push(...part, ...memory.draw(groups - part.length));
  }
  return Int32Array.from(batches);
}
