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

/** `numerator / denominator`, or `neutral` when the denominator is 0. */
export const ratio = (numerator: number, denominator: number, neutral: number): number =>
  denominator === 0 ? neutral : numerator / denominator;
