import type { Output, Progress, ProgressTask } from './output.ts';

/** Work that is done sooner needs no bar. */
const QUIET_MS = 2_000;

/**
 * Progress of one task that is often done at once: shown when it has taken two seconds, and gone from a terminal when it stops.
 * It may be stopped to print something, and then be updated again.
 */
export function lateProgress(
  out: Output,
  label: string,
): { readonly update: (done: number, total: number, note?: string) => void; readonly stop: () => void } {
  const startedAt = Date.now();
  let shown: { readonly progress: Progress; readonly task: ProgressTask } | undefined;
  return {
    update: (done, total, note) => {
      if (shown === undefined) {
        if (Date.now() - startedAt < QUIET_MS || done >= total) return;
        const progress = out.progress({ passing: true });
        shown = { progress, task: progress.task(label, total) };
      }
      shown.task.update(done, note);
    },
    stop: () => {
      shown?.progress.stop();
      shown = undefined;
    },
  };
}
