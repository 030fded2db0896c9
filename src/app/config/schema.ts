import { z } from 'zod';
import { DEFAULT_SOURCES } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { AdvisorConfig } from './advisor.ts';
import { SeriesConfig, TextConfig } from './sources.ts';
import { Account } from './account.ts';
import { Entry } from './entry.ts';
import { Sizing } from '../../core/strategy/sizing.ts';
import { MODELLED_IMPACT } from '../../core/trading/rules.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { repeatedSymbols } from '../../core/market/symbols.ts';
import { parseTimeframe, type Timeframe, TIMEFRAMES } from '../../core/market/timeframe.ts';
import { formatTime, parseTime, parseUntil } from '../../core/foundation/time.ts';

const LONGEST_QUOTED = 60;

/** Runs a parser of the program inside zod, so that its message appears with the key it belongs to. */
const parsed = <T>(parse: (text: string) => T) =>
  z.union([z.string(), z.date().transform((date) => date.toISOString())]).transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // The parsers quote what they were given, whole.
      const message = `${error.message} ${error.hint}`.replaceAll(text, plainLine(text, LONGEST_QUOTED));
      context.addIssue({ code: 'custom', message: plainLine(message) });
      return z.NEVER;
    }
  });

/** A time as text: it is written into kept documents, and read from there again. */
const day = parsed((text) => formatTime(parseTime(text)));

const percent = (description: string) => z.number().min(0).max(100).describe(description);
const exposure = (description: string) => z.number().min(0).max(12_500).describe(description);
const distance = (description: string) =>
  z
    .number()
    .min(0.05, 'too small: write percent, 5 for 5 %')
    .max(1000)
    .describe(`${description}, in percent; default: none`);
const multiple = (description: string) =>
  z.number().positive().max(1000).describe(`${description}; default: none`);
const exchangeId = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]{1,40}$/, 'expected a ccxt exchange id, such as binance')
    .describe(description);
/** Of something in a registry, ours or the user's own. */
const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected an id, such as cost-aware');
/** A NUL ends a path for the operating system, and a line break ends it for every reader of a message. */
const path = (description: string) =>
  z
    .string()
    .min(1)
    .regex(/^\P{Cc}*$/u, 'expected a path without control characters')
    .describe(description);
/** Timers of Node end at 2^31 ms, and fire at once beyond. */
const DAY_SECONDS = 86_400;
const basisPoints = (description: string) => z.number().min(0).max(1000).describe(description);

const notice = (description: string) =>
  z.enum(['on', 'silent', 'off']).describe(`${description}: notify, notify without a sound, or not at all`);
