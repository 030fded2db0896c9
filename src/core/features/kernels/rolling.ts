/*
 * Statistics of the last `length` values, one value at a time. A `NaN` pushed in gives `NaN` out and leaves the
 * window alone, so that warm-ups add up. Running sums are rebuilt exactly once per window length: rounding
 * cannot pile up, and a window of equal values has a deviation of exactly 0.
 */

/** Sum of the window; `NaN` until it is full. */
export class RollingSum {
  readonly length: number;
  private readonly ring: Float64Array;
  private position = 0;
  private count = 0;
  private run = 0;
  private last = NaN;
  private sum = 0;

  constructor(length: number) {
    this.length = length;
    this.ring = new Float64Array(length);
  }

  push(value: number): number {
    if (value !== value) return NaN;
    const { ring, length } = this;
    this.run = value === this.last ? this.run + 1 : 1;
    this.last = value;
    if (this.count < length) {
      this.count++;
      this.sum += value;
    } else this.sum += value - ring[this.position];
    ring[this.position] = value;
    if (++this.position === length) {
      this.position = 0;
      let sum = 0;
      for (let i = 0; i < length; i++) sum += ring[i];
      this.sum = sum;
    }
    if (this.count < length) return NaN;
    return this.run >= length ? value * length : this.sum;
  }
}

/** Mean of the window; `NaN` until it is full. */
export class RollingMean {
  private readonly sum: RollingSum;

  constructor(length: number) {
    this.sum = new RollingSum(length);
  }

  push(value: number): number {
    return this.sum.push(value) / this.sum.length;
  }
}

/** Mean and variances of the window: read the fields after `push`; `NaN` until it is full. */
export class RollingMoments {
  mean = NaN;
  /** Sum of squared deviations from the mean. */
  squares = NaN;
  readonly length: number;
  private readonly ring: Float64Array;
  private position = 0;
  private count = 0;
  private run = 0;
  private last = NaN;
  private shift = 0;
  private sum1 = 0;
  private sum2 = 0;

  constructor(length: number) {
    this.length = length;
    this.ring = new Float64Array(length);
  }

  push(value: number): void {
    if (value !== value) {
      this.mean = NaN;
      this.squares = NaN;
      return;
    }
    const { ring, length } = this;
    if (this.count === 0) this.shift = value;
    this.run = value === this.last ? this.run + 1 : 1;
    this.last = value;
    const added = value - this.shift;
    if (this.count < length) {
      this.count++;
      this.sum1 += added;
      this.sum2 += added * added;
    } else {
      const dropped = ring[this.position] - this.shift;
      this.sum1 += added - dropped;
      this.sum2 += added * added - dropped * dropped;
    }
    ring[this.position] = value;
    if (++this.position === length) this.rebuild();
    if (this.count < length) return;
    if (this.run >= length) {
      this.mean = value;
      this.squares = 0;
    } else {
      this.mean = this.shift + this.sum1 / length;
      this.squares = Math.max(0, this.sum2 - (this.sum1 * this.sum1) / length);
    }
  }

  /** Sample standard deviation (n - 1). */
  get deviation(): number {
    return Math.sqrt(this.squares / (this.length - 1));
  }

  /** Distance of `value` from the mean in sample deviations; 0 when the window does not vary. */
  score(value: number): number {
    return this.squares === 0 ? 0 : (value - this.mean) / this.deviation;
  }

  private rebuild(): void {
    const { ring, length } = this;
    let total = 0;
    for (let i = 0; i < length; i++) total += ring[i];
    const shift = total / length;
    let sum1 = 0;
    let sum2 = 0;
    for (let i = 0; i < length; i++) {
      const distance = ring[i] - shift;
      sum1 += distance;
      sum2 += distance * distance;
    }
    this.position = 0;
    this.shift = shift;
    this.sum1 = sum1;
    this.sum2 = sum2;
  }
}

/** Moments of pairs: sums of products of deviations, read after `push`; `NaN` until the window is full. */
export class RollingPairs {
  xy = NaN;
  private readonly x: RollingMoments;
  private readonly y: RollingMoments;
  private readonly xs: Float64Array;
  private readonly ys: Float64Array;
  private position = 0;
  private count = 0;
  private shiftX = 0;
  private shiftY = 0;
  private sumX = 0;
  private sumY = 0;
  private product = 0;

  constructor(length: number) {
    this.x = new RollingMoments(length);
    this.y = new RollingMoments(length);
    this.xs = new Float64Array(length);
    this.ys = new Float64Array(length);
  }

  push(x: number, y: number): void {
    if (x !== x || y !== y) {
      this.xy = NaN;
      return;
    }
    const { xs, ys, position } = this;
    const length = xs.length;
    this.x.push(x);
    this.y.push(y);
    if (this.count < length) this.count++;
    else this.include(xs[position], ys[position], -1);
    this.include(x, y, 1);
    xs[position] = x;
    ys[position] = y;
    if (++this.position === length) this.rebuild();
    if (this.count < length) return;
    this.xy = this.product - (this.sumX * this.sumY) / length;
  }

  /** Pearson's correlation in [-1, 1]; 0 when either side does not vary. */
  get correlation(): number {
    const scale = Math.sqrt(this.x.squares * this.y.squares);
    if (scale === 0) return 0;
    return Math.min(1, Math.max(-1, this.xy / scale));
  }

  /** Slope of y on x; 0 when x does not vary. */
  get beta(): number {
    return this.x.squares === 0 ? 0 : this.xy / this.x.squares;
  }

  private include(x: number, y: number, sign: number): void {
    const dx = x - this.shiftX;
    const dy = y - this.shiftY;
    this.sumX += sign * dx;
    this.sumY += sign * dy;
    this.product += sign * dx * dy;
  }

  private rebuild(): void {
    this.position = 0;
    this.shiftX = this.x.mean;
    this.shiftY = this.y.mean;
    this.sumX = this.sumY = this.product = 0;
    for (let i = 0; i < this.xs.length; i++) this.include(this.xs[i], this.ys[i], 1);
  }
}

/** The value pushed `length` values ago; `NaN` before. */
export class Lag {
  private readonly ring: Float64Array;
  private position = 0;

  constructor(length: number) {
    this.ring = new Float64Array(length).fill(NaN);
  }

  push(value: number): number {
    const old = this.ring[this.position];
    this.ring[this.position] = value;
    if (++this.position === this.ring.length) this.position = 0;
    return old;
  }
}
