import { type Command, Option } from 'commander';
import { z } from 'zod';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { parseTime } from '../../core/foundation/time.ts';
import { type PairSymbol, parseSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import {
  ALLOCATION_DEFAULTS,
  type AllocationSettings,
  type Allocator,
  allocators,
} from '../../core/portfolio/allocator.ts';
import { COVARIANCES } from '../../core/portfolio/covariance.ts';
import type { Group, Limits } from '../../core/portfolio/limits.ts';
import { DEFAULT_UNIVERSE, type Member } from '../../core/portfolio/universe.ts';
import { LEARNED_IDS, type LearnedId } from '../../learning/allocators/params.ts';
import type { Rebalance } from '../../lab/portfolio/walk-forward.ts';
import { readTextFile } from '../../data/text-file.ts';
import { openStore } from '../../data/store/store.ts';
import { parseYaml } from '../config/yaml.ts';
import { loadPortfolioMarket, type PortfolioMarket } from '../workflows/portfolio.ts';
import { type CommandContext, decimal, integer, list, MOST_MONEY, oneOf } from './command.ts';
import { UsageError } from './exit.ts';
import { addMarketOptions, MARKET_OPTIONS } from './run-options.ts';

/** Options of every portfolio command: which assets, how much of the past, and what weights may be. */
export const PORTFOLIO_OPTIONS = {
  ...MARKET_OPTIONS,
  universe: z.string().optional(),
  window: z.string().default('180'),
  covariance: z.string().default(ALLOCATION_DEFAULTS.covariance),
  min: z.string().optional(),
  max: z.string().optional(),
  limit: z.array(z.string()).default([]),
  group: z.array(z.string()).default([]),
  minAssets: z.string().default('0'),
  maxTurnover: z.string().optional(),
  riskFree: z.string().default('0'),
  riskCap: z.string().default('40'),
  tail: z.string().default('95'),
  objectiveCosts: z.boolean().default(false),
};
export type PortfolioOptions = z.output<z.ZodObject<typeof PORTFOLIO_OPTIONS>>;

const gather = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];

export function addPortfolioOptions(command: Command): Command {
  return addMarketOptions(command, ['exchange', 'symbols', 'timeframe', 'until'], {
    symbols: 'pairs instead of the default twenty',
    timeframe: 'bar length (default: 1d)',
    until: 'as of the last bar of this date (UTC; default: the newest bar)',
  })
    .option(
      '--universe <file>',
      'YAML list of members: symbol, and listed, delisted, haircutPct, renamed where known',
    )
    .option('--window <bars>', 'returns that weights are chosen on', '180')
    .addOption(new Option('--covariance <name>', 'estimator').default(ALLOCATION_DEFAULTS.covariance))
    .option('--min <percent>', 'least weight of every asset; below 0 it may be sold short')
    .option('--max <percent>', 'largest weight of every asset')
    .option(
      '--limit <pair=low..high>',
      'weight of one asset in percent, such as BTC/USDT=10..40; repeat it',
      gather,
    )
    .option(
      '--group <name=a+b:low..high>',
      'weight of several assets together, such as majors=BTC/USDT+ETH/USDT:30..60; repeat it',
      gather,
    )
    .option('--min-assets <count>', 'hold at least N assets, 1 % of the capital or more in each', '0')
    .option('--max-turnover <percent>', 'largest sum of changes from what is held')
    .option('--risk-free <percent>', 'a year', '0')
    .option('--risk-cap <percent>', 'largest volatility a year of the strategy max-return', '40')
    .option('--tail <percent>', 'level of CVaR and CDaR', '95')
    .option('--objective-costs', 'let max-sharpe pay for its trades, spread over a week');
}

/** One YAML file of dated members. */
const Universe = z.array(
  z.strictObject({
    symbol: z.string().transform((text): PairSymbol => parseSymbol(text)),
    listed: date().optional(),
    delisted: date().optional(),
    haircutPct: z.number().min(0).max(100).optional(),
    renamed: z
      .strictObject({
        from: z.string().transform((text): PairSymbol => parseSymbol(text)),
        on: date(),
        ratio: z.number().positive().default(1),
      })
      .optional(),
  }),
);

function date() {
  return z
    .union([z.string(), z.date().transform((value) => value.toISOString())])
    .transform((text) => parseTime(text));
}

const LARGEST_UNIVERSE = 2 ** 20;

