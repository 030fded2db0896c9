import type { TimedSeries } from '../market/timed-series.ts';
import type { Observe } from './observing.ts';

/** Hands the rows of an input to a kernel as they become known, each once, and never one before. */
export class Feed {
  private readonly series: TimedSeries;
  private readonly names: readonly string[];
  private rows: Float64Array | undefined;
  private columns: readonly Float64Array[] = [];
  private readonly observe: Observe;
  private readonly staleMs: number;
  private readonly values: Float64Array;
  private next = 0;

  constructor(
    series: TimedSeries,
    { columns, observe, staleMs }: { columns: readonly string[]; observe: Observe; staleMs: number },
  ) {
    this.series = series;
    this.names = columns;
    this.observe = observe;
    this.staleMs = staleMs;
    this.values = new Float64Array(columns.length);
  }

  /** Observes what became known up to `nowMs`; whether the newest row still counts then. */
  advance(nowMs: number): boolean {
    const { known, time } = this.series;
    // A series that is followed grows: rows are added behind those that it had.
    if (known !== this.rows) {
      this.rows = known;
      this.columns = this.names.map((name) => this.series.columns[name]);
    }
    const { columns, values } = this;
    while (this.next < known.length && known[this.next] <= nowMs) {
      for (let i = 0; i < values.length; i++) values[i] = columns[i][this.next];
      this.observe(values, time[this.next]);
      this.next++;
    }
    return this.next > 0 && nowMs - known[this.next - 1] <= this.staleMs;
  }
}
