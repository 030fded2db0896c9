import { setImmediate } from 'node:timers/promises';
import type { Steps } from '../core/foundation/steps.ts';

/** Ctrl-C is noticed, timers fire and answers are read at least this often while long work is under way. */
const TURN_MS = 50;

/** Drives `steps` to their end, and gives the event loop its turn in between. Throws `signal.reason` when aborted. */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  let turnMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - turnMs < TURN_MS) continue;
    await giveWay(signal);
    turnMs = performance.now();
  }
}

/** One turn of the event loop, between two parts of long work. Throws `signal.reason` when aborted. */
export async function giveWay(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
