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

/** The other side did not answer as it should. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}
