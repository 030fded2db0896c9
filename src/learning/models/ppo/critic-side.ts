import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../../learners/agent/kernel.ts';
import type { AdamControls } from '../../learners/agent/mlp.ts';
import type { Halves, PpoTask } from './halves.ts';

/** The critic's learning beside the actor's: here, or on a thread of its own. Either way gives the same bits. */
export interface CriticSide {
  /** Starts on the gradient over the minibatch that begins at `order[from]`. */
  begin(from: number): void;
  /** Of the gradient that was begun: the square of its norm, and the loss. */
  end(): { readonly squares: number; readonly loss: number };
  update(scale: number, controls: AdamControls): void;
  /** Waits for the last update: from then on the parameters may be read and set. */
  settle(): void;
  dispose(): Promise<void>;
}

export function criticHere({ critic, valueLoss }: Halves): CriticSide {
  let begun = 0;
  return {
    begin(from) {
      begun = from;
    },
    end: () => ({ squares: critic.gradient(begun, 0), loss: valueLoss() }),
    update: (scale, controls) => critic.update(scale, controls),
    settle() {},
    dispose: async () => {},
  };
}

export interface CriticThreadTask {
  readonly memory: WebAssembly.Memory;
  readonly task: PpoTask;
  /** See `messageBoard`. */
  readonly boardAt: number;
}

/** What the two threads tell each other, in the kernel's memory. */
export interface MessageBoard {
  /** `ASKED`, `DONE`, `FROM`. */
  readonly signals: Int32Array;
  /** `scale`, `rate`, `floor`; back: `squares`, `loss`. */
  readonly numbers: Float64Array;
}

/** Places in `signals`: how often work was asked for (-1: go), how often it was done (-1: failed), and its kind. */
export const ASKED = 0;
export const DONE = 1;
/** The start of a minibatch whose gradient is wanted, or -1: make an update. */
export const FROM = 2;

const BOARD_FLOATS = 16;

export const messageBoard = ({ buffer }: WebAssembly.Memory, at: number): MessageBoard => ({
  signals: new Int32Array(buffer, at, 4),
  numbers: new Float64Array(buffer, at + 16, 5),
});

/** Looks for so long before it sleeps: a thread that must be woken comes late. */
const GLANCES = 5000;
const PATIENCE_MS = 60_000;

/** Returns the value at `place` once it is not `old` any more; throws when that takes a minute. */
export function awaitChange(
  signals: Int32Array,
  place: number,
  old: number,
  patienceMs = PATIENCE_MS,
): number {
  for (let glance = 0; glance < GLANCES; glance++) {
    const value = Atomics.load(signals, place);
    if (value !== old) return value;
  }
  if (Atomics.wait(signals, place, old, patienceMs) === 'timed-out')
    throw new Error("The critic's thread does not answer.");
  return Atomics.load(signals, place);
}

/** A thread that has the same networks in the same memory and works on the critic. */
export async function criticOnThread(kernel: Kernel, task: PpoTask): Promise<CriticSide> {
  const { at } = kernel.allocate(BOARD_FLOATS);
  const { signals, numbers } = messageBoard(kernel.memory, at);
  const workerData: CriticThreadTask = { memory: kernel.memory, task, boardAt: at };
  const thread = new Worker(threadScript(), { workerData, name: 'ppo-critic' });
  await once(thread, 'message');
  let asked = 0;

  const settle = (): void => {
    const done = Atomics.load(signals, DONE);
    if (done !== asked && awaitChange(signals, DONE, done) !== asked)
      throw new Error("The critic's thread has failed.");
  };
  const ask = (from: number): void => {
    signals[FROM] = from;
    asked++;
    Atomics.store(signals, ASKED, asked);
    Atomics.notify(signals, ASKED);
  };
  return {
    begin(from) {
      settle();
      ask(from);
    },
    end() {
      settle();
      return { squares: numbers[3], loss: numbers[4] };
    },
    update(scale, { rate, floor }) {
      settle();
      numbers.set([scale, rate, floor]);
      ask(-1);
    },
    settle,
    async dispose() {
      const left = once(thread, 'exit');
      Atomics.store(signals, ASKED, -1);
      Atomics.notify(signals, ASKED);
      await left;
    },
  };
}

/** Threads run compiled code: beside this file in dist/, and dist's copy when this runs from src/. */
function threadScript(): URL {
  const here = import.meta.url;
  if (here.endsWith('.js')) return new URL('./critic-thread.js', here);
  return new URL('../../../../dist/learning/models/ppo/critic-thread.js', here);
}
