import { existsSync } from 'node:fs';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import type { BenchRow } from './bench.ts';

const BARS = 50_000;
const TRADES = 10_000;
/** A day of bars of a minute. */
const UPDATES = 1440;
const HOUR = 3_600_000;

const executable = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== '' && existsSync(path),
);

const Event = z.looseObject({
  name: z.string(),
  dur: z.number().optional(),
  tid: z.number(),
  ts: z.number(),
});
type Event = z.output<typeof Event>;

/** The page of the server at `url` in Chromium: none without one. Big answers are made here, so that only the page is measured. */
export async function pageRows(url: string, token: string): Promise<readonly BenchRow[]> {
  if (executable === undefined) return [];
  const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    return [
      ...(await firstLoad(context, url, token)),
      await panning(context, url),
      await scrolling(context, url),
      await following(context, url),
    ];
  } finally {
    await browser.close();
  }
}

async function firstLoad(context: BrowserContext, url: string, token: string): Promise<readonly BenchRow[]> {
  // The token stays in the first tab; the others are given it.
  await context.addInitScript(`sessionStorage.setItem('crypto-trader-token', ${JSON.stringify(token)})`);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('.chart canvas').first().waitFor();
  const [bytes, ms] = z
    .tuple([z.number(), z.number()])
    .parse(
      await page.evaluate(
        `[performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css|svg)$/.test(name)).reduce((sum, one) => sum + one.encodedBodySize, 0), performance.now()]`,
      ),
    );
  await page.close();
  return [
    {
      name: 'page, first load',
      value: bytes / 1024,
      unit: 'kB',
      target: '<= 150 kB',
      note: 'compressed, charts included',
    },
    { name: 'page, until candles stand', value: ms, unit: 'ms', target: '<= 1000 ms' },
  ];
}

/** Drags 50 000 candles to and fro. */
async function panning(context: BrowserContext, url: string): Promise<BenchRow> {
  const page = await context.newPage();
  const time = Array.from({ length: BARS }, (_, i) => Date.UTC(2020, 0, 1) + i * HOUR);
  const close = time.map((_, i) => 60_000 + 5000 * Math.sin(i / 97) + (i % 7));
  const dataset = {
    exchange: 'bench',
    symbol: 'BTC/USDT',
    timeframe: '1h',
    source: 'bench',
    synthetic: true,
    rows: BARS,
    firstTime: new Date(time[0]).toISOString(),
    lastTime: new Date(time[BARS - 1]).toISOString(),
    gaps: [],
    months: [],
    sha256: '0'.repeat(64),
  };
  await page.route('**/api/datasets', (route) => route.fulfill({ json: { datasets: [dataset] } }));
  await page.route('**/api/candles?*', (route) =>
    route.fulfill({
      json: {
        ...dataset,
        time,
        open: close.map((value) => value - 3),
        high: close.map((value) => value + 20),
        low: close.map((value) => value - 20),
        close,
        volume: close.map((_, i) => 100 + (i % 900)),
      },
    }),
  );
  await page.goto(`${url}#/markets`);
  await page.locator('.chart canvas').first().waitFor();
  const box = await page.locator('.chart').first().boundingBox();
  if (box === null) throw new Error('the chart has no size');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + 300, y);
  const perFrame = await traced(page, async () => {
    await page.mouse.down();
    for (let move = 0; move < 120; move++)
      await page.mouse.move(box.x + 300 + 400 * Math.abs(Math.sin(move / 20)), y);
    await page.mouse.up();
  });
  await page.close();
  return {
    name: `page, ${BARS.toLocaleString('en')} candles, a frame of panning`,
    value: perFrame,
    unit: 'ms',
    target: '<= 8 ms',
    note: 'of the main thread, by trace',
  };
}

async function scrolling(context: BrowserContext, url: string): Promise<BenchRow> {
  const page = await context.newPage();
  const at = (i: number): string => new Date(Date.UTC(2025, 0, 1) + i * HOUR).toISOString();
  const trades = Array.from({ length: TRADES }, (_, i) => ({
    symbol: 'BTC/USDT',
    side: 'long',
    entryTime: at(i),
    exitTime: at(i + 3),
    entryPrice: 60_000,
    exitPrice: 60_010,
    baseAmount: 0.01,
    profitQuote: (i % 9) - 4,
    profitPct: 0.1,
    exit: 'target',
  }));
  const found = {
    id: 'bench',
    time: at(0),
    exchange: 'bench',
    timeframe: '1h',
    bars: TRADES,
    sentences: [],
    metrics: {},
    benchmark: { name: 'buy-and-hold' },
    models: [],
    trades,
    costTerms: '',
    costs: {},
    confidence: {},
    rules: { initialBalance: 10_000 },
  };
  await page.route('**/api/backtests', (route) =>
    route.fulfill({ json: { backtests: [{ id: 'bench', time: at(0) }] } }),
  );
  await page.route('**/api/backtests/bench', (route) => route.fulfill({ json: found }));
  await page.route('**/api/backtests/bench/equity*', (route) =>
    route.fulfill({ json: { time: [], curves: {} } }),
  );
  await page.goto(`${url}#/backtests`);
  const table = page.getByRole('table', { name: /^Trades/ });
  await table.scrollIntoViewIfNeeded();
  await table.hover();
  const perFrame = await traced(page, async () => {
    for (let turn = 0; turn < 60; turn++) await page.mouse.wheel(0, 4000);
  });
  const rows = await table.locator('.line').count();
  await page.close();
  return {
    name: `page, ${TRADES.toLocaleString('en')} trades, a frame of scrolling`,
    value: perFrame,
    unit: 'ms',
    target: '<= 8 ms',
    note: `${rows} rows exist`,
  };
}