const bars = z.int().min(1).max(100_000);
/** What three of the protections share: how far they look back, at how many trades, and how long they lock. */
const window = { lookbackBars: bars, tradeLimit: z.int().min(1), stopBars: bars };

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
        concurrency: z.int().min(1).max(16).default(3).describe('Symbols fetched side by side'),
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
    trading: z
      .strictObject({
        account: Account.default({ kind: 'spot' }),
        initialBalance: z
          .number()
          .positive()
          .max(1e15)
          .default(10_000)
          .describe('Starting cash in quote currency'),
        feeBps: basisPoints('Taker fee per side').default(10),
        feeTiers: z
          .array(
            z.strictObject({
              fromQuote: z.number().min(0),
              makerBps: z.number().min(-100).max(1000),
              takerBps: basisPoints('Of a taker'),
            }),
          )
          .min(1)
          .refine((tiers) => tiers[0].fromQuote === 0, { message: 'the first tier begins at 0' })
          .refine((tiers) => tiers.every((one, i) => i === 0 || one.fromQuote > tiers[i - 1].fromQuote), {
            message: 'write them in the order of fromQuote',
          })
          .optional()
          .describe(
            'Fees of makers (take-profits, limit orders) and takers by the turnover of 30 days, instead of feeBps: [{ fromQuote: 0, makerBps: 2, takerBps: 5 }]',
          ),
        latencyBars: z
          .int()
          .min(0)
          .max(1000)
          .default(0)
          .describe('Bars by which a decision fills later than at the next open, in backtests'),
        latencyMs: z
          .number()
          .min(0)
          .max(1000 * 1000 * DAY_SECONDS)
          .default(0)
          .describe(
            'Time from a close to the order at the exchange, in backtests: it fills at the first open that is no earlier',
          ),
        entry: Entry,
        priority: z
          .array(parsed(parseSymbol))
          .default([])
          .describe(
            'Pairs that are served first, in this order, where all together want more than maxExposurePct; default: all get less alike',
          ),
        slippageBps: basisPoints(
          'A fixed slippage per side; default: half the spread and market impact, estimated from past bars',
        ).optional(),
        impactFactor: z
          .number()
          .min(0)
          .max(100)
          .default(MODELLED_IMPACT.factor)
          .describe(
            'Factor of the square-root law of market impact; 0: none; `data slippage` fits it to recorded books',
          ),
        maxHalfSpreadBps: basisPoints(
          'Half the spread where no bar is known, and the most that the estimate from bars may say; `data slippage` fits it',
        ).default(MODELLED_IMPACT.maxHalfSpreadBps),
        participationPct: z
          .number()
          .positive()
          .max(100)
          .default(MODELLED_IMPACT.participationPct)
          .describe(
            "Largest share of a bar's mean volume one order may take; the rest waits; only without slippageBps",
          ),
        maxPositionPct: exposure(
          'Largest position of one symbol, of equity: what a target of 1 means; default: an equal share',
        ).optional(),
        maxExposurePct: exposure(
          'Largest sum of all positions, of equity; above 100 with the leverage of an account',
        ).default(100),
        allowShort: z
          .boolean()
          .default(false)
          .describe('Let a negative forecast sell short; on a spot market it means flat'),
        rebalanceBandPct: percent(
          'Changes of a position smaller than this share of equity do not trade; closing always does',
        ).default(5),
        maxVolumeSharePct: percent(
          "Largest share of a bar's volume one order may take; default: no limit",
        ).optional(),
        amountStep: z
          .number()
          .min(0)
          .default(0.00001)
          .describe(
            'Order amounts are multiples of this where the exchange was not asked (backtest); 0: any',
          ),
        minNotional: z
          .number()
          .min(0)
          .default(5)
          .describe(
            'Least value of an order, in quote currency, where the exchange was not asked (backtest)',
          ),
        priceTick: z
          .number()
          .min(0)
          .default(0)
          .describe('Stops and targets lie on multiples of this, on the side that costs (backtest); 0: any'),
        stopLossPct: distance('Stop-loss distance from the entry price').optional(),
        takeProfitPct: distance('Take-profit distance from the entry price').optional(),
        trailingStopPct: distance('Distance of a trailing stop from the best price').optional(),
        trailingActivationPct: percent('Profit at which the trailing stop starts trailing').default(0),
        intrabarOrder: z
          .enum(['stop-first', 'target-first', 'nearest-first'])
          .default('stop-first')
          .describe('Which came first when one bar reaches both stop and target'),
        takeProfitFill: z
          .enum(['beyond', 'touch'])
          .default('beyond')
          .describe(
            'Whether a take-profit fills only beyond its level, or already when the price touches it',
          ),
        reentry: z
          .enum(['new-signal', 'next-bar'])
          .default('new-signal')
          .describe(
            'After a protective exit: wait until the signal goes flat or turns, or enter again at once',
          ),
        delistedAfterHours: z
          .number()
          .min(0)
          .default(48)
          .describe(
            'A held pair without a bar for this long, while others have bars, is sold at its last close; 0: never',
          ),
        delistingHaircutPct: percent('By how much such a sale fetches less than the last close').default(0),
        members: z
          .record(
            z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'expected a pair, such as BTC/USDT'),
            z.strictObject({ listed: day.optional(), delisted: day.optional() }),
          )
          .default({})
          .describe(
            'When pairs could be traded, in backtests: { LUNA/USDT: { listed: 2020-08-21, delisted: 2022-05-13 } }; default: while they have bars',
          ),
      })
      .superRefine(({ account, maxExposurePct, maxPositionPct = 0 }, context) => {
        const most = 100 * (account.kind === 'spot' ? 1 : account.leverage);
        const path = maxExposurePct > most ? 'maxExposurePct' : 'maxPositionPct';
        if (Math.max(maxExposurePct, maxPositionPct) > most)
          context.addIssue({
            code: 'custom',
            path: [path],
            message: `at most ${most} with a ${account.kind} account${account.kind === 'spot' ? '' : ` of leverage ${account.leverage}`}`,
          });
      })
      .prefault({}),
    exits: z
      .strictObject({
        atrBars: bars
          .default(14)
          .describe("Bars of Wilder's average true range (ATR) that the distances below are measured in"),
        stopLossAtr: multiple('Stop-loss distance from the entry price, in ATR at the entry').optional(),
        takeProfitAtr: multiple('Take-profit distance from the entry price, in ATR at the entry').optional(),
        trailingStopAtr: multiple(
          'Distance of a trailing stop from the best price, in ATR at the last close',
        ).optional(),
        breakEvenPct: distance(
          'Profit at the best price from which on the stop lies at the entry price',
        ).optional(),
        breakEvenLockPct: percent('... or so far beyond it').default(0),
        maxBars: bars
          .optional()
          .describe('A position is closed at the open N bars after its entry; default: never'),
        maxMinutes: z
          .number()
          .positive()
          .optional()
          .describe('A position is left at the first open at which it is so old; default: never'),
        partialTargets: z
          .array(z.strictObject({ atPct: distance('Profit'), sharePct: z.number().positive().max(100) }))
          .default([])
          .refine((steps) => steps.every(({ atPct }, i) => i === 0 || atPct > steps[i - 1].atPct), {
            message: 'write them in the order of atPct',
          })
          .refine((steps) => steps.reduce((sum, { sharePct }) => sum + sharePct, 0) <= 100, {
            message: 'the shares add up to more than 100 %',
          })
          .describe('At atPct of profit sharePct of what was opened is sold'),
        timedTargets: z
          .array(z.strictObject({ afterMinutes: z.number().min(0), pct: z.number().min(-100).max(1000) }))
          .default([])
          .refine(
            (steps) => steps.every((step, i) => i === 0 || step.afterMinutes > steps[i - 1].afterMinutes),
            {
              message: 'write them in the order of afterMinutes',
            },
          )
          .describe('Take-profit by age: from afterMinutes on at pct of profit; -100 leaves at any price'),
      })
      .prefault({})
      .describe('How positions are left, beside the stop and target of trading'),
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
    risk: z
      .strictObject({
        maxDrawdownPct: percent(
          'Loss of equity from its peak at which everything is closed for good; default: none',
        ).optional(),
        maxDailyLossPct: percent(
          'Loss of equity in a UTC day at which nothing is opened until it ends; default: none',
        ).optional(),
        maxTradePct: percent(
          'Largest increase of a position by one decision, of equity; default: none',
        ).optional(),
        maxOrdersPerMinute: z
          .int()
          .min(1)
          .optional()
          .describe('Openings and increases per minute; closing is never held back; default: no limit'),
        priceCollarPct: percent(
          'Distance between a close and the next open beyond which nothing is opened there; default: none',
        ).optional(),
        minBalance: z
          .number()
          .min(0)
          .optional()
          .describe('Cash that purchases leave, in quote currency; default: none'),
        protections: z
          .array(
            z.discriminatedUnion('kind', [
              z.strictObject({ kind: z.literal('cooldown'), stopBars: bars }),
              z.strictObject({
                kind: z.literal('stop-loss-guard'),
                ...window,
                requiredProfitPct: z.number().default(0),
                onlyPerSymbol: z.boolean().default(false),
                onlyPerSide: z.boolean().default(false),
              }),
              z.strictObject({
                kind: z.literal('max-drawdown'),
                ...window,
                maxDrawdownPct: z.number().positive(),
              }),
              z.strictObject({
                kind: z.literal('low-profit'),
                ...window,
                requiredProfitPct: z.number().default(0),
              }),
            ]),
          )
          .default([])
          .describe("freqtrade's protections, in bars: cooldown, stop-loss-guard, max-drawdown, low-profit"),
      })
      .prefault({})
      .describe('Limits above the strategy in paper trading'),
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
