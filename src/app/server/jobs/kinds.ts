import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { parseSymbol } from '../../../core/market/symbol.ts';
import { isTimeframe } from '../../../core/market/timeframe.ts';
import { writable } from '../settings-rules.ts';

/** A name as the program gives them: it leads nowhere as a path, and is no option. */
export const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected letters, digits, dots, dashes and underscores');
export const Id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected an id, such as cost-aware');
export const Exchange = z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected an exchange, such as binance');
export const Timeframe = z.string().refine(isTimeframe, 'expected a bar length, such as 1h');
export const Pair = z
  .string()
  .max(61)
  .transform((text, context) => {
    try {
      return parseSymbol(text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      context.addIssue({ code: 'custom', message: `${error.message} ${error.hint}` });
      return z.NEVER;
    }
  });
/** `2024-02-15` or a time in ISO 8601, UTC. */
export const Day = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/,
    'expected a date such as 2024-02-15, or a time in UTC',
  );

/** Whatever JSON can say; its schema is not written out, as it holds itself. */
export const Json = z
  .unknown()
  .refine((value) => value !== undefined, 'missing')
  .meta({ description: 'Any JSON value.' });

const pairs = z.array(Pair).min(1).max(200);
const ids = z.array(Id).min(1).max(100);
const count = (most: number) => z.int().min(1).max(most);
const basisPoints = z.number().min(0).max(1000);
const market = { exchange: Exchange, symbols: pairs, timeframe: Timeframe, since: Day, until: Day };
const deciding = { strategy: Id, ensemble: Id };

/** Settings for one job alone, by dotted path: parameters of models and strategies among them. */
const settings = z
  .record(
    z.string().regex(/^[A-Za-z][\w-]*(\.[\w-]+)+$/, 'expected a setting, such as models.ridge.penalty'),
    Json,
  )
  .refine(
    (all) => Object.keys(all).every(writable),
    'one of these settings is not for the web; change it in config.yaml',
  )
  .optional();

const { symbols: _symbols, ...oneMarket } = market;
const assets = z.array(Pair).min(2).max(200);
const shape = {
  fetch: {
    ...market,
    source: z.enum(['auto', 'exchange', 'yahoo', 'synthetic']),
    concurrency: count(16),
    recheckGaps: z.boolean(),
    repair: z.boolean(),
  },
  train: {
    ...market,
    mode: z.enum(['quick', 'full', 'resume']),
    name: Name,
    run: Name,
    approach: z.enum(['ml', 'quant', 'both']),
    models: ids,
    seeds: count(100),
    allowSynthetic: z.boolean(),
  },
  backtest: {
    ...market,
    ...deciding,
    run: Name,
    models: ids,
    feeBps: basisPoints,
    slippageBps: basisPoints,
    walkForward: z.boolean(),
    folds: count(100),
    embargoBars: z.int().min(0).max(100_000),
    window: z.enum(['expanding', 'rolling']),
    cold: z.boolean(),
    cpcv: z.boolean(),
    intrabarBand: z.boolean(),
  },
  tune: {
    ...market,
    model: Id,
    name: Name,
    study: Name,
    trials: count(100_000),
    folds: count(50),
    objective: ids,
    sampler: Id,
    pruner: Id,
    mode: z.enum(['quick', 'full']),
    minTrades: z.int().min(0).max(1e6),
    workers: count(16),
    allowSynthetic: z.boolean(),
  },
  signals: { ...market, ...deciding, run: Name, models: ids, explain: z.boolean() },
  paper: {
    ...market,
    ...deciding,
    name: Name,
    run: Name,
    intervalSeconds: z.number().min(0).max(86_400),
    maxCycles: count(1e9),
    fresh: z.boolean(),
  },
  portfolio: {
    ...oneMarket,
    symbols: assets,
    window: count(100_000),
    covariance: Id,
    min: z.number().min(-100).max(100),
    max: z.number().min(0).max(100),
    minAssets: z.int().min(0).max(200),
    maxTurnover: z.number().min(0).max(1000),
    strategy: Id,
    strategies: ids,
    allocator: Id,
    name: Name,
    investment: z.number().positive().max(1e15),
    points: z.int().min(2).max(500),
    rebalance: z.enum(['1d', '1w', '2w', '1M', 'threshold']),
    feeBps: basisPoints,
    slippageBps: basisPoints,
    steps: count(1e7),
    resume: z.boolean(),
  },
  audit: { until: Day, models: ids, strategy: Id },
  verify: { exchange: Exchange, symbols: pairs, timeframe: Timeframe },
  doctor: {},
  'text-fetch': { source: ids },
  'text-score': { scorer: Id },
  advise: { symbols: pairs, providers: ids, horizon: count(100_000) },
} as const;

