import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { formatTime } from '../../core/foundation/time.ts';
import { concatCandles, type Candles } from '../../core/market/candles.ts';
import { firstFault } from '../../data/candle-faults.ts';
import type { CandleRequest, CandleSource } from '../../data/source.ts';
import { tryLaws } from './try-laws.ts';
import type { Verdict } from './verdict.ts';

interface Subject {
  readonly source: CandleSource;
  /** What it is asked for: a range in which it has bars. */
  readonly request: Omit<CandleRequest, 'signal'>;
  /** How long it may think about one answer. */
  readonly patienceMs: number;
}

/** What every source of candles promises. Each throws when `source` does not keep it. */
const SOURCE_LAWS: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  'answers in time': async ({ source, request, patienceMs }) => {
    const stop = new AbortController();
    const asked = { ...request, signal: stop.signal };
    const soon = async <T>(what: string, answer: Promise<T>): Promise<T> => {
      const late = setTimeout(patienceMs, undefined, { signal: stop.signal, ref: false }).then(() =>
        assert.fail(`${what} did not come within ${patienceMs / 1000} s`),
      );
      return Promise.race([answer, late]);
    };
    try {
      await soon('its time', source.clockMs(stop.signal));
      const pages = source.pages(asked)[Symbol.asyncIterator]();
      await soon('the first page of its own example', pages.next());
    } finally {
      stop.abort();
    }
  },

  'tells its time in milliseconds since 1970': async ({ source }) => {
    const clockMs = await source.clockMs(new AbortController().signal);
    assert.ok(clockMs > Date.UTC(2015) && clockMs < Date.UTC(2100), `it says ${clockMs}`);
  },

  'has bars in the range of its own example': async (subject) => {
    assert.ok((await barsOf(subject)).time.length > 0, 'no page has a bar');
  },

  'sends sane bars on the grid of the timeframe, in order of time, without duplicates': async (subject) => {
    assert.equal(firstFault(await barsOf(subject), subject.request.timeframe)?.message, undefined);
  },

  'sends no bar outside the range that it was asked for': async (subject) => {
    const { sinceMs, untilMs } = subject.request;
    const outside = (await barsOf(subject)).time.find((time) => time < sinceMs || time >= untilMs);
    assert.equal(outside && formatTime(outside), undefined);
  },

  'says of each page which times it has answered for, its own bars among them': async (subject) => {
    for await (const { candles, covered } of subject.source.pages(requestOf(subject))) {
      const outside = candles.time.find((time) => time < covered.fromMs || time >= covered.untilMs);
      assert.equal(outside && formatTime(outside), undefined);
    }
  },

  'gives the same bars when it is asked again': async (subject) => {
    assert.deepEqual(await barsOf(subject), await barsOf(subject));
  },

  'ends soon after it was told to stop': async (subject) => {
    const stop = new AbortController();
    let pages = 0;
    const reading = (async () => {
      for await (const page of subject.source.pages({ ...subject.request, signal: stop.signal })) {
        assert.ok(page.candles.time.length >= 0);
        if (++pages === 1) stop.abort(new Error('stop'));
        assert.ok(pages <= 3, 'it never stops sending pages');
      }
    })();
    await reading.catch((error: unknown) => {
      if (error !== stop.signal.reason) throw error;
    });
  },
};

const requestOf = ({ request }: Subject): CandleRequest => ({
  ...request,
  signal: new AbortController().signal,
});

async function barsOf(subject: Subject): Promise<Candles> {
  const parts: Candles[] = [];
  for await (const { candles } of subject.source.pages(requestOf(subject))) parts.push(candles);
  return concatCandles(parts);
}

/**
 * Tries every law on a source of candles, by asking it for `request` several times. One that does not answer within
 * `patienceMs`, a minute unless said otherwise, is asked nothing more.
 */
export async function* checkSource(
  source: CandleSource,
  request: Omit<CandleRequest, 'signal'>,
  { patienceMs = 60_000, ...options }: { readonly signal?: AbortSignal; readonly patienceMs?: number } = {},
): AsyncGenerator<Verdict> {
  for await (const verdict of tryLaws(SOURCE_LAWS, { source, request, patienceMs }, options)) {
    yield verdict;
    if (verdict.law === 'answers in time' && verdict.kind === 'broken') return;
  }
}
