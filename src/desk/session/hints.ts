/** Something that cuts a pause short. */
export interface Hints {
  /** Something happened: whoever pauses, or pauses next, stops a moment later. */
  readonly hear: () => void;
  /** Waits `ms`, less when something is heard or `signal` aborts; whether something was heard. */
  pause(ms: number, signal: AbortSignal): Promise<boolean>;
}

/** Messages come in groups, and a little before the exchange's other answers know of it. */
const SETTLES_MS = 200;

export function createHints(settlesMs = SETTLES_MS): Hints {
  let heard = false;
  let wake: (() => void) | undefined;
  return {
    hear: () => {
      heard = true;
      wake?.();
    },
    pause: async (ms, signal) => {
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          wake = undefined;
          resolve();
        };
        let timer = setTimeout(end, heard ? Math.min(ms, settlesMs) : ms);
        signal.addEventListener('abort', end, { once: true });
        wake = () => {
          wake = undefined;
          clearTimeout(timer);
          timer = setTimeout(end, Math.min(ms, settlesMs));
        };
      });
      const was = heard;
      heard = false;
      return was;
    },
  };
}
