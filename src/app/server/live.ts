import { Conflict } from './answers.ts';

/** A source of what is sent to everybody who listens: the newest value, or `undefined` while there is none. */
export interface LiveSource {
  readonly event: string;
  /** Looked at again and again while somebody listens. */
  readonly value: () => Promise<unknown>;
}

export interface Live {
  /** The newest of every source at once, then what changes, as server-sent events, until `signal` aborts. */
  listen(signal: AbortSignal): Response;
  /** Something may have changed: look now, not at the next tick. */
  hurry(): void;
  close(): void;
}

const LOOK_EVERY_MS = 1000;
const HEARTBEAT_MS = 15_000;
const MOST_LISTENERS = 256;
/** A listener that does not read is let go when so many events wait for it. */
const MOST_WAITING = 64;

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** One look and one text for all listeners, however many there are; nothing is looked at while nobody listens. */
export function createLive(sources: readonly LiveSource[], redact: (text: string) => string): Live {
  const encoder = new TextEncoder();
  const listeners = new Set<Controller>();
  const newest = new Map<string, { readonly text: string; readonly bytes: Uint8Array }>();
  let looking = false;
  let again = false;
  let sentAt = performance.now();

  const send = (bytes: Uint8Array, to: Iterable<Controller>): void => {
    for (const listener of to) {
      if ((listener.desiredSize ?? 0) < -MOST_WAITING) {
        listeners.delete(listener);
        listener.error(new Error('does not read'));
      } else listener.enqueue(bytes);
    }
  };

  const look = async (): Promise<void> => {
    if (listeners.size === 0) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      for (const { event, value } of sources) {
        const text = redact(JSON.stringify((await value()) ?? null));
        if (newest.get(event)?.text === text) continue;
        const bytes = encoder.encode(`event: ${event}\ndata: ${text}\n\n`);
        newest.set(event, { text, bytes });
        send(bytes, [...listeners]);
        sentAt = performance.now();
      }
      if (performance.now() - sentAt > HEARTBEAT_MS) {
        send(encoder.encode(':\n\n'), [...listeners]);
        sentAt = performance.now();
      }
    } catch {
      // A file that cannot be read now: the next look may.
    } finally {
      looking = false;
      if (again) {
        again = false;
        void look();
      }
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();

  return {
    listen: (signal) => {
      if (listeners.size >= MOST_LISTENERS)
        throw new Conflict(`${listeners.size} listeners are connected already.`, {
          hint: 'Close some pages.',
        });
      let own: Controller | undefined;
      const leave = (): void => {
        if (own !== undefined) listeners.delete(own);
      };
      signal.addEventListener('abort', leave, { once: true });
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          controller.enqueue(encoder.encode('retry: 2000\n\n'));
          for (const { bytes } of newest.values()) controller.enqueue(bytes);
          listeners.add(controller);
          void look();
        },
        cancel: leave,
      });
      return new Response(body, {
        headers: { 'Content-Type': 'text/event-stream; charset=UTF-8', 'Cache-Control': 'no-store' },
      });
    },
    hurry: () => void look(),
    close: () => {
      clearInterval(timer);
      for (const listener of listeners) listener.close();
      listeners.clear();
    },
  };
}
