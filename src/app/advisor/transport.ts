import { createHash } from 'node:crypto';

/** As the SDKs take it. */
export type Fetch = typeof globalThis.fetch;

/** An answer of a model has some kilobytes. */
const MOST_BYTES = 4 * 2 ** 20;

/**
 * `fetch` under limits: the head of an answer and every further piece within `timeoutMs`, at most 4 MiB of it, no redirect
 * (a key goes nowhere but where it was meant to go).
 */
export function boundedFetch({ timeoutMs }: { readonly timeoutMs: number }): Fetch {
  return async (input, init) => {
    const limit = new AbortController();
    const late = (): void => limit.abort(new NoAnswer(`no answer within ${timeoutMs / 1000} s`));
    const timer = setTimeout(late, timeoutMs).unref();
    const signals = [limit.signal, ...(init?.signal ? [init.signal] : [])];
    try {
      const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
      let bytes = 0;
      const measured = response.body?.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform: (piece, controller) => {
            timer.refresh();
            bytes += piece.length;
            if (bytes > MOST_BYTES)
              limit.abort(new NoAnswer(`an answer of more than ${MOST_BYTES / 2 ** 20} MiB`));
            else controller.enqueue(piece);
          },
          flush: () => clearTimeout(timer),
        }),
      );
      if (measured === undefined) clearTimeout(timer);
      const { status, statusText, headers } = response;
      return new Response(measured ?? null, { status, statusText, headers });
    } catch (error) {
      clearTimeout(timer);
      if (limit.signal.aborted) throw limit.signal.reason;
      throw error;
    }
  };
}

/** One answer as it came over the wire: enough to give it again. */
export interface Exchange {
  /** SHA-256 of the request's body. */
  readonly requestSha256: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** `fetch` that keeps every whole answer in `exchanges`. */
export const recordingFetch =
  (fetch: Fetch, exchanges: Exchange[]): Fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    const body = await response.text();
    const { status, headers } = response;
    const contentType = headers.get('content-type') ?? '';
    exchanges.push({ requestSha256: hashOf(bodyOf(init)), status, contentType, body });
    return new Response(body, { status, headers });
  };

/** Gives recorded answers again, in their order, without any network. A request that is not the recorded one is refused. */
export function recordedFetch(exchanges: readonly Exchange[]): Fetch {
  const left = [...exchanges];
  return async (_, init) => {
    const next = left.shift();
    if (next === undefined) throw new NoAnswer('the recording ends before this request');
    if (next.requestSha256 !== hashOf(bodyOf(init)))
      throw new NoAnswer('the request is not the one that was recorded');
    return new Response(next.body, { status: next.status, headers: { 'content-type': next.contentType } });
  };
}

const bodyOf = (init: Parameters<Fetch>[1]): string => (typeof init?.body === 'string' ? init.body : '');

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The other side did not answer as it should. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}
