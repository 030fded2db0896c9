import { join } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { type Answer, answerOf, Unanswered } from '../answer.ts';
import { readJson, writeFileAtomic } from '../files.ts';
import { createPatience } from '../patience.ts';
import { type Ask, SourceState, type TextSource } from './source.ts';
import { openTextStore, textFolder } from './store.ts';

export interface TextFetch {
  readonly source: string;
  /** `unchanged`: the source says that nothing is new; `paused`: it asked not to be asked yet; `failed`: see `reason`. */
  readonly outcome: 'fetched' | 'unchanged' | 'paused' | 'failed';
  readonly reason?: string;
  readonly added: number;
  readonly edits: number;
  readonly repeats: number;
  readonly known: number;
  /** Parts of answers that are no texts, each with its reason. */
  readonly rejected: readonly string[];
}

/** What a feed may send: the largest have two megabytes. */
const MOST_BYTES = 8 * 2 ** 20;
const SIDE_BY_SIDE = 4;
const LONGEST_PAUSE_MS = 24 * 3_600_000;

/** The source asks for a pause. */
class Pause extends Error {
  readonly untilMs: number;

  constructor(untilMs: number) {
    super(`asked for a pause until ${formatTime(untilMs)}`);
    this.untilMs = untilMs;
  }
}

/** The source refuses: asking again changes nothing. */
class Refused extends Error {}

/**
 * Asks every source once for what is new and takes it in. A page is on disk before the mark behind it moves, so a stop at
 * any point costs at most a page that is asked for again. One source's failure is its own.
 */
export async function fetchTexts(
  dataDir: string,
  sources: readonly TextSource[],
  options: {
    readonly timeoutMs: number;
    readonly retries: number;
    readonly retryDelayMs?: number;
    readonly now: () => number;
    readonly signal: AbortSignal;
    readonly log: Log;
    readonly onDone?: (done: TextFetch) => void;
  },
): Promise<readonly TextFetch[]> {
  const { now, signal, log, onDone } = options;
  const store = await openTextStore(dataDir);
  try {
    const states = new Map(Object.entries(await readStates(dataDir)));
    let saving: Promise<void> = Promise.resolve();
    const remember = (id: string, state: SourceState): Promise<void> => {
      states.set(id, state);
      saving = saving.then(() => writeStates(dataDir, states));
      return saving;
    };
    let taking: Promise<unknown> = Promise.resolve();
    const one = async (source: TextSource): Promise<TextFetch> => {
      const counts = { added: 0, edits: 0, repeats: 0, known: 0 };
      const rejected: string[] = [];
      let state = states.get(source.id) ?? {};
      const nothing = { source: source.id, ...counts, rejected };
      if ((state.notBeforeMs ?? 0) > now())
        return { ...nothing, outcome: 'paused', reason: `until ${formatTime(state.notBeforeMs ?? 0)}` };
      const ask = askWith({ ...options, name: source.id });
      let pages = 0;
      const startedMs = now();
      try {
        for await (const page of source.pages(state, ask, startedMs)) {
          signal.throwIfAborted();
          pages++;
          const turn = taking.then(() => store.take(source.id, page.found, now()));
          taking = turn.catch(() => undefined);
          const { added, ...counted } = await turn;
          counts.added += added.length;
          counts.edits += counted.edits;
          counts.repeats += counted.repeats;
          counts.known += counted.known;
          for (const why of page.rejected) {
            rejected.push(plainLine(why, 120));
            log.warn({ source: source.id }, `Left out: ${plainLine(why, 200)}`);
          }
          state = page.state;
          await remember(source.id, state);
        }
        const { notBeforeMs: _, ...kept } = state;
        await remember(source.id, { ...kept, lastPollMs: startedMs });
        return { source: source.id, ...counts, rejected, outcome: pages === 0 ? 'unchanged' : 'fetched' };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof Pause) {
          await remember(source.id, { ...state, notBeforeMs: error.untilMs });
          return { source: source.id, ...counts, rejected, outcome: 'paused', reason: error.message };
        }
        if (!(error instanceof Unanswered) && !(error instanceof Refused)) throw error;
        return {
          source: source.id,
          ...counts,
          rejected,
          outcome: 'failed',
          reason: plainLine(error.message, 200),
        };
      }
    };
    const limit = pLimit(SIDE_BY_SIDE);
    const results = await Promise.allSettled(
      sources.map((source) =>
        limit(async () => {
          const done = await one(source);
          onDone?.(done);
          return done;
        }),
      ),
    );
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  } finally {
    await store.close();
  }
}

