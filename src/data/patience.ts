import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import { formatTime } from '../core/foundation/time.ts';
import type { Log } from '../core/foundation/log.ts';
import { plainLine } from '../core/foundation/plain-text.ts';
import { SourceUnavailable } from './source.ts';

export interface PatienceOptions {
  readonly name: string;
  /** Further attempts after a failed one. */
  readonly retries: number;
  /** Pause before the first further attempt; it doubles, with jitter, up to 30 s. */
  readonly firstDelayMs?: number;
  readonly isTransient: (error: Error) => boolean;
  readonly log: Log;
}

/** How requests to one host are repeated: all of them share what the host said about waiting. */
export interface Patience {
  /** Takes note of an answer's status and headers: 429, 418 and 503 with Retry-After silence all requests. */
  heed(status: number, headers: Readonly<Record<string, string | undefined>>): void;
  /**
   * Runs `request`, again with back-off while it fails for a passing reason. Throws `SourceUnavailable` at once when
   * the host asks for a longer silence than anyone waits out, and `signal.reason` when aborted.
   */
  call<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Longer silences are not waited out. */
const LONGEST_WAIT_MS = 300_000;

/** What a server may ask for is believed up to this: Binance bans for three days at most, others speak of minutes. */
const LONGEST_BAN_MS = 3 * 86_400_000;
const LONGEST_BELIEVED_MS = 3_600_000;

export function createPatience(options: PatienceOptions): Patience {
  const { name, retries, firstDelayMs = 500, isTransient, log } = options;
  let silentUntilMs = 0;

  const assertShortSilence = (): void => {
    const waitMs = silentUntilMs - Date.now();
    if (waitMs <= LONGEST_WAIT_MS) return;
    throw new SourceUnavailable(`${name} asks for ${Math.ceil(waitMs / 1000)} s without requests.`, {
      hint: `Too many requests came from this address. Run the command again after ${formatTime(silentUntilMs)}; it resumes where it stopped.`,
    });
  };
  const waitForTurn = async (signal: AbortSignal): Promise<void> => {
    assertShortSilence();
    const waitMs = silentUntilMs - Date.now();
    if (waitMs <= 0) return;
    log.warn({ waitMs }, `${name} asks for a pause of ${Math.ceil(waitMs / 1000)} s`);
    await sleep(waitMs, undefined, { signal });
  };
  const attempt = async <T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await waitForTurn(signal);
    try {
      return await request();
    } catch (error) {
      if (error instanceof Error && isTransient(error)) assertShortSilence();
      throw error;
    }
  };

  return {
    heed(status, headers) {
      if (status !== 429 && status !== 418 && status !== 503) return;
      const waitMs = retryAfterMs(headers['Retry-After'] ?? headers['retry-after']);
      if (waitMs === undefined) return;
      const believedMs = Math.min(waitMs, status === 418 ? LONGEST_BAN_MS : LONGEST_BELIEVED_MS);
      silentUntilMs = Math.max(silentUntilMs, Date.now() + believedMs);
    },
    call: (request, signal) =>
      pRetry(
        () =>
          unlessAborted(attempt(request, signal), signal).catch((error: unknown) => {
            if (!(error instanceof Error) || isTransient(error)) throw error;
            throw new AbortError(error);
          }),
        {
          retries,
          minTimeout: firstDelayMs,
          maxTimeout: 30_000,
          randomize: true,
          signal,
          onFailedAttempt: ({ error, retriesLeft }) => {
            if (retriesLeft > 0)
              log.debug({ retriesLeft }, `${name}: ${plainLine(error.message)}; trying again`);
          },
        },
      ),
  };
}

/** Ctrl-C does not wait for an answer. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const listening = new AbortController();
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { signal: listening.signal }),
  );
  try {
    await Promise.race([work, aborted]);
  } finally {
    listening.abort();
  }
  signal.throwIfAborted();
  return work;
}

/** Retry-After is a number of seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - Date.now());
}
