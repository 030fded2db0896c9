/** Exponential mean with weight `2 / (length + 1)`, seeded with the simple mean of the first `length` values. */
export class Ema {
  private readonly length: number;
  private readonly weight: number;
  private count = 0;
  private sum = 0;
  private value = NaN;

  constructor(length: number, weight = 2 / (length + 1)) {
    this.length = length;
    this.weight = weight;
  }

  push(value: number): number {
    if (value !== value) return NaN;
    if (this.count >= this.length) {
      this.value += this.weight * (value - this.value);
      return this.value;
    }
    this.sum += value;
    if (++this.count === this.length) this.value = this.sum / this.length;
    return this.value;
  }
}

/** Wilder's mean: an exponential mean with weight `1 / length`, seeded with the simple mean. */
export const wilder = (length: number): Ema => new Ema(length, 1 / length);