function readUniverse(path: string): readonly Member[] {
  const text = readTextFile({ path, what: 'the universe', largestBytes: LARGEST_UNIVERSE });
  if (text === undefined)
    throw new UserError(`There is no universe file "${path}".`, {
      hint: 'Write one: a YAML list of entries such as "- symbol: BTC/USDT".',
    });
  const document = parseYaml(text, path);
  const parsed = Universe.safeParse(document.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(
      `${path}:${document.lineOf(issue.path)}: ${issue.path.join('.')}: ${issue.message}.`,
      {
        hint: 'Expected a list of members: symbol, and listed, delisted, haircutPct, renamed { from, on, ratio } where known.',
      },
    );
  }
  if (parsed.data.length === 0)
    throw new UserError(`${path} names no member.`, { hint: 'Add entries such as "- symbol: BTC/USDT".' });
  const known = new Set<string>();
  for (const { symbol } of parsed.data) {
    if (known.has(symbol))
      throw new UserError(`${path}: ${symbol} comes twice.`, { hint: 'Name each pair once.' });
    known.add(symbol);
  }
  return parsed.data.map(({ symbol, listed, delisted, haircutPct, renamed }): Member => ({
    symbol,
    listedMs: listed,
    delistedMs: delisted,
    haircutPct,
    renamed: renamed && { from: renamed.from, atMs: renamed.on, ratio: renamed.ratio },
  }));
}

/** With what is known of a pair of the default universe. */
export const memberNamed = (symbol: PairSymbol): Member =>
  DEFAULT_UNIVERSE.find((one) => one.symbol === symbol) ?? { symbol };

/** The market that the options name; notes about it go to stderr. */
export async function marketOfOptions(
  context: CommandContext,
  options: Pick<PortfolioOptions, 'universe' | 'symbols' | 'exchange' | 'timeframe' | 'until'>,
): Promise<PortfolioMarket> {
  const { config, out } = context;
  if (options.universe !== undefined && options.symbols !== undefined)
    throw new UsageError('--universe and --symbols both say what may be held: give one of them.');
  const members =
    options.universe === undefined
      ? (options.symbols?.map(memberNamed) ?? DEFAULT_UNIVERSE)
      : readUniverse(options.universe);
  const source = await loadPortfolioMarket(openStore(config.dataDir), {
    exchange: options.exchange ?? config.exchange.id,
    timeframe: options.timeframe ?? '1d',
    members,
    named: options.universe !== undefined || options.symbols !== undefined,
    untilMs: options.until,
  });
  for (const note of source.notes) out.notice(note);
  return source;
}

export const windowOf = ({ window }: PortfolioOptions): number => integer('--window', window, { least: 10 });

export const barsPerYearOf = ({ timeframe }: Pick<PortfolioMarket, 'timeframe'>): number =>
  (365 * 86_400_000) / TIMEFRAME_MS[timeframe];

export function settingsOf(
  options: PortfolioOptions,
  barsPerYear: number,
  costRate: number,
): AllocationSettings {
  const percent = { least: 0, most: 1000 };
  return {
    covariance: oneOf('--covariance', options.covariance, COVARIANCES),
    riskFree: decimal('--risk-free', options.riskFree, percent) / 100 / barsPerYear,
    riskCap: decimal('--risk-cap', options.riskCap, percent) / 100 / Math.sqrt(barsPerYear),
    tailLevel: decimal('--tail', options.tail, { least: 50, most: 99.9 }) / 100,
    riskBudgets: undefined,
    // A trade is paid for once and its weights stand for a week.
    costRate: options.objectiveCosts ? (costRate * 365) / 52 / (barsPerYear / 52) / 7 : 0,
  };
}

/** The limits for whichever of the members can be held. */
export function limitsOfOptions(
  options: PortfolioOptions,
  members: readonly Member[],
): (assets: readonly number[]) => Limits {
  const symbols = members.map(({ symbol }) => symbol);
  const share = (option: string, text: string): number =>
    decimal(option, text, { least: -1000, most: 1000 }) / 100;
  const min = new Float64Array(members.length).fill(
    options.min === undefined ? 0 : share('--min', options.min),
  );
  const max = new Float64Array(members.length).fill(
    options.max === undefined ? 1 : share('--max', options.max),
  );
  for (const text of options.limit) {
    const [name, range] = split('--limit', text, '=', 'BTC/USDT=10..40');
    const i = indexOf('--limit', name, symbols);
    [min[i], max[i]] = rangeOf('--limit', range, 'BTC/USDT=10..40');
  }
  const groups = options.group.map((text): Group => {
    const example = 'majors=BTC/USDT+ETH/USDT:30..60';
    const [name, rest] = split('--group', text, '=', example);
    const at = rest.lastIndexOf(':');
    if (at < 0) throw new UsageError(`--group cannot be "${text}": expected such as ${example}.`);
    const [low, high] = rangeOf('--group', rest.slice(at + 1), example);
    const names = rest.slice(0, at).split('+');
    return { name, members: names.map((one) => indexOf('--group', one, symbols)), min: low, max: high };
  });
  const all: Limits = {
    min,
    max,
    groups,
    maxTurnover:
      options.maxTurnover === undefined
        ? undefined
        : decimal('--max-turnover', options.maxTurnover, { least: 0, most: 1000 }) / 100,
    minAssets: integer('--min-assets', options.minAssets, { least: 0 }),
    leastWeight: 0.01,
  };
  for (let i = 0; i < min.length; i++)
    if (min[i] > max[i])
      throw new UsageError(
        `${symbols[i]}: its least weight, ${100 * min[i]} %, is above its largest, ${100 * max[i]} %.`,
      );
  return (assets) => subset(all, assets);
}

