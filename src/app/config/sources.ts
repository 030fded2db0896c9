import { z } from 'zod';

const sourceId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected a short id, such as coindesk');

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
    redditUrl: z.url().default('https://www.reddit.com').describe('Host of the feeds of subreddits'),
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
