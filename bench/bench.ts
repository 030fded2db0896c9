/** One measured figure. Ratios and peers come from the same run; nothing here passes or fails on time. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the project wants to reach, e.g. `<= 3 s`. */
  readonly target?: string;
  /** The peer or physical limit measured in the same run, in the same unit. */
  readonly peer?: { readonly name: string; readonly value: number };
  readonly note?: string;
}

/** Median wall time of `runs` calls in milliseconds, after one warm-up call. */
export async function medianMs(work: () => unknown, runs = 5): Promise<number> {
  await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}
