/**
 * Long work in short steps: whoever drives it decides between them whether others get their turn, and whether it goes
 * on at all. The core has no timers; `data/turns.ts` drives it with the event loop.
 */
export type Steps<T> = Generator<void, T>;

/** Does all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
