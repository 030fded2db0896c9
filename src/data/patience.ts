import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import type { Log } from '../core/foundation/log.ts';
import { SourceUnavailable } from './source.ts';

export interface PatienceOptions {
  readonly name: string;
  /** Further attempts after a failed one. */
  readonly retries: number;
  /** Pause before the first further attempt; it doubles, with jitter, up to 30 s. */
  readonly firstDelayMs?: number;
  /** The longest that a server may ask us to wait. */
  readonly longestWaitMs?: number;
  readonly isTransient: (error: Error) => boolean;
  readonly log: Log;
}

/** How requests to one host are repeated: all of them share what the host said about waiting. */
export interface Patience {
  /** Takes note of an answer's status and headers: 429 and 418 with Retry-After silence all requests. */
  heed(status: number, headers: Readonly<Record<string, string | undefined>>): void;
  /** Runs `request`, again with back-off while it fails for a passing reason. */
  call<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createPatience(options: PatienceOptions): Patience {
  const { name, retries, firstDelayMs = 500, longestWaitMs = 300_000, isTransient, log } = options;
  let silentUntilMs = 0;

  const waitForTurn = async (signal: AbortSignal): Promise<void> => {
    const waitMs = silentUntilMs - Date.now();
    if (waitMs <= 0) return;
    if (waitMs > longestWaitMs) {
      throw new SourceUnavailable(`${name} asks for ${Math.ceil(waitMs / 1000)} s without requests.`, {
        hint: 'Too many requests came from this address. Run the command again after that; it resumes where it stopped.',
      });
    }
    log.warn({ waitMs }, `${name} asks for a pause of ${Math.ceil(waitMs / 1000)} s`);
    await sleep(waitMs, undefined, { signal });
  };

  return {
    heed(status, headers) {
      if (status !== 429 && status !== 418) return;
      const waitMs = retryAfterMs(headers['Retry-After'] ?? headers['retry-after']);
      if (waitMs !== undefined) silentUntilMs = Math.max(silentUntilMs, Date.now() + waitMs);
    },
    call: (request, signal) =>
      pRetry(
        async () => {
          await waitForTurn(signal);
          try {
            return await request();
          } catch (error) {
            if (error instanceof Error && isTransient(error)) throw error;
            throw error instanceof Error ? new AbortError(error) : error;
          }
        },
        {
          retries,
          minTimeout: firstDelayMs,
          maxTimeout: 30_000,
          randomize: true,
          signal,
          onFailedAttempt: ({ error, retriesLeft }) => {
            if (retriesLeft > 0) log.debug({ retriesLeft }, `${name}: ${error.message}; trying again`);
          },
        },
      ),
  };
}

/** Retry-After is a number of seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - Date.now());
}
