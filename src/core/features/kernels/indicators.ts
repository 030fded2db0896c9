import { Ema, wilder } from './smoothing.ts';

/** A closed bar as the feature steps see it. `time` is its open, epoch ms. */
export interface Bar {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Change from the previous value; `NaN` on the first. */
export class Change {
  private previous = NaN;

  push(value: number): number {
    const change = value - this.previous;
    this.previous = value;
    return change;
  }
}

/** Relative strength index (Wilder 1978), first value after `length` changes; 50 when the price never moved. */
export class Rsi {
  private readonly change = new Change();
  private readonly gains: Ema;
  private readonly losses: Ema;

  constructor(length: number) {
    this.gains = wilder(length);
    this.losses = wilder(length);
  }

  push(close: number): number {
    const change = this.change.push(close);
    const gain = this.gains.push(change !== change ? NaN : Math.max(0, change));
    const loss = this.losses.push(change !== change ? NaN : Math.max(0, -change));
    return gain + loss === 0 ? 50 : (100 * gain) / (gain + loss);
  }
}

/** Wilder's true range; `NaN` on the first bar, which has no previous close. */
export class TrueRange {
  private previous = NaN;

  push(bar: Bar): number {
    const range = Math.max(bar.high, this.previous) - Math.min(bar.low, this.previous);
    this.previous = bar.close;
    return range;
  }
}

/** Average true range (Wilder 1978), first value after `length` true ranges. */
export class Atr {
  private readonly range = new TrueRange();
  private readonly mean: Ema;

  constructor(length: number) {
    this.mean = wilder(length);
  }

  push(bar: Bar): number {
    return this.mean.push(this.range.push(bar));
  }
}

/** MACD (Appel): fast minus slow exponential mean, its signal line and their difference. */
export class Macd {
  line = NaN;
  signal = NaN;
  private readonly fast: Ema;
  private readonly slow: Ema;
  private readonly smooth: Ema;

  constructor(fast: number, slow: number, signal: number) {
    this.fast = new Ema(fast);
    this.slow = new Ema(slow);
    this.smooth = new Ema(signal);
  }

  push(value: number): void {
    this.line = this.fast.push(value) - this.slow.push(value);
    this.signal = this.smooth.push(this.line);
  }

  get histogram(): number {
    return this.line - this.signal;
  }
}

/** Directional movement (Wilder 1978): +DI and -DI after `length` changes, ADX after 2 `length` - 1. */
export class DirectionalMovement {
  plus = NaN;
  minus = NaN;
  adx = NaN;
  private high = NaN;
  private low = NaN;
  private readonly atr: Atr;
  private readonly up: Ema;
  private readonly down: Ema;
  private readonly index: Ema;

  constructor(length: number) {
    this.atr = new Atr(length);
    this.up = wilder(length);
    this.down = wilder(length);
    this.index = wilder(length);
  }

  push(bar: Bar): void {
    const rise = bar.high - this.high;
    const fall = this.low - bar.low;
    const first = rise !== rise;
    this.high = bar.high;
    this.low = bar.low;
    const range = this.atr.push(bar);
    const up = this.up.push(first ? NaN : rise > fall && rise > 0 ? rise : 0);
    const down = this.down.push(first ? NaN : fall > rise && fall > 0 ? fall : 0);
    this.plus = range === 0 ? 0 : (100 * up) / range;
    this.minus = range === 0 ? 0 : (100 * down) / range;
    const sum = this.plus + this.minus;
    this.adx = this.index.push(sum === 0 ? 0 : (100 * Math.abs(this.plus - this.minus)) / sum);
  }
}

/** `numerator / denominator`, or `neutral` when the denominator is 0. */
export const ratio = (numerator: number, denominator: number, neutral: number): number =>
  denominator === 0 ? neutral : numerator / denominator;
