import type { Timeframe } from '../market/timeframe.ts';
import { TIMEFRAME_MS } from '../market/timeframe.ts';
import { invariant } from '../foundation/errors.ts';
import type { Column } from './columns/plan.ts';
import type { Feature, Shared, Sources } from './feature.ts';
import { Feed } from './feed.ts';
import { type InputColumn, type InputName, staleAfterMs } from './inputs.ts';
import type { Bar } from './kernels/indicators.ts';

/** Takes the next closed bar and writes one value a feature to `out`. */
export type Step = (bar: Bar, out: Float64Array) => void;

/** Takes the next row of an input, in the order in which they became known: its values and its own time. */
export type Observe = (values: Float64Array, timeMs: number) => void;

/** At work: before each step, `observe[i]` is given the rows of need `i` known by the bar's close. */
export interface Observer {
  readonly step: Step;
  readonly observe: readonly Observe[];
}

/** An input and the columns of it that an observer reads, in this order. */
interface Need {
  readonly input: InputName;
  readonly columns: readonly string[];
}

interface Row extends Partial<Omit<Shared, 'group'>> {
  readonly name: string;
  readonly about: string;
  readonly warmUp: number | ((timeframe: Timeframe) => number);
}

/**
 * Features that also observe other inputs, whose rows come at their own times: computed together, bar by bar.
 * Where one of the inputs has no row that still counts they have no value, whatever the step writes.
 */
export function observing(
  shared: Shared,
  needs: readonly Need[],
  rows: readonly Row[],
  start: (timeframe: Timeframe) => Observer,
): readonly Feature[] {
  const observed = needs.flatMap(({ input, columns }) =>
    columns.map((column): InputColumn => `${input}.${column}`),
  );
  const columns = (of: Sources): readonly Column[] =>
    plan(of, { key: rows[0].name, needs, width: rows.length, start });
  return rows.map(({ warmUp, ...row }, i) => ({
    ...shared,
    ...row,
    inputs: [...(row.inputs ?? shared.inputs), ...observed],
    needs: needs.map(({ input }) => input),
    warmUpBars: typeof warmUp === 'number' ? () => warmUp : warmUp,
    column: (of) => columns(of)[i],
  }));
}

function plan(
  of: Sources,
  {
    key,
    needs,
    width,
    start,
  }: { key: string; needs: readonly Need[]; width: number; start: (timeframe: Timeframe) => Observer },
): readonly Column[] {
  const { time, open, high, low, close, volume, timeframe } = of;
  return time.plan.derive(`observing ${key}`, [time, open, high, low, close, volume], width, (outs) => {
    const { step, observe } = start(timeframe);
    const feeds = needs.map(({ input, columns }, i) => {
      const series = of.inputs[input];
      invariant(series !== undefined, `the input "${input}" of ${key} is given`);
      return new Feed(series, { columns, observe: observe[i], staleMs: staleAfterMs(input) });
    });
    const values = new Float64Array(width);
    const bar = { time: NaN, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN };
    return (rows) => {
      for (let i = 0; i < rows; i++) {
        bar.time = time.data[time.at + i];
        bar.open = open.data[open.at + i];
        bar.high = high.data[high.at + i];
        bar.low = low.data[low.at + i];
        bar.close = close.data[close.at + i];
        bar.volume = volume.data[volume.at + i];
        const known = advanceAll(feeds, bar.time + TIMEFRAME_MS[timeframe]);
        step(bar, values);
        for (let k = 0; k < width; k++) outs[k].data[outs[k].at + i] = known ? values[k] : NaN;
      }
    };
  });
}

/** Every feed moves on, also beside one that is stale. */
function advanceAll(feeds: readonly Feed[], nowMs: number): boolean {
  let known = true;
  for (const feed of feeds) known = feed.advance(nowMs) && known;
  return known;
}
