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

/** Wilder's parabolic stop and reverse: the stop for the bar just closed; `NaN` on the first bar. */
export class ParabolicStop {
  private readonly step: number;
  private readonly most: number;
  private stop = NaN;
  private extreme = NaN;
  private pace = 0;
  private long = true;
  private high1 = NaN;
  private low1 = NaN;
  private high2 = NaN;
  private low2 = NaN;

  constructor(step: number, most: number) {
    this.step = step;
    this.most = most;
  }

  push({ high, low, close }: Bar): number {
    if (this.stop === this.stop) this.advance(high, low);
    else if (this.high1 === this.high1) this.begin({ high, low, close });
    this.high2 = this.high1;
    this.low2 = this.low1;
    this.high1 = high;
    this.low1 = low;
    return this.stop;
  }

  private begin({ high, low, close }: Pick<Bar, 'high' | 'low' | 'close'>): void {
    this.long = close >= (this.high1 + this.low1) / 2;
    this.stop = this.long ? Math.min(low, this.low1) : Math.max(high, this.high1);
    this.extreme = this.long ? Math.max(high, this.high1) : Math.min(low, this.low1);
    this.pace = this.step;
  }

  private advance(high: number, low: number): void {
    const next = this.stop + this.pace * (this.extreme - this.stop);
    // The stop never enters the range of the last two bars.
    const guarded = this.long
      ? Math.min(next, this.low1, this.low2 === this.low2 ? this.low2 : Infinity)
      : Math.max(next, this.high1, this.high2 === this.high2 ? this.high2 : -Infinity);
    if (this.long ? low < guarded : high > guarded) {
      this.long = !this.long;
      this.stop = this.long ? Math.min(this.extreme, low) : Math.max(this.extreme, high);
      this.extreme = this.long ? high : low;
      this.pace = this.step;
      return;
    }
    this.stop = guarded;
    const record = this.long ? high > this.extreme : low < this.extreme;
    if (!record) return;
    this.extreme = this.long ? high : low;
    this.pace = Math.min(this.most, this.pace + this.step);
  }
}
