/** Largest value of the last `length`, amortised O(1) (a queue of candidates); `NaN` until the window is full. */
export class RollingMax {
  /** Bars since the maximum, the latest of equals; 0 is the current bar. */
  age = NaN;
  private readonly length: number;
  private readonly values: Float64Array;
  private readonly births: Float64Array;
  private head = 0;
  private size = 0;
  private now = 0;

  constructor(length: number) {
    this.length = length;
    this.values = new Float64Array(length);
    this.births = new Float64Array(length);
  }

  push(value: number): number {
    if (value !== value) return NaN;
    const { length, values, births } = this;
    if (this.size > 0 && births[this.head] <= this.now - length) {
      this.head = this.head + 1 === length ? 0 : this.head + 1;
      this.size--;
    }
    let tail = this.head + this.size;
    if (tail >= length) tail -= length;
    while (this.size > 0) {
      const before = tail === 0 ? length - 1 : tail - 1;
      if (values[before] > value) break;
      tail = before;
      this.size--;
    }
    values[tail] = value;
    births[tail] = this.now;
    this.size++;
    this.now++;
    if (this.now < length) return NaN;
    this.age = this.now - 1 - births[this.head];
    return values[this.head];
  }
}

/** Smallest value of the last `length`; `NaN` until the window is full. */
export class RollingMin {
  private readonly negated: RollingMax;

  constructor(length: number) {
    this.negated = new RollingMax(length);
  }

  push(value: number): number {
    return -this.negated.push(-value);
  }

  /** Bars since the minimum, the latest of equals. */
  get age(): number {
    return this.negated.age;
  }
}