function askWith({
  name,
  timeoutMs,
  retries,
  retryDelayMs = 500,
  now,
  signal,
  log,
}: {
  readonly name: string;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs?: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Ask {
  const patience = createPatience({
    name,
    retries,
    firstDelayMs: retryDelayMs,
    isTransient: (error) => error instanceof Unanswered,
    log,
  });
  return (url, { method, headers, body } = {}) =>
    patience.call(async () => {
      const answer = await answerOf(url, {
        ...(method === undefined ? {} : { method }),
        headers: { 'User-Agent': USER_AGENT, ...headers },
        ...(body === undefined ? {} : { body }),
        timeoutMs,
        mostBytes: MOST_BYTES,
        signal,
      });
      return accept(answer, now());
    }, signal);
}

/** Who asks: Reddit and others refuse requests that do not say. */
const USER_AGENT = 'crypto-trader/0.1 (research; personal feed reader)';

function accept(answer: Answer, nowMs: number): Answer {
  const { status, headers, body } = answer;
  if ((status >= 200 && status < 300) || status === 304) return answer;
  if (status === 429 || (status === 503 && headers['retry-after'] !== undefined))
    throw new Pause(nowMs + Math.min(LONGEST_PAUSE_MS, pauseMs(headers, nowMs)));
  const said = `status ${status}: ${plainLine(body.replaceAll(/<[^>]*>/g, ' '), 100)}`;
  throw status >= 500 || status === 408 ? new Unanswered(said) : new Refused(said);
}

const DEFAULT_PAUSE_MS = 60_000;

/** Retry-After (RFC 9110, 10.2.3), else the reset that X and Reddit tell. */
function pauseMs(headers: Readonly<Record<string, string>>, nowMs: number): number {
  const after = headers['retry-after'];
  const seconds = Number(after ?? headers['x-ratelimit-reset']);
  if (after !== undefined && Number.isNaN(seconds))
    return Math.max(0, Date.parse(after) - nowMs) || DEFAULT_PAUSE_MS;
  const reset = Number(headers['x-rate-limit-reset']);
  if (after === undefined && reset * 1000 > nowMs) return reset * 1000 - nowMs;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : DEFAULT_PAUSE_MS;
}

const States = z.record(z.string(), SourceState);

const statesPath = (dataDir: string): string => join(textFolder(dataDir), 'sources.json');

async function readStates(dataDir: string): Promise<z.output<typeof States>> {
  const path = statesPath(dataDir);
  return (await readJson(path, States, 'Delete it: the sources are asked from their start again.')) ?? {};
}

const writeStates = (dataDir: string, states: ReadonlyMap<string, SourceState>): Promise<void> =>
  writeFileAtomic(statesPath(dataDir), `${JSON.stringify(Object.fromEntries(states), undefined, 1)}\n`);

/** Throws `UserError` with the nearest id for a source that is not among those that are set. */
export function pickSources(sources: readonly TextSource[], ids: readonly string[]): readonly TextSource[] {
  return ids.map((id) => {
    const found = sources.find((source) => source.id === id);
    if (found !== undefined) return found;
    throw new UserError(`Unknown source of texts "${plainLine(id, 60)}".`, {
      hint: `Set and ready: ${sources.map((source) => source.id).join(', ') || 'none'}. "crypto-trader text sources" shows all.`,
    });
  });
}
