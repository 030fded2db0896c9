import { Atr, type Bar } from './indicators.ts';

/** SuperTrend line: below the price in an uptrend, above it in a downtrend; `NaN` until the range is known. */
export class SuperTrend {
  private readonly atr: Atr;
  private readonly width: number;
  private upper = NaN;
  private lower = NaN;
  private rising = true;
  private previousClose = NaN;

  constructor(length: number, width: number) {
    this.atr = new Atr(length);
    this.width = width;
  }

  push(bar: Bar): number {
    const range = this.atr.push(bar);
    const middle = (bar.high + bar.low) / 2;
    const upper = middle + this.width * range;
    const lower = middle - this.width * range;
    // A band only tightens while the price stays on its side; comparisons with NaN start it.
    if (!(upper >= this.upper && this.previousClose <= this.upper)) this.upper = upper;
    if (!(lower <= this.lower && this.previousClose >= this.lower)) this.lower = lower;
    if (bar.close > this.upper) this.rising = true;
    else if (bar.close < this.lower) this.rising = false;
    this.previousClose = bar.close;
    return this.rising ? this.lower : this.upper;
  }
}

/**
 * Wilder's parabolic stop and reverse as TA-Lib computes it: the stop for the bar just closed; `NaN` on the first
 * bar. It begins at the first bar's low, or at its high where the second bar fell further than it rose; a bar that
 * touches the stop reverses it.
 */
export class ParabolicStop {
  private readonly step: number;
  private readonly most: number;
  private stop = NaN;
  private extreme = NaN;
  private pace = 0;
  private long = true;
  private high1 = NaN;
  private low1 = NaN;

  constructor(step: number, most: number) {
    this.step = step;
    this.most = most;
  }

  push({ high, low }: Bar): number {
    const { high1, low1 } = this;
    this.high1 = high;
    this.low1 = low;
    if (high1 !== high1) return NaN;
    // Before its first advance the second bar counts as the one before it, as in TA-Lib.
    if (this.stop === this.stop) return this.advance({ high, low, high1, low1 });
    const fall = low1 - low;
    this.long = !(fall > 0 && fall > high - high1);
    this.stop = this.long ? low1 : high1;
    this.extreme = this.long ? high : low;
    this.pace = this.step;
    return this.advance({ high, low, high1: high, low1: low });
  }

  private advance({ high, low, high1, low1 }: Record<'high' | 'low' | 'high1' | 'low1', number>): number {
    const touched = this.long ? low <= this.stop : high >= this.stop;
    const record = this.long ? high > this.extreme : low < this.extreme;
    if (touched) {
      this.long = !this.long;
      this.stop = this.guarded(this.extreme, { high, low, high1, low1 });
      this.pace = this.step;
      this.extreme = this.long ? high : low;
    } else if (record) {
      this.extreme = this.long ? high : low;
      this.pace = Math.min(this.most, this.pace + this.step);
    }
    const now = this.stop;
    const next = this.stop + this.pace * (this.extreme - this.stop);
    this.stop = this.guarded(next, { high, low, high1, low1 });
    return now;
  }

  /** The stop never enters the range of the last two bars. */
  private guarded(stop: number, { high, low, high1, low1 }: Record<string, number>): number {
    return this.long ? Math.min(stop, low1, low) : Math.max(stop, high1, high);
  }
}