/** A day of bars through the live stream, as fast as the page takes them: what stays of them in memory. */
async function following(context: BrowserContext, url: string): Promise<BenchRow> {
  const page = await context.newPage();
  await page.addInitScript(`(() => {
    const real = window.fetch, encoder = new TextEncoder();
    const json = (value) => new Response(JSON.stringify(value), { headers: { 'Content-Type': 'application/json' } });
    const time = (i) => Date.UTC(2026, 0, 1) + i * 60000;
    const bars = (now) => Array.from({ length: Math.min(300, now) }, (_, i) => now - Math.min(300, now) + i);
    let now = 1, push;
    const status = () => ({ name: 'bench', sessionId: 'bench', state: 'running', mode: 'trade', exchange: 'bench', timeframe: '1m', feed: 'exchange', synthetic: true, equity: 10000, cash: 10000, positions: [] });
    const session = () => ({ ...status(), bars: now, changePct: 0, drawdownPct: 0, maxDrawdownPct: 0, closedTrades: 0, winningTrades: 0, equityCurve: [] });
    window.fetch = (path, options) => {
      if (path === '/api/live') return Promise.resolve(new Response(new ReadableStream({ start: (controller) => (push = controller) })));
      if (path === '/api/paper') return Promise.resolve(json({ sessions: [status()] }));
      if (path === '/api/paper/bench') {
        const kept = bars(now);
        return Promise.resolve(json({ status: status(), bars: now, session: { rules: { initialBalance: 10000 } }, equity: kept.map((i) => 10000 + i), hold: kept.map(() => 10000), curveTime: kept.map(time), time: kept.map(time), candles: [{ symbol: 'BTC/USDT', bars: kept.map((i) => [60000 + i, 60020 + i, 59990 + i, 60010 + i, 5]) }], events: [] }));
      }
      return real(path, options);
    };
    window.bench = (bar) => {
      now = bar;
      push.enqueue(encoder.encode('event: view\\ndata: ' + JSON.stringify({ session: session(), positions: [], signals: [] }) + '\\n\\n'));
    };
  })()`);
  await page.goto(url);
  const shows = async (bars: number): Promise<void> => {
    await page.evaluate(`window.bench(${bars})`);
    await page
      .getByRole('img', {
        name: `BTC/USDT: ${Math.min(300, bars)} bars, last close ${60_009 + bars}, 0 fills`,
      })
      .waitFor();
  };
  await page.locator('h1').waitFor();
  const debug = await context.newCDPSession(page);
  for (let bars = 2; bars <= 400; bars++) await shows(bars);
  const before = await heapBytes(debug);
  for (let bars = 401; bars <= UPDATES; bars++) await shows(bars);
  const after = await heapBytes(debug);
  await page.close();
  return {
    name: `page, memory after ${UPDATES.toLocaleString('en')} bars`,
    value: (after - before) / 2 ** 20,
    unit: 'MiB more',
    target: '<= 1 MiB more',
    note: `than after 400; ${(after / 2 ** 20).toFixed(1)} MiB in all`,
  };
}

async function heapBytes(debug: CDPSession): Promise<number> {
  for (let turn = 0; turn < 3; turn++) await debug.send('HeapProfiler.collectGarbage');
  const { usedSize } = await debug.send('Runtime.getHeapUsage');
  return usedSize;
}

/** Milliseconds of the renderer's main thread for each frame that `work` made it draw, from a trace of Chromium. */
async function traced(page: Page, work: () => Promise<void>): Promise<number> {
  const debug = await page.context().newCDPSession(page);
  const events: Event[] = [];
  debug.on('Tracing.dataCollected', ({ value }) => events.push(...z.array(Event).parse(value)));
  const ended = new Promise<void>((done) => debug.once('Tracing.tracingComplete', () => done()));
  await debug.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: [
        'toplevel',
        'devtools.timeline',
        '__metadata',
        'disabled-by-default-devtools.timeline',
      ],
    },
  });
  await work();
  await debug.send('Tracing.end');
  await ended;
  // Once for each frame of the main thread.
  const thread = events.find(({ name }) => name === 'PrePaint')?.tid;
  const own = events.filter(({ tid }) => tid === thread);
  const frames = own.filter(({ name }) => name === 'PrePaint').length;
  if (frames < 10) throw new Error(`only ${frames} frames were drawn`);
  const busy = own
    .filter(({ name }) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask')
    .reduce((sum, { dur = 0 }) => sum + dur, 0);
  return busy / 1000 / frames;
}
