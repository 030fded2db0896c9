import { z } from 'zod';
import { formatTime, parseTime, parseUntil } from '../../../core/foundation/time.ts';
import { CANDLE_COLUMNS, sliceCandles } from '../../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { isOfMonth } from '../../../data/store/layout.ts';
import type { DatasetManifest } from '../../../data/store/store.ts';
import { NotFound } from '../answers.ts';
import { endpoint } from '../endpoint.ts';
import { Day, Exchange, Pair, Timeframe } from '../jobs/kinds.ts';

const numbers = z.array(z.number());
const Candles = z.object({
  exchange: z.string(),
  symbol: z.string(),
  timeframe: z.string(),
  synthetic: z.boolean(),
  sha256: z.string(),
  /** Opens of the bars, epoch ms UTC. */
  time: numbers,
  open: numbers,
  high: numbers,
  low: numbers,
  close: numbers,
  volume: numbers,
});

const Dataset = z.object({
  exchange: z.string(),
  symbol: z.string(),
  timeframe: z.string(),
  source: z.string(),
  synthetic: z.boolean(),
  rows: z.number(),
  firstTime: z.string(),
  lastTime: z.string(),
  gaps: z.array(z.object({ from: z.string(), to: z.string(), bars: z.number(), checked: z.boolean() })),
  /** Bars stored of those that the month has between the first and the last bar of the dataset. */
  months: z.array(z.object({ month: z.string(), rows: z.number(), bars: z.number() })),
  sha256: z.string(),
});

const MOST_BARS = 200_000;
const KEPT_ANSWERS = 8;

/** Bodies of whole answers by what they are of; a changed dataset has another hash. */
const answered = new Map<string, Uint8Array<ArrayBuffer>>();

export const market = [
  endpoint({
    method: 'get',
    path: '/api/datasets',
    tag: 'Market',
    summary: 'Stored candles: coverage by month, and gaps.',
    answers: z.object({ datasets: z.array(Dataset) }),
    answer: async (_, { store }) => ({ datasets: (await store.list()).map(datasetOf) }),
  }),
  endpoint({
    method: 'get',
    path: '/api/candles',
    tag: 'Market',
    summary: 'Candles as columns, the newest `limit` of a range.',
    query: z.object({
      exchange: Exchange,
      symbol: Pair,
      timeframe: Timeframe,
      since: Day.optional(),
      until: Day.optional(),
      limit: z.coerce.number().int().min(1).max(MOST_BARS).default(20_000),
    }),
    answers: Candles,
    answer: async ({ query: { since, until, limit, ...key }, request }, { store }) => {
      const manifest = await store.manifest(key);
      if (manifest === undefined)
        throw new NotFound(`No candles of ${key.exchange} ${key.symbol} ${key.timeframe} are stored.`, {
          hint: 'Fetch them: POST /api/jobs {"kind": "fetch"}.',
        });
      const name = [key.exchange, key.symbol, key.timeframe, manifest.sha256, since, until, limit].join(' ');
      const etag = `"${manifest.sha256.slice(0, 24)}-${since ?? ''}-${until ?? ''}-${limit}"`;
      const headers = {
        ETag: etag,
        'Cache-Control': 'private, no-cache',
        'Content-Type': 'application/json',
      };
      if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
      const body = answered.get(name) ?? (await bodyOf());
      answered.delete(name);
      answered.set(name, body);
      for (const oldest of [...answered.keys()].slice(0, -KEPT_ANSWERS)) answered.delete(oldest);
      return new Response(body, { headers });

      async function bodyOf(): Promise<Uint8Array<ArrayBuffer>> {
        const all = await store.read(key, {
          ...(since !== undefined && { sinceMs: parseTime(since) }),
          ...(until !== undefined && { untilMs: parseUntil(until) }),
        });
        const candles = sliceCandles(all, Math.max(0, all.time.length - limit));
        const { synthetic = false, sha256 = '' } = manifest ?? {};
        const columns = CANDLE_COLUMNS.map((column) => `"${column}":[${candles[column].join(',')}]`);
        const head = JSON.stringify({ ...key, synthetic, sha256 }).slice(0, -1);
        return new TextEncoder().encode(`${head},${columns.join(',')}}`);
      }
    },
  }),
];

function datasetOf(manifest: DatasetManifest): z.input<typeof Dataset> {
  const {
    exchange,
    symbol,
    timeframe,
    source,
    synthetic,
    rows,
    firstTimeMs,
    lastTimeMs,
    gaps,
    parts,
    sha256,
  } = manifest;
  const step = TIMEFRAME_MS[timeframe];
  return {
    exchange,
    symbol,
    timeframe,
    source,
    synthetic,
    rows,
    firstTime: formatTime(firstTimeMs),
    lastTime: formatTime(lastTimeMs),
    gaps: gaps.map((gap) => ({
      from: formatTime(gap.fromMs),
      to: formatTime(gap.toMs),
      bars: gap.bars,
      checked: gap.checked,
    })),
    months: monthsBetween(firstTimeMs, lastTimeMs).map(({ month, fromMs, untilMs }) => {
      const from = Math.max(fromMs, firstTimeMs);
      const until = Math.min(untilMs, lastTimeMs + step);
      return {
        month,
        rows: parts.reduce((sum, part) => sum + (isOfMonth(part.file, month) ? part.rows : 0), 0),
        bars: Math.max(0, Math.ceil((until - from) / step)),
      };
    }),
    sha256,
  };
}

function monthsBetween(fromMs: number, toMs: number) {
  const months: { month: string; fromMs: number; untilMs: number }[] = [];
  const at = new Date(fromMs);
  let [year, index] = [at.getUTCFullYear(), at.getUTCMonth()];
  for (let start = Date.UTC(year, index); start <= toMs; start = Date.UTC(year, index)) {
    const next = Date.UTC(year, index + 1);
    months.push({ month: `${year}-${String(index + 1).padStart(2, '0')}`, fromMs: start, untilMs: next });
    [year, index] = index === 11 ? [year + 1, 0] : [year, index + 1];
  }
  return months;
}
