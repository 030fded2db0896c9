import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';
import { fetchTexts } from '../../../src/data/text/fetch.ts';
import { cryptopanicSource } from '../../../src/data/text/sources/cryptopanic.ts';
import { feedSource } from '../../../src/data/text/sources/feed.ts';
import { gdeltSource } from '../../../src/data/text/sources/gdelt.ts';
import { redditApi } from '../../../src/data/text/sources/reddit-api.ts';
import { xSource } from '../../../src/data/text/sources/x.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { SERIES_WIRES } from '../../support/texts/series.ts';
import { startTextServer } from '../../support/texts/server.ts';
import { type ServedText, WIRE_FORMATS } from '../../support/texts/sources.ts';

/** `npm run texts:doubles`: three months instead of one. */
const WHOLE = process.env['TEXTS'] === 'whole';
const [HOURS, FOLDS] = WHOLE ? [2160, 4] : [720, 1];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Always at the same hour, so that bars of a day are the same ones.
const END = Math.floor(Date.now() / DAY) * DAY;
const START = END - HOURS * HOUR;
/** For so many hours the news are of one kind, and from the third on the market does what they say. */
const BLOCK = 6;

const random = createRandom(3);
const kinds = Array.from({ length: HOURS / BLOCK + 1 }, () => (random() < 0.5 ? -1 : 1));

function candles(): Candles {
  const made = emptyCandles(12 * HOURS);
  let price = 50_000;
  for (let row = 0; row < made.time.length; row++) {
    const hour = Math.floor(row / 12);
    const told = hour % BLOCK >= 2 ? 0.0025 * kinds[Math.floor(hour / BLOCK)] : 0;
    const open = price;
    price = Math.round(100 * price * Math.exp(told / 12 + 0.0012 * normal(random))) / 100;
    made.time[row] = START + (row * HOUR) / 12;
    made.open[row] = open;
    made.close[row] = price;
    made.high[row] = Math.max(open, price);
    made.low[row] = Math.min(open, price);
    made.volume[row] = 10 + random();
  }
  return made;
}

const WORDS = (
  'Monday Tuesday Tokyo London Paris Lagos Lima Oslo Seoul Texas desk fund bank court ministry survey index ledger wallet miner ' +
  'bridge vault note bulletin briefing quarter auction harbour county province senate academy broker trader analyst engineer ' +
  'auditor custodian treasurer publisher council network protocol committee registry studio garage island valley river summit'
).split(' ');
const word = (): string => WORDS[Math.floor(random() * WORDS.length)];

/** Headlines of one source, `everyHours`, each written within the hour. */
function stories(source: number, everyHours: number): readonly ServedText[] {
  return Array.from({ length: HOURS / everyHours }, (_, i): ServedText => {
    const kind = kinds[Math.floor((i * everyHours) / BLOCK)];
    const said = kind > 0 ? 'surges, great gains and optimism' : 'crashes, terrible losses and panic';
    return {
      id: 100 + i,
      title: `${word()} ${word()} ${word()} ${word()}: bitcoin ${said}, says ${word()} ${word()} ${word()} ${word()} ${source}`,
      timeMs: START + i * everyHours * HOUR + Math.floor(random() * 0.7 * HOUR),
    };
  });
}

const KEYS = {
  CRYPTOPANIC_TOKEN: 'a-token',
  REDDIT_CLIENT_ID: 'an-id',
  REDDIT_CLIENT_SECRET: 'a-secret',
  X_BEARER_TOKEN: 'a-token',
  GLASSNODE_API_KEY: 'a-key',
  FRED_API_KEY: 'a-key',
  ALPHA_VANTAGE_API_KEY: 'a-key',
};

/** Doubles of every source of texts, which serve what had been written by the time of `clock`. */
async function textDoubles(clock: { readonly nowMs: number }): Promise<Readonly<Record<string, string>>> {
  const open = WIRE_FORMATS.map(async ({ name, body, before }, source) => {
    const all = stories(source, source === 0 ? 1 : 12);
    const { url } = await startTextServer(
      ({ path }) =>
        before?.(path) ?? {
          body: body(
            all.filter(({ timeMs }) => timeMs <= clock.nowMs && timeMs > clock.nowMs - DAY).toReversed(),
          ),
        },
    );
    return [name, url] as const;
  });
  return Object.fromEntries(await Promise.all(open));
}

/** Doubles of every host of series, with a value for every day. */
async function seriesDoubles(): Promise<Readonly<Record<string, string>>> {
  const count = Math.ceil(HOURS / 24);
  const first = Math.floor(START / DAY) * DAY;
  const open = SERIES_WIRES.map(async (wire) => {
    // Month by month the same: an index that only rises would leave what it can be.
    const days = Array.from({ length: count }, (_, i) => [first + i * DAY, wire.value(i % 30)] as const);
    // Of Yahoo's indices one is no price: VIX stands between 10 and 80.
    const { url } = await startTextServer(({ path }) => ({
      body: JSON.stringify(
        wire.body(path.includes('VIX') ? days.map(([timeMs], i) => [timeMs, 15 + (i % 10)] as const) : days),
      ),
    }));
    return [wire.name, url] as const;
  });
  return Object.fromEntries(await Promise.all(open));
}