function subset(limits: Limits, assets: readonly number[]): Limits {
  const groups = limits.groups.map((group) => ({
    ...group,
    members: group.members.map((i) => assets.indexOf(i)).filter((i) => i >= 0),
  }));
  return {
    ...limits,
    min: Float64Array.from(assets, (i) => limits.min[i]),
    max: Float64Array.from(assets, (i) => limits.max[i]),
    // A group none of whose members can be held holds nothing.
    groups: groups.filter(({ members }) => members.length > 0),
  };
}

function split(option: string, text: string, by: string, example: string): readonly [string, string] {
  const at = text.indexOf(by);
  if (at <= 0) throw new UsageError(`${option} cannot be "${text}": expected such as ${example}.`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function rangeOf(option: string, text: string, example: string): [number, number] {
  const match = /^(-?[\d.]+)\.\.(-?[\d.]+)$/.exec(text);
  const [low, high] = match === null ? [NaN, NaN] : [Number(match[1]) / 100, Number(match[2]) / 100];
  if (!(low <= high))
    throw new UsageError(
      `${option} cannot end in "${text}": expected such as ${example}, percent from low to high.`,
    );
  return [low, high];
}

function indexOf(option: string, text: string, symbols: readonly PairSymbol[]): number {
  const symbol = parseSymbol(text);
  const i = symbols.indexOf(symbol);
  if (i < 0) throw new UsageError(`${option}: ${symbol} is not in the universe. ${suggest(symbol, symbols)}`);
  return i;
}

/** `--rebalance` and `--drift`. */
export function rebalanceOf(
  options: { readonly rebalance: string; readonly drift: string },
  timeframe: Timeframe,
): Rebalance {
  if (options.rebalance === 'threshold')
    return { kind: 'drift', share: decimal('--drift', options.drift, { least: 0, most: 100 }) / 100 };
  const match = /^(\d+)([dwM])$/.exec(options.rebalance);
  const days = match === null ? NaN : Number(match[1]) * { d: 1, w: 7, M: 30 }[match[2] as 'd' | 'w' | 'M'];
  const bars = Math.round((days * 86_400_000) / TIMEFRAME_MS[timeframe]);
  if (!(bars >= 1))
    throw new UsageError(
      `--rebalance cannot be "${options.rebalance}": expected 1d, 1w, 2w, 1M or threshold.`,
    );
  return { kind: 'every', bars };
}

/** `--held BTC/USDT=0.1,ETH/USDT=2`: base amounts of members. */
export function heldOf(text: string | undefined, members: readonly Member[]): Float64Array {
  const amounts = new Float64Array(members.length);
  const symbols = members.map(({ symbol }) => symbol);
  for (const entry of list(text ?? '')) {
    const [name, amount] = split('--held', entry, '=', 'BTC/USDT=0.1,ETH/USDT=2');
    amounts[indexOf('--held', name, symbols)] = decimal('--held', amount, { least: 0, most: MOST_MONEY });
  }
  return amounts;
}

/** `all` stands for every allocator that does not learn; those that do are named. */
export function strategyNames(option: string, text: string): readonly string[] {
  const known = ['all', ...allocators.map(({ id }) => id), ...LEARNED_IDS, HYBRID];
  const names = list(text).map((name) => oneOf(option, name, known));
  if (names.length === 0) throw new UsageError(`${option} names no strategy.`);
  return [...new Set(names.flatMap((name) => (name === 'all' ? allocators.map(({ id }) => id) : [name])))];
}

/** Equal parts of those that learn and of the least variance. */
export const HYBRID = 'hybrid';

export const isLearned = (name: string): name is LearnedId => LEARNED_IDS.some((id) => id === name);

export function allocatorNamed(name: string): Allocator {
  const found = allocators.find(({ id }) => id === name);
  invariant(found !== undefined, `there is a strategy "${name}"`);
  return found;
}
