/** Where a job stands, from the last lines that its process wrote for people. */
export interface JobProgress {
  /** Such as the model that is being trained. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Whatever stood behind: remaining time, loss. */
  readonly note: string;
}

/** `ridge: 3/10 (30 %) ETA 4 s`, as commands print it where no terminal is. */
export function progressOf(line: string): JobProgress | undefined {
  const [, label, done, total, note] = /^(.{1,80}): (\d+)\/(\d+) \(\d+ %\) ?(.*)$/.exec(line) ?? [];
  return label === undefined ? undefined : { label, done: Number(done), total: Number(total), note };
}