const optional = <S extends z.ZodRawShape>(fields: S) => z.strictObject(fields).partial();

/** What a job may be asked for. Whatever is left out is what the settings, or the command itself, say. */
export const JobRequest = z.discriminatedUnion('kind', [
  optional(shape.fetch).extend({ kind: z.literal('fetch'), settings }),
  optional(shape.train).extend({ kind: z.literal('train'), settings }),
  optional(shape.backtest).extend({ kind: z.literal('backtest'), settings }),
  optional(shape.tune).extend({ kind: z.literal('tune'), settings }),
  optional(shape.signals).extend({ kind: z.literal('signals'), settings }),
  /** `bars: stored` replays candles that training has not seen, and asks no exchange. */
  optional(shape.paper).extend({
    kind: z.literal('paper'),
    bars: z.enum(['exchange', 'stored']).optional(),
    settings,
  }),
  optional(shape.portfolio).extend({
    kind: z.literal('portfolio'),
    action: z.enum(['optimise', 'frontier', 'correlation', 'compare', 'backtest', 'train']),
    settings,
  }),
  optional(shape.audit).extend({ kind: z.literal('audit'), run: Name, settings }),
  optional(shape.verify).extend({ kind: z.literal('verify'), settings }),
  optional(shape.doctor).extend({ kind: z.literal('doctor'), settings }),
  optional(shape['text-fetch']).extend({ kind: z.literal('text-fetch'), settings }),
  optional(shape['text-score']).extend({ kind: z.literal('text-score'), settings }),
  optional(shape.advise).extend({ kind: z.literal('advise'), settings }),
]);
export type JobRequest = z.output<typeof JobRequest>;
export type JobKind = JobRequest['kind'];

/** The same as somebody would type it, without `crypto-trader` and the settings of the server. */
export function argumentsOf(request: JobRequest): readonly string[] {
  const { kind, settings: own = {}, ...rest } = request;
  const words = {
    fetch: ['fetch'],
    train: ['train'],
    backtest: ['backtest'],
    tune: ['tune', 'run'],
    signals: ['signals'],
    paper: ['paper'],
    portfolio: ['portfolio', 'action' in request ? request.action : ''],
    audit: ['audit', 'run' in request ? (request.run ?? '') : ''],
    verify: ['data', 'verify'],
    doctor: ['doctor'],
    'text-fetch': ['text', 'fetch'],
    'text-score': ['text', 'score', '--stored'],
    advise: ['advisor', 'signal'],
  }[kind];
  const stored = 'bars' in request && request.bars === 'stored' ? ['--no-exchange'] : [];
  const flags = Object.entries(rest).flatMap(([key, value]) => {
    if (value === undefined || value === false || key === 'action' || key === 'bars') return [];
    if (kind === 'audit' && key === 'run') return [];
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [flag];
    // One word: a value that begins with a dash is still a value.
    return [`${flag}=${Array.isArray(value) ? value.join(',') : String(value)}`];
  });
  // JSON is YAML.
  const set = Object.entries(own).map(([path, value]) => `--set=${path}=${JSON.stringify(value)}`);
  return [...words, ...stored, ...flags, ...set];
}

/** Jobs of one lane run one after another; paper sessions of different names run side by side. */
export const laneOf = (request: JobRequest): string =>
  request.kind === 'paper' ? `paper ${request.name ?? ''}` : request.kind;
