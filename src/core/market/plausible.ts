import { formatTime } from '../foundation/time.ts';
import type { Candles } from './candles.ts';
import { type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/** Bars that are well-formed and still hardly true. */
export interface Oddity {
  /** Open time of the (first) bar. */
  readonly timeMs: number;
  /** `wrong`: no market does that. `doubtful`: rare, and has happened. */
  readonly verdict: 'wrong' | 'doubtful';
  /** What it is and looks like, to follow the bar's time. */
  readonly what: string;
}

/** A price this many times another one beside it is doubtful. */
const DOUBTFUL = 5;
/** An open this many times the last close is another unit or another coin: between two bars nothing trades. */
const WRONG_JUMP = 100;
/** Wicks reach further: Ether fell to a 3 000th on GDAX in June 2017. */
const WRONG_WICK = 10_000;
/** Quoted in anything, no coin costs more or less. */
const PRICES = { least: 1e-18, most: 1e12 } as const;
/** The first block of Bitcoin: no coin has a price before. */
export const FIRST_COIN_MS = Date.UTC(2009, 0, 3);
/** So many equal bars in a row, volume included, are a feed that hangs. */
const HANGING_BARS = 10;

/** What is hard to believe of these bars, oldest first. */
export function findOddities(candles: Candles, timeframe: Timeframe): readonly Oddity[] {
  const { time, open, high, low, close } = candles;
  const found: Oddity[] = [...oddTimes(candles, timeframe), ...hangingBars(candles)];
  const add = (row: number, verdict: Oddity['verdict'], what: string): unknown =>
    found.push({ timeMs: time[row], verdict, what });
  for (let row = 0; row < time.length; row++) {
    if (high[row] > PRICES.most || low[row] < PRICES.least) {
      add(row, 'wrong', `its prices (${low[row]} to ${high[row]}) are none that any pair has`);
      continue;
    }
    const jump = row === 0 ? 1 : ratio(open[row], close[row - 1]);
    if (jump >= DOUBTFUL) {
      const step = `its open ${open[row]} is ${times(open[row], close[row - 1])} the last close ${close[row - 1]}`;
      add(row, jump >= WRONG_JUMP ? 'wrong' : 'doubtful', `${step}: ${jumpLooks(jump)}`);
    }
    const [top, bottom] = [Math.max(open[row], close[row]), Math.min(open[row], close[row])];
    const wick = Math.max(high[row] / top, bottom / low[row]);
    if (wick >= DOUBTFUL) {
      const far = high[row] / top >= bottom / low[row] ? `high ${high[row]}` : `low ${low[row]}`;
      const verdict = wick >= WRONG_WICK ? 'wrong' : 'doubtful';
      add(row, verdict, `its ${far} is ${short(wick)} times away from open and close: a wrong tick`);
    }
    if (top / bottom >= DOUBTFUL)
      add(
        row,
        'doubtful',
        `its close ${close[row]} is ${times(close[row], open[row])} its open ${open[row]}: a collapse, a listing or a change of units`,
      );
  }
  return found.toSorted((a, b) => a.timeMs - b.timeMs);
}

/** `bar of 2024-01-01T00:00:00.000Z: ...`, at most `most` of them, and how many more there are. */
export function oddityLines(oddities: readonly Oddity[], most = 5): readonly string[] {
  const lines = oddities.slice(0, most).map(({ timeMs, what }) => `bar of ${formatTime(timeMs)}: ${what}`);
  const more = oddities.length - lines.length;
  return more > 0 ? [...lines, `... and ${more} more such bars`] : lines;
}

const ratio = (a: number, b: number): number => Math.max(a / b, b / a);

const short = (value: number): string => String(Number(value.toPrecision(3)));

const times = (a: number, b: number): string => (a >= b ? `${short(a / b)} times` : `1/${short(b / a)} of`);

/** Redenominations, token swaps and changes of units go by powers of ten. */
function jumpLooks(jump: number): string {
  const power = Math.round(Math.log10(jump));
  if (power >= 2 && Math.abs(Math.log10(jump) - power) < Math.log10(1.3))
    return `a redenomination or other units, by ${10 ** power}`;
  return jump >= WRONG_JUMP ? 'another coin or other units' : 'a jump, a wrong tick or other units';
}

/** Bars before there were coins, and bars that are those of a longer timeframe. */
function oddTimes({ time }: Candles, timeframe: Timeframe): readonly Oddity[] {
  const step = TIMEFRAME_MS[timeframe];
  const found: Oddity[] = [];
  let early = 0;
  while (early < time.length && time[early] < FIRST_COIN_MS) early++;
  if (early > 0) {
    const what = `${early === 1 ? 'it lies' : `${early} bars from here on lie`} before 2009-01-03, when there was no coin: a missing or misread time`;
    found.push({ timeMs: time[0], verdict: 'wrong', what });
  }
  const spacing = spacingOf(time.subarray(early));
  if (spacing !== undefined && spacing.ms >= 2 * step) {
    const what = `${spacing.steps} of ${spacing.of} bars from here on are ${lengthText(spacing.ms)} apart: not bars of ${timeframe} but of ${lengthText(spacing.ms)}`;
    found.push({ timeMs: time[early], verdict: 'wrong', what });
  }
  return found;
}

/** The distance that nine in ten neighbours have; `undefined` when there is none, or below five bars. */
function spacingOf(
  time: Float64Array,
): { readonly ms: number; readonly steps: number; readonly of: number } | undefined {
  const of = time.length - 1;
  if (of < 4) return undefined;
  // What more than half have is what is left of a vote in which different ones cancel (Boyer & Moore 1981).
  let [ms, votes] = [0, 0];
  for (let row = 1; row <= of; row++) {
    const distance = time[row] - time[row - 1];
    if (votes === 0) ms = distance;
    votes += distance === ms ? 1 : -1;
  }
  let steps = 0;
  for (let row = 1; row <= of; row++) if (time[row] - time[row - 1] === ms) steps++;
  return steps >= 0.9 * of ? { ms, steps, of } : undefined;
}

function lengthText(ms: number): string {
  for (const [unit, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
  ] as const)
    if (ms % length === 0) return `${ms / length}${unit}`;
  return `${ms / 60_000}m`;
}

function hangingBars({ time, open, high, low, close, volume }: Candles): readonly Oddity[] {
  const found: Oddity[] = [];
  for (let row = 1, from = 0; row <= time.length; row++) {
    const same =
      close[row] === close[from] &&
      volume[row] === volume[from] &&
      open[row] === open[from] &&
      high[row] === high[from] &&
      low[row] === low[from];
    if (row < time.length && same && volume[row] > 0) continue;
    if (row - from >= HANGING_BARS) {
      const what = `it comes ${row - from} times in a row, volume included: a feed that hung`;
      found.push({ timeMs: time[from], verdict: 'doubtful', what });
    }
    from = row;
  }
  return found;
}