const Evaluation = z.object({
  branches: z.array(z.object({ name: z.string(), weightPct: z.number() })),
  absent: z.array(z.object({ name: z.string() })),
  earned: z.object({
    bars: z.number(),
    returnPctPerYear: z.number(),
    returnInterval: z.object({ low: z.number(), high: z.number() }),
  }),
});

it(
  'one command fetches, scores, joins, trains and tries late fusion with all of its branches, and says what texts added',
  {
    timeout: WHOLE ? 3_600_000 : 600_000,
  },
  async () => {
    const exchange = await startExchange({ pairs: [pair('BTC/USDT', { '5m': candles() })], nowMs: END });
    onTestFinished(() => exchange.close());
    const clock = { nowMs: START };
    const texts = await textDoubles(clock);
    const series = await seriesDoubles();
    const cwd = temporaryFolder();
    const config = {
      exchange: { id: 'binance', baseUrl: exchange.url },
      market: { symbols: ['BTC/USDT'], since: new Date(START).toISOString() },
      fetch: { yahooUrl: series['Yahoo'], retries: 0 },
      // The double's own perpetuals.
      features: { derivatives: 'binance', otherDerivatives: 'binance' },
      models: {
        'late-fusion': {
          ...{ features: ['bar_return'], finerFeatures: ['bar_return'], longerFeatures: ['bar_return'] },
          ...{ fine: ['5m'], coarse: ['1h', '1d'], lookBack: 6, dayLookBack: 3, textLookBack: 2 },
          ...{ hidden: 8, layers: 1, batchSize: 32, epochs: WHOLE ? 10 : 8, learningRate: 1e-2 },
        },
      },
      text: {
        feeds: { news: `${texts['RSS']}/rss` },
        subreddits: ['Bitcoin'],
        redditUrl: texts["Reddit's API"],
        redditApiUrl: texts["Reddit's API"],
        gdelt: { query: 'bitcoin', url: texts['GDELT'] },
        cryptopanic: { url: texts['CryptoPanic'] },
        x: { query: 'bitcoin', readsPerDay: 100_000, url: texts['X'] },
      },
      series: {
        fearGreedUrl: series['alternative.me'],
        coinMetricsUrl: series['Coin Metrics'],
        defiLlamaUrl: series['DefiLlama'],
        blockchainUrl: series['blockchain.com'],
        mempoolUrl: series['mempool.space'],
        glassnodeUrl: series['Glassnode'],
      },
    };
    // JSON is YAML.
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));

    // Weeks of a cron line by the clock of the doubles: the feed is asked every hour, the others twice a day.
    const feed = feedSource('news', `${texts['RSS']}/rss`);
    const others = [
      gdeltSource('bitcoin', texts['GDELT']),
      cryptopanicSource({ baseUrl: texts['CryptoPanic'], plan: 'developer', token: 'a-token' }),
      redditApi({
        tokenUrl: texts["Reddit's API"],
        apiUrl: texts["Reddit's API"],
        clientId: 'an-id',
        clientSecret: 'a-secret',
      })('Bitcoin'),
      xSource({ baseUrl: texts['X'], token: 'a-token', query: 'bitcoin', readsPerDay: 100_000 }),
    ];
    for (let hour = 1; hour <= HOURS; hour++) {
      clock.nowMs = START + hour * HOUR;
      await fetchTexts(join(cwd, 'data'), hour % 12 === 1 ? [feed, ...others] : [feed], {
        ...{ timeoutMs: 5000, retries: 0, now: () => clock.nowMs },
        ...{ signal: new AbortController().signal, log: silentLog },
      });
    }

    const { status, stdout, stderr } = await runCli(
      ['text', 'evaluate', '--features', 'news_polarity,news_decayed', '--folds', String(FOLDS), '--json'],
      {
        cwd,
        environment: KEYS,
      },
    );
    if (WHOLE)
      process.stderr.write(`LOOPBACK DOUBLES, made up: this says nothing about any market.\n${stderr}`);
    expect(status, stderr).toBe(0);
    expect(stderr).not.toContain(' failed: ');
    const found = Evaluation.parse(JSON.parse(stdout));
    if (WHOLE) process.stderr.write(`${JSON.stringify(found)}\n`);
    expect(found.branches.map(({ name }) => name).toSorted()).toEqual(['1d', '1h', '5m', 'text']);
    expect(found.branches.reduce((sum, { weightPct }) => sum + weightPct, 0)).toBeCloseTo(100, 3);
    expect(found.absent).toEqual([]);
    expect(found.earned.bars).toBeGreaterThan(300);
    expect(found.earned.returnInterval.high).toBeGreaterThan(found.earned.returnInterval.low);
    // The doubles' market does what the news say: over months more is earned with them, beyond chance.
    if (WHOLE) expect(found.earned.returnInterval.low).toBeGreaterThan(0);
  },
);
