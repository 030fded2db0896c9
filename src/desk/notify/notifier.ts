import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../core/foundation/log.ts';
import type { Message } from '../../core/foundation/message.ts';
import {
  type Channel,
  channelName,
  type HttpChannel,
  type OwnChannel,
  requestOf,
  secretsOf,
} from './channel.ts';

export interface Notice {
  readonly text: string;
  readonly silent: boolean;
  /** Called once when every channel took it or gave up: whether one took it, or there is none. Never, when the program ends before. */
  readonly settled?: ((delivered: boolean) => void) | undefined;
}

/** Messages about a session. Nothing here ever throws or makes a bar wait. */
export interface Notifier {
  /** Queues a line and returns at once. */
  notify(notice: Notice): void;
  /** Sends what is queued, waiting `timeoutMs` at most. */
  close(timeoutMs: number): Promise<void>;
}

interface NotifierOptions {
  /** Title of every message: which session speaks. */
  readonly title: string;
  readonly log: Log;
  /** Lines that come within this time go as one message; also the least time between two messages. */
  readonly batchMs: number;
  readonly requestTimeoutMs: number;
  /** Attempts per message and channel, with pauses that double. */
  readonly attempts: number;
  readonly retryMs: number;
}

export const NOTIFIER_DEFAULTS = {
  batchMs: 3_000,
  requestTimeoutMs: 10_000,
  attempts: 5,
  retryMs: 2_000,
} as const;

/** Lines that wait for a channel that does not answer; older ones are dropped, and the next message says how many. */
const MOST_WAITING = 500;
const LONGEST_RETRY_MS = 120_000;

/** One queue per channel, so that one that does not answer delays no other. */
export function createNotifier(channels: readonly Channel[], options: NotifierOptions): Notifier {
  const queues = channels.map((channel) => createQueue(channel, options));
  return {
    notify: ({ text, silent, settled }) => {
      let open = queues.length;
      let taken = false;
      const done = (delivered: boolean): void => {
        taken ||= delivered;
        if (--open === 0) settled?.(taken);
      };
      if (open === 0) settled?.(true);
      for (const queue of queues) queue.add({ text, silent, done });
    },
    close: async (timeoutMs) => {
      const stop = new AbortController();
      const late = sleep(timeoutMs, undefined, { signal: stop.signal }).catch(() => undefined);
      await Promise.race([Promise.all(queues.map((queue) => queue.flush())), late]);
      stop.abort();
      for (const queue of queues) queue.stop();
    },
  };
}

interface Line {
  readonly text: string;
  readonly silent: boolean;
  readonly done: (delivered: boolean) => void;
}

function createQueue(channel: Channel, options: NotifierOptions) {
  const { title, log, batchMs, attempts, retryMs } = options;
  const stopping = new AbortController();
  const waiting: Line[] = [];
  let dropped = 0;
  let sending: Promise<void> | undefined;
  let hurried = new AbortController();

  const run = async (): Promise<void> => {
    while (waiting.length > 0 && !stopping.signal.aborted) {
      await pause(batchMs, AbortSignal.any([stopping.signal, hurried.signal]));
      const batch = waiting.splice(0);
      const lines = batch.map(({ text }) => text);
      if (dropped > 0)
        lines.unshift(`${dropped} earlier lines were dropped while this channel did not answer.`);
      dropped = 0;
      const message = { title, text: lines.join('\n'), silent: batch.every(({ silent }) => silent) };
      for (let attempt = 1; ; attempt++) {
        const outcome = await (channel.kind === 'own'
          ? sendOwn(channel, message, options, stopping.signal)
          : send(channel, message, options, stopping.signal));
        if (outcome.kind === 'delivered') {
          for (const { done } of batch) done(true);
          break;
        }
        if (stopping.signal.aborted) return;
        if (outcome.kind === 'refused' || attempt >= attempts) {
          log.warn(
            { channel: channelName(channel), lines: batch.length },
            `notification not delivered: ${outcome.reason}`,
          );
          for (const { done } of batch) done(false);
          break;
        }
        const backOff = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (attempt - 1));
        await pause(Math.max(backOff, Math.min(LONGEST_RETRY_MS, outcome.waitMs)), stopping.signal);
      }
    }
  };
  const start = (): void => {
    if (sending !== undefined) return;
    sending = run().finally(() => {
      sending = undefined;
      if (waiting.length > 0 && !stopping.signal.aborted) start();
    });
  };
  return {
    add: (line: Line) => {
      waiting.push(line);
      if (waiting.length > MOST_WAITING) {
        waiting.shift()?.done(false);
        dropped++;
      }
      start();
    },
    flush: async () => {
      hurried.abort();
      while (sending !== undefined) await sending;
      hurried = new AbortController();
    },
    stop: () => stopping.abort(),
  };
}

type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly waitMs: number };

/** One attempt of code that is not ours: whatever it throws, and whether it ever answers, the queue goes on. */
async function sendOwn(
  channel: OwnChannel,
  message: Message,
  { requestTimeoutMs }: NotifierOptions,
  stop: AbortSignal,
): Promise<Outcome> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(requestTimeoutMs)]);
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error(`no answer in ${requestTimeoutMs} ms`))),
  );
  try {
    await Promise.race([(async () => channel.messenger.send(message, signal))(), late]);
    return { kind: 'delivered' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unavailable', reason: redacted(channel, reason), waitMs: 0 };
  }
}

/** One attempt. Refused: asking again would give the same answer. */
async function send(
  channel: HttpChannel,
  message: Message,
  { requestTimeoutMs }: NotifierOptions,
  stop: AbortSignal,
): Promise<Outcome> {
  const { url, headers, body } = requestOf(channel, message);
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(requestTimeoutMs)]);
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    // Nobody reads the answer: its body may be endless.
    await answer.body?.cancel();
    if (answer.ok) return { kind: 'delivered' };
    const reason = `${channel.kind} answered ${answer.status}`;
    if (answer.status !== 429 && answer.status !== 408 && answer.status < 500)
      return { kind: 'refused', reason };
    const seconds = Number(answer.headers.get('retry-after'));
    return {
      kind: 'unavailable',
      reason,
      waitMs: Number.isFinite(seconds) ? 1000 * Math.max(0, seconds) : 0,
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: 'unavailable', reason: redacted(channel, String(cause)), waitMs: 0 };
  }
}

const redacted = (channel: Channel, text: string): string =>
  secretsOf(channel).reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text);

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
