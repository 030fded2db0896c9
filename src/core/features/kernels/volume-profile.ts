import { RollingMax, RollingMin } from './extremes.ts';
import type { Bar } from './indicators.ts';
import { RollingSum } from './rolling.ts';

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
  /** The bin of each bar in the window. */
  private readonly places: Int32Array;
  private readonly bins: Float64Array;
  /** Bars in each bin that traded: without one the bin holds 0, whatever rounding left of those that went. */
  private readonly traders: Int32Array;
  /** `b ln b` of each bin. */
  private readonly terms: Float64Array;
  /** Entropy of equal bins. */
  private readonly greatest: number;
  private readonly highest: RollingMax;
  private readonly lowest: RollingMin;
  private readonly traded: RollingSum;
  private count = 0;
  private top = NaN;
  private bottom = NaN;
  private total = NaN;

  constructor(length: number, bins: number, share: number) {
    this.length = length;
    this.share = share;
    this.prices = new Float64Array(length);
    this.volumes = new Float64Array(length);
    this.places = new Int32Array(length);
    this.bins = new Float64Array(bins);
    this.traders = new Int32Array(bins);
    this.terms = new Float64Array(bins);
    this.greatest = Math.log(bins);
    this.highest = new RollingMax(length);
    this.lowest = new RollingMin(length);
    this.traded = new RollingSum(length);
  }

  push({ high, low, close, volume }: Bar): void {
    const { bins, places, prices, traders, volumes } = this;
    const at = this.count++ % this.length;
    const top = this.highest.push(high);
    const bottom = this.lowest.push(low);
    const total = this.traded.push(volume);
    const price = (high + low + close) / 3;
    const dropped = volumes[at];
    prices[at] = price;
    volumes[at] = volume;
    if (this.count < this.length) return;

    // The bins stand while the range does; a rebuild once a window keeps rounding from piling up.
    const stands = top === this.top && bottom === this.bottom && at > 0;
    const alike = total === 0;
    const wasAlike = this.total === 0;
    this.top = top;
    this.bottom = bottom;
    this.total = total;
    if (top === bottom) {
      this.pointOfControl = this.valueHigh = this.valueLow = top;
      this.entropy = 0;
      return;
    }
    const last = bins.length - 1;
    const perPrice = bins.length / (top - bottom);
    if (stands && alike === wasAlike) {
      this.add(places[at], alike ? -1 : -dropped);
      places[at] = Math.min(last, ((price - bottom) * perPrice) | 0);
      this.add(places[at], alike ? 1 : volume);
    } else {
      bins.fill(0);
      traders.fill(0);
      for (let i = 0; i < prices.length; i++) {
        const place = Math.min(last, ((prices[i] - bottom) * perPrice) | 0);
        const weight = alike ? 1 : volumes[i];
        places[i] = place;
        bins[place] += weight;
        if (weight > 0) traders[place]++;
      }
      for (let i = 0; i < bins.length; i++) this.add(i, 0);
    }
    this.summarise((top - bottom) / bins.length, alike ? this.length : total);
  }

  private add(bin: number, weight: number): void {
    this.traders[bin] += Math.sign(weight);
    const held = this.traders[bin] === 0 ? 0 : Math.max(0, this.bins[bin] + weight);
    this.bins[bin] = held;
    this.terms[bin] = held === 0 ? 0 : held * Math.log(held);
  }

  private summarise(width: number, total: number): void {
    const { bins, terms, share, bottom } = this;
    let peak = 0;
    let sum = 0;
    for (let i = 0; i < bins.length; i++) {
      if (bins[i] > bins[peak]) peak = i;
      sum += terms[i];
    }
    let low = peak;
    let high = peak;
    let held = bins[peak];
    while (held < share * total && (low > 0 || high < bins.length - 1)) {
      const below = low > 0 ? bins[low - 1] : -1;
      const above = high < bins.length - 1 ? bins[high + 1] : -1;
      if (above >= below) held += bins[++high];
      else held += bins[--low];
    }
    this.pointOfControl = bottom + (peak + 0.5) * width;
    this.valueLow = bottom + low * width;
    this.valueHigh = bottom + (high + 1) * width;
    this.entropy = Math.max(0, Math.log(total) - sum / total) / this.greatest;
  }
}
