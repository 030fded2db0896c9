import { z } from 'zod';
import { DEFAULT_SOURCES } from '../../core/features/inputs.ts';
import { parseTime, parseUntil } from '../../core/foundation/time.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { repeatedSymbols } from '../../core/market/symbols.ts';
import { parseTimeframe, type Timeframe, TIMEFRAMES } from '../../core/market/timeframe.ts';
import { Sizing } from '../../core/strategy/sizing.ts';
import { AdvisorConfig } from './advisor.ts';
import { Exits } from './exits.ts';
import { DAY_SECONDS, exchangeId, id, parsed, path, percent } from './kinds.ts';
import { Risk } from './risk.ts';
import { SeriesConfig, TextConfig } from './sources.ts';
import { Trading } from './trading.ts';

const notice = (description: string) =>
  z.enum(['on', 'silent', 'off']).describe(`${description}: notify, notify without a sound, or not at all`);
/** Everything that can be set, with its default. Keys, descriptions and limits are the documentation. */
export const ConfigSchema = z
  .strictObject({
    seed: z
      .int()
      .min(0)
      .default(42)
      .describe('Seed of everything random; the same seed gives the same weights'),
    dataDir: path('Candles and paper sessions').default('data'),
    checkpointDir: path('Trained models').default('checkpoints'),
    tuningDir: path('Studies of hyper-parameter searches').default('tuning'),
    logDir: path('JSON-lines logs and training metrics').default('logs'),
    plugins: z
      .array(path('A file'))
      .default([])
      .describe('Files with code of your own, beside those in user/'),
    exchange: z
      .strictObject({
        id: exchangeId('A ccxt exchange id').default('binance'),
        mode: z
          .enum(['paper', 'live'])
          .default('paper')
          .describe('live: `paper --live` may trade, once everything else agrees; see docs/live.md'),
        sandbox: z
          .boolean()
          .default(false)
          .describe(
            'Trade live in the playground of the exchange: demo trading of binance and bybit, demo accounts of okx',
          ),
        baseUrl: z
          .url()
          .optional()
          .describe('Another host that speaks the exchange API: a proxy or a test server'),
      })
      .prefault({}),
    market: z
      .strictObject({
        symbols: z
          .array(parsed(parseSymbol))
          .min(1)
          .superRefine((symbols, context) => {
            for (const at of repeatedSymbols(symbols))
              context.addIssue({
                code: 'custom',
                path: [at],
                message: `${symbols[at]} comes twice; name each pair once`,
              });
          })
          .default(['BTC/USDT', 'ETH/USDT', 'SOL/USDT'])
          .describe('Pairs to fetch, train on and trade'),
        acceptImplausible: z
          .array(parsed(parseSymbol))
          .default([])
          .describe('Pairs whose candles are right although `data verify` calls them implausible'),
        timeframe: parsed((text): Timeframe => parseTimeframe(text))
          .default('1h')
          .describe('Bar length'),
        since: parsed(parseTime)
          .default(Date.UTC(2024, 1, 15))
          .describe('First bar to fetch (date, UTC)'),
        until: parsed(parseUntil)
          .optional()
          .describe('Fetch bars up to the end of this date, or before this time (UTC); default: now'),
      })
      .prefault({}),
    fetch: z
      .strictObject({
        source: z
          .enum(['auto', 'exchange', 'yahoo', 'csv', 'synthetic'])
          .default('auto')
          .describe('Where candles come from; auto tries the exchange, then Yahoo'),
        concurrency: z.int().min(1).max(16).default(8).describe('Symbols fetched side by side'),
        retries: z.int().min(0).max(20).default(5).describe('Attempts after a failed request'),
        timeoutMs: z
          .int()
          .min(100)
          .max(1000 * DAY_SECONDS)
          .default(20_000)
          .describe('Patience with one request'),
        yahooUrl: z.url().optional().describe("Another host that serves Yahoo Finance's chart endpoint"),
      })
      .prefault({}),
    training: z
      .strictObject({
        validationPct: percent('Share of bars after the training bars that models are compared on').default(
          10,
        ),
        testPct: percent('Share of the newest bars that training never sees').default(20),
        seeds: z
          .int()
          .min(1)
          .max(100)
          .default(1)
          .describe('How often each model that draws random numbers is trained; the first forecasts'),
        models: z
          .array(id)
          .min(1)
          .optional()
          .describe('Models that `train` fits when no flag chooses them; default: all that learn'),
        snapshotMinutes: z
          .number()
          .min(0)
          .default(5)
          .describe('A model in training is kept on disk at least this often; 0: after every step'),
        snapshotEpochs: z.int().min(1).default(10).describe('... and after every N epochs'),
        snapshotsKept: z.int().min(1).default(3).describe('Snapshots kept per model until it finishes'),
      })
      .prefault({}),
    features: z
      .strictObject({
        benchmark: parsed(parseSymbol)
          .default(DEFAULT_SOURCES.benchmark)
          .describe('The pair that others are compared with; on-chain features are of its base asset'),
        derivatives: exchangeId(
          'Where the perpetuals of the pairs trade: funding, open interest, basis',
        ).default(DEFAULT_SOURCES.derivatives),
        otherExchange: exchangeId('A second spot exchange, for price differences').default(
          DEFAULT_SOURCES.otherExchange,
        ),
        textScorer: id
          .default(DEFAULT_SOURCES.textScorer)
          .describe(
            'Whose view of texts the news features read: "crypto-trader text score --list" shows them',
          ),
        otherDerivatives: exchangeId('A second exchange of perpetuals, for the spread of funding').default(
          DEFAULT_SOURCES.otherDerivatives,
        ),
      })
      .prefault({}),
    models: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe('Hyper-parameters by model id; see `crypto-trader models show <id>`'),
    deepLearning: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Networks are trained and asked; false leaves them out of everything'),
        device: z
          .enum(['auto', 'cpu', 'cuda', 'webgpu', 'coreml', 'mps'])
          .default('auto')
          .describe(
            'Where networks run; auto: CUDA where its libraries are, else the processor. mps is another name of coreml',
          ),
        precision: z
          .enum(['float32', 'float16', 'bfloat16'])
          .default('float32')
          .describe(
            'Of the products of networks while they train on a GPU, where a trial step there is right and faster in half; the processor uses float32',
          ),
      })
      .prefault({}),
    strategy: z
      .strictObject({
        name: id
          .default('cost-aware')
          .describe(
            'What decides on the forecasts, in backtests, signals and paper: cost-aware, threshold, quantile, meta-label, sign, own',
          ),
      })
      .prefault({}),
    strategies: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe('Parameters by strategy, such as cost-aware: { riskAversion: 5 }'),
    sizing: Sizing.optional().describe(
      'How large the positions of the strategy are: { kind: fixed, share: 0.5 }, { kind: volatility, barPct: 0.4 }, { kind: kelly }, { kind: confidence }, { kind: equal-risk }',
    ),
    ensemble: z
      .strictObject({
        name: id
          .default('enhanced')
          .describe(
            'How forecasts become one: enhanced, equal, voting, weighted-voting, stacking, logistic-stacking, boosted-stacking, blending, caruana, bates-granger; or by its members: all, seeds, lstm+trees+forest',
          ),
      })
      .prefault({}),
    ensembles: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe(
        'Parameters by ensemble, such as enhanced: { prior: { tft: 25, ridge: 10 }, halfLifeDays: 20 }',
      ),
    ownFeatures: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe('Parameters of features of your own, by name'),
    trading: Trading,
    exits: Exits,
    execution: z
      .strictObject({
        dryRun: z
          .boolean()
          .default(true)
          .describe('Live trading plans its orders and sends none; wins over every flag'),
        collarPct: z
          .number()
          .min(0.01)
          .max(20)
          .default(0.5)
          .describe('Live orders are limit orders: how far beyond the last price they may fill'),
        restSeconds: z
          .number()
          .min(0)
          .max(DAY_SECONDS)
          .default(0)
          .describe(
            'Live orders rest at the last price for so long before they go to the collar; 0: at once',
          ),
      })
      .prefault({})
      .describe('How live orders are sent'),
    backtest: z
      .strictObject({
        kept: z
          .int()
          .min(1)
          .max(10_000)
          .default(50)
          .describe('Finished backtests that stay in <dataDir>/backtests; of more, the oldest go'),
        cashRatePct: z
          .number()
          .min(-100)
          .max(1000)
          .optional()
          .describe('What cash earns in percent a year, such as the rate of a stablecoin: a benchmark'),
      })
      .prefault({}),
    risk: Risk,
    notify: z
      .strictObject({
        fills: notice('Fills and closed trades').default('on'),
        rejections: notice('Orders that could not trade').default('silent'),
        risk: notice('What a risk rule refused or cut').default('on'),
        feed: notice('The feed is stale, or back').default('on'),
        session: notice('A session starts, ends, or fails').default('on'),
        alerts: notice('What `alerts add` asks for').default('on'),
      })
      .prefault({}),
    notifiers: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe('Parameters of notifiers of your own, by id; tokens belong into the environment'),
    telegram: z
      .strictObject({
        commands: z
          .enum(['off', 'read', 'control'])
          .default('off')
          .describe(
            'What the configured Telegram chat may ask of a running session: nothing; status, positions and signals; also pause and flatten',
          ),
      })
      .prefault({}),
    paper: z
      .strictObject({
        intervalSeconds: z
          .number()
          .positive()
          .max(DAY_SECONDS)
          .default(60)
          .describe('Longest pause between polls of the exchange; a bar that is due is asked for sooner'),
        intervalSecondsOf: z
          .record(
            z.string().refine((text) => TIMEFRAMES.includes(text), 'not a timeframe'),
            z.number().positive().max(DAY_SECONDS),
          )
          .default({})
          .describe('The same for sessions of one timeframe, such as { 1d: 3600, 1m: 10 }'),
        followActive: z
          .boolean()
          .default(false)
          .describe(
            'A training run that becomes active takes over running sessions between two bars; else each keeps its own until `--run`',
          ),
        stream: z
          .boolean()
          .optional()
          .describe(
            'Let messages of the exchange (WebSocket) bring the poll for a closed bar forward, in paper and live (default: yes, no with exchange.baseUrl)',
          ),
      })
      .prefault({}),
    series: SeriesConfig,
    text: TextConfig,
    advisor: AdvisorConfig,
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('Least important line kept in the log file'),
        fileMb: z.int().min(1).max(1000).default(10).describe('A log file that is larger is ended, MB'),
        files: z
          .int()
          .min(1)
          .max(1000)
          .default(6)
          .describe('Log files that are kept, the current one included'),
      })
      .prefault({}),
  })
  .readonly();

export type Config = z.output<typeof ConfigSchema>;
