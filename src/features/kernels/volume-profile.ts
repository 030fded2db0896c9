import type { Bar } from './indicators.ts';

/**
 * Volume of the last `length` bars by price (typical price, equal bins between their lowest low and highest
 * high). Read the fields after `push`; `NaN` until the window is full. Where nothing was traded every bar
 * counts alike.
 */
export class VolumeProfile {
  /** Middle of the bin with the most volume, the lowest of equals. */
  pointOfControl = NaN;
  /** Edges of the bins around it that hold the value area. */
  valueHigh = NaN;
  valueLow = NaN;
  /** Entropy of the bins' shares over its maximum. */
  entropy = NaN;
  private readonly length: number;
  private readonly share: number;
  private readonly prices: Float64Array;
  private readonly volumes: Float64Array;
  private readonly highs: Float64Array;
  private readonly lows: Float64Array;
  private readonly bins: Float64Array;
  private count = 0;

  constructor(length: number, bins: number, share: number) {
    this.length = length;
    this.share = share;
    this.prices = new Float64Array(length);
    this.volumes = new Float64Array(length);
    this.highs = new Float64Array(length);
    this.lows = new Float64Array(length);
    this.bins = new Float64Array(bins);
  }

  push({ high, low, close, volume }: Bar): void {
    const at = this.count++ % this.length;
    this.prices[at] = (high + low + close) / 3;
    this.volumes[at] = volume;
    this.highs[at] = high;
    this.lows[at] = low;
    if (this.count < this.length) return;

    const { prices, volumes, highs, lows, bins, length } = this;
    let top = -Infinity;
    let bottom = Infinity;
    let total = 0;
    for (let i = 0; i < length; i++) {
      if (highs[i] > top) top = highs[i];
      if (lows[i] < bottom) bottom = lows[i];
      total += volumes[i];
    }
    if (top === bottom) {
      this.pointOfControl = this.valueHigh = this.valueLow = top;
      this.entropy = 0;
      return;
    }
    bins.fill(0);
    const width = (top - bottom) / bins.length;
    for (let i = 0; i < length; i++) {
      const bin = Math.min(bins.length - 1, Math.floor((prices[i] - bottom) / width));
      bins[bin] += total === 0 ? 1 / length : volumes[i] / total;
    }
    this.summarise(bottom, width);
  }

  private summarise(bottom: number, width: number): void {
    const { bins, share } = this;
    let peak = 0;
    let entropy = 0;
    for (let i = 0; i < bins.length; i++) {
      if (bins[i] > bins[peak]) peak = i;
      if (bins[i] > 0) entropy -= bins[i] * Math.log(bins[i]);
    }
    let low = peak;
    let high = peak;
    let held = bins[peak];
    while (held < share && (low > 0 || high < bins.length - 1)) {
      const below = low > 0 ? bins[low - 1] : -1;
      const above = high < bins.length - 1 ? bins[high + 1] : -1;
      if (above >= below) held += bins[++high];
      else held += bins[--low];
    }
    this.pointOfControl = bottom + (peak + 0.5) * width;
    this.valueLow = bottom + low * width;
    this.valueHigh = bottom + (high + 1) * width;
    this.entropy = entropy / Math.log(bins.length);
  }
}
