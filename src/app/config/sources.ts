import { z } from 'zod';
import { SERIES_NAMES, seriesKind } from '../../core/market/series-kinds.ts';

const sourceId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected a short id, such as coindesk');

const pointer = z.string().regex(/^(\/([^~]|~[01])*)?$/, 'expected a JSON Pointer, such as /data/0/value');

/** A JSON API from which a series comes. */
const CustomSeries = z
  .strictObject({
    series: z
      .enum(
        SERIES_NAMES.filter(
          (name) => name !== 'order-book' && name !== 'news' && seriesKind(name).subject !== 'market',
        ),
      )
      .describe('The series that it gives, such as whales'),
    url: z
      .url({ protocol: /^https?$/ })
      .describe('Its address; {asset}, {since}, {until}, {sinceSeconds} and {untilSeconds} are filled in'),
    headers: z
      .record(z.string().regex(/^[A-Za-z][\w-]{0,60}$/), z.string().regex(/^[A-Z][A-Z0-9_]{0,60}$/))
      .default({})
      .describe('Headers, and the variable of the environment that holds each'),
    rows: pointer
      .default('')
      .describe('Where the list of rows stands: a JSON Pointer; empty: the whole answer'),
    time: pointer.describe('Where the time stands in a row'),
    timeUnit: z.enum(['seconds', 'milliseconds', 'iso']).default('seconds').describe('What the time is'),
    columns: z.record(z.string(), pointer).describe('Where each column of the series stands in a row'),
    factors: z.record(z.string(), z.number()).default({}).describe('What columns are multiplied by'),
    laterMinutes: z
      .number()
      .min(0)
      .max(525_600)
      .default(0)
      .describe('How much later than by the rule of the series a row is known'),
  })
  .superRefine(({ series, columns, factors }, context) => {
    const known = seriesKind(series).columns.map(({ name }) => name);
    for (const [key, given] of Object.entries({ columns, factors }))
      for (const name of Object.keys(given))
        if (!known.includes(name))
          context.addIssue({
            code: 'custom',
            path: [key, name],
            message: `${series} has no column "${name}", only ${known.join(', ')}`,
          });
    if (Object.keys(columns).length === 0)
      context.addIssue({
        code: 'custom',
        path: ['columns'],
        message: `name at least one of ${known.join(', ')}`,
      });
  });

/** Where series come from that no exchange has. */
export const SeriesConfig = z
  .strictObject({
    fearGreedUrl: z.url().default('https://api.alternative.me').describe('Host of the Fear & Greed index'),
    coinMetricsUrl: z
      .url()
      .default('https://community-api.coinmetrics.io')
      .describe("Host of Coin Metrics' community API, for on-chain"),
    defiLlamaUrl: z
      .url()
      .default('https://stablecoins.llama.fi')
      .describe('Host of DefiLlama, for stablecoins'),
    blockchainUrl: z
      .url()
      .default('https://api.blockchain.info')
      .describe('Host of the charts of blockchain.com'),
    mempoolUrl: z.url().default('https://mempool.space').describe('Host of mempool.space, for fee-rates'),
    glassnodeUrl: z
      .url()
      .default('https://api.glassnode.com')
      .describe('Host of Glassnode (GLASSNODE_API_KEY), for gas, whales, long-term-holders and liquidations'),
    fredUrl: z.url().default('https://api.stlouisfed.org').describe('Host of FRED (FRED_API_KEY)'),
    alphaVantageUrl: z
      .url()
      .default('https://www.alphavantage.co')
      .describe('Host of Alpha Vantage (ALPHA_VANTAGE_API_KEY)'),
    spx: z.enum(['yahoo', 'fred']).default('yahoo').describe('Where closes of the S&P 500 come from'),
    vix: z.enum(['yahoo', 'fred']).default('yahoo').describe('Where closes of the VIX come from'),
    gold: z.enum(['yahoo', 'alpha-vantage']).default('yahoo').describe('Where closes of gold come from'),
    custom: z
      .record(sourceId, CustomSeries)
      .default({})
      .describe('JSON APIs that series come from, by a name of yours'),
  })
  .prefault({});

/** Where texts come from. Keys belong into the environment. */
export const TextConfig = z
  .strictObject({
    feeds: z
      .record(sourceId, z.url({ protocol: /^https?$/ }))
      .default({
        coindesk: 'https://www.coindesk.com/arc/outboundfeeds/rss/',
        cointelegraph: 'https://cointelegraph.com/rss',
        decrypt: 'https://decrypt.co/feed',
        theblock: 'https://www.theblock.co/rss.xml',
        kraken: 'https://blog.kraken.com/feed',
      })
      .describe('RSS and Atom feeds, by a name of yours'),
    subreddits: z
      .array(z.string().regex(/^\w{2,40}$/, 'expected the name of a subreddit, such as Bitcoin'))
      .default(['CryptoCurrency', 'Bitcoin'])
      .describe('Subreddits whose new posts are read'),
    redditUrl: z
      .url()
      .default('https://www.reddit.com')
      .describe('Host of the feeds of subreddits, and of tokens'),
    redditApiUrl: z
      .url()
      .default('https://oauth.reddit.com')
      .describe("Host of Reddit's API, used where REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are set"),
    x: z
      .strictObject({
        query: z
          .string()
          .max(512)
          .regex(/^\P{Cc}*$/u, 'expected a search without control characters')
          .default('')
          .describe('Search on X (X_BEARER_TOKEN); empty: off'),
        readsPerDay: z
          .int()
          .min(0)
          .max(100_000)
          .default(0)
          .describe('Most posts read in a UTC day: each costs money'),
        url: z.url().default('https://api.x.com').describe('Host of the API'),
      })
      .prefault({}),
    gdelt: z
      .strictObject({
        query: z
          .string()
          .max(500)
          .regex(/^\P{Cc}*$/u, 'expected words without control characters')
          .default('(bitcoin OR ethereum OR cryptocurrency) sourcelang:english')
          .describe("Search over the world's news; empty: off"),
        url: z.url().default('https://api.gdeltproject.org').describe('Host of the search'),
      })
      .prefault({}),
    cryptopanic: z
      .strictObject({
        plan: z
          .enum(['developer', 'growth', 'enterprise'])
          .default('developer')
          .describe('Plan that CRYPTOPANIC_TOKEN is of'),
        url: z.url().default('https://cryptopanic.com').describe('Host of the API'),
      })
      .prefault({}),
    finbert: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .default('https://huggingface.co')
          .describe('Hub that FinBERT is fetched from'),
        repository: z
          .string()
          .regex(/^[\w.-]{1,96}\/[\w.-]{1,96}$/, 'expected owner/name')
          .default('Xenova/finbert')
          .describe('An ONNX export of ProsusAI/finbert on the hub'),
        revision: z
          .string()
          .regex(/^[\w.-]{1,100}$/, 'expected a branch, a tag or a commit')
          .default('main')
          .describe('Branch, tag or commit that is fetched; what it is then is kept'),
        weights: z
          .string()
          .regex(/^[\w-][\w./-]{0,200}\.onnx$/, 'expected the path of an .onnx file')
          .default('onnx/model.onnx')
          .describe('Weights: full precision (438 MB), or onnx/model_quantized.onnx (about 110 MB)'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
          .optional()
          .describe('SHA-256 that the weights must have; default: what the hub announces'),
      })
      .prefault({}),
  })
  .prefault({});
