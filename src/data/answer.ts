import { setMaxListeners } from 'node:events';
import { plainLine } from '../core/foundation/plain-text.ts';
import { errorCode } from './files.ts';

/** No answer, or one that cannot be read: worth another try. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The largest answers, lists of all markets, have some 20 MB. */
const MOST_BYTES = 64 * 2 ** 20;

/** No redirect: the answer to a question whether something has changed. */
const NOT_MODIFIED = 304;

/** A large answer over a slow line may take longer than one silence may. */
const WHOLE_ANSWER = 4;

/**
 * One HTTP request under limits of time and size, whatever the other side sends: its head, and every further piece,
 * within `timeoutMs`, all of it within four times that, its body at most 64 MiB after decompression. Redirects are
 * not followed. Throws `Unanswered`, or `signal.reason` when aborted.
 */
export async function answerOf(
  url: string,
  options: {
    readonly method?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly body?: string | undefined;
    readonly timeoutMs: number;
    readonly mostBytes?: number;
    readonly signal: AbortSignal;
  },
): Promise<Answer> {
  const { timeoutMs, mostBytes = MOST_BYTES, signal, method = 'GET', headers, body } = options;
  const limit = new AbortController();
  const after = (ms: number, what: string) =>
    setTimeout(() => limit.abort(new Unanswered(`${what} within ${ms / 1000} s`)), ms);
  // Of every signal that AbortSignal.any derives from one that lives as long as a session, Node 20 keeps a reference for good.
  const stop = (): void => limit.abort(signal.reason);
  if (signal.aborted) throw signal.reason;
  // As many as there are requests under way, one for each pair: no sign of a leak.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', stop, { once: true });
  const silence = after(timeoutMs, 'no answer');
  const whole = after(WHOLE_ANSWER * timeoutMs, 'no end of the answer');
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: limit.signal,
      ...(headers === undefined ? {} : { headers: { ...headers } }),
      ...(body === undefined ? {} : { body }),
    });
    const pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of pieces) {
      silence.refresh();
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > mostBytes) throw new Unanswered(`an answer of more than ${mostBytes / 2 ** 20} MiB`);
    }
    if (response.status >= 300 && response.status < 400 && response.status !== NOT_MODIFIED) {
      throw new Unanswered(`a redirect to "${plainLine(response.headers.get('location') ?? '', 100)}"`);
    }
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.concat(chunks).toString('utf8'),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof Unanswered) throw error;
    throw new Unanswered(networkFault(error), { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(silence);
    clearTimeout(whole);
  }
}

/** What fetch hides in the cause of "fetch failed": ECONNREFUSED, HPE_INVALID_CONSTANT, Z_DATA_ERROR ... */
export function networkFault(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? plainLine(cause.message, 200) : 'the connection failed';
  const code = errorCode(cause);
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}
