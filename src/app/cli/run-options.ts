import { type Command, Option } from 'commander';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { parseTime, parseUntil } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe, type Timeframe } from '../../core/market/timeframe.ts';
import type { WantedMarket } from '../../learning/training/checkpoints.ts';
import type { Config } from '../config/schema.ts';
import { type CommandContext, symbolsOf } from './command.ts';
import { UsageError } from './exit.ts';

/** Adds `--run <name>`, and `--checkpoint`, its name in earlier versions. Parse it with `RUN_OPTION`, then `runNamed`. */
export const addRunOption = (
  command: Command,
  description = 'the training run to use: its name or its folder (default: the active one)',
): Command =>
  command
    .option('--run <name>', description)
    .addOption(new Option('--checkpoint <run>', 'the same as --run').hideHelp());

export const RUN_OPTION = { run: z.string().optional(), checkpoint: z.string().optional() };

/** The run that was named, for `runInUse` and `loadTrained`; `undefined`: the active one. */
export function runNamed(options: {
  readonly run?: string | undefined;
  readonly checkpoint?: string | undefined;
}): string | undefined {
  const { run, checkpoint } = options;
  if (run !== undefined && checkpoint !== undefined && run !== checkpoint)
    throw new UsageError('--run and --checkpoint are the same option: give one of them.');
  return run ?? checkpoint;
}

const MARKET_FLAGS = {
  exchange: ['--exchange <id>', 'a ccxt exchange, such as binance or kraken'],
  symbols: ['--symbols <list>', 'pairs, separated by commas: BTC/USDT,ETH/USDT'],
  timeframe: ['--timeframe <length>', 'bar length: 1m, 5m, 15m, 1h, 4h, 1d, ...'],
  since: ['--since <date>', 'first bar (UTC)'],
  until: ['--until <date>', 'up to the end of this date, or before this time (UTC)'],
} as const;
type MarketFlag = keyof typeof MARKET_FLAGS;

/** Adds those of `--exchange --symbols --timeframe --since --until` that mean something to the command. */
export function addMarketOptions(
  command: Command,
  flags: readonly MarketFlag[],
  descriptions: Readonly<Partial<Record<MarketFlag, string>>> = {},
): Command {
  for (const flag of flags) {
    const [syntax, description] = MARKET_FLAGS[flag];
    command.option(syntax, descriptions[flag] ?? description);
  }
  return command;
}

/** Parses what `addMarketOptions` added; wrong values are the user's to correct, as they are in config.yaml. */
export const MARKET_OPTIONS = {
  exchange: z
    .string()
    .transform((id) => {
      if (/^[a-z0-9]+$/.test(id)) return id;
      throw new UsageError(`--exchange cannot be "${id}": expected a ccxt exchange id, such as binance.`);
    })
    .optional(),
  symbols: z
    .string()
    .transform((text) => symbolsOf(text, undefined))
    .optional(),
  timeframe: z
    .string()
    .transform((text): Timeframe => parseTimeframe(text))
    .optional(),
  since: z.string().transform(parseTime).optional(),
  until: z.string().transform(parseUntil).optional(),
};

interface MarketOptions {
  readonly exchange?: string | undefined;
  readonly symbols?: readonly PairSymbol[] | undefined;
  readonly timeframe?: Timeframe | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Throws `UsageError` for a range that holds nothing. */
export function requireRange({ since, until }: Pick<MarketOptions, 'since' | 'until'>): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new UsageError(
    since === until
      ? '--since and --until are the same time: the range holds no bar.'
      : '--since must lie before --until.',
  );
}

/** The market that a command without a run works on: flags, then settings. */
export const marketSettings = ({ config }: CommandContext, options: MarketOptions) => ({
  exchange: options.exchange ?? config.exchange.id,
  symbols: options.symbols ?? config.market.symbols,
  timeframe: options.timeframe ?? config.market.timeframe,
});

/**
 * The market that a command with a run is asked for: what a flag, the environment or config.yaml says, and nothing
 * where only a default does, because the run knows its market. For `requireSameMarket` and `symbolsOfRun`.
 */
export function wantedMarket({ config, settings }: CommandContext, options: MarketOptions): WantedMarket {
  const isSet = (path: string): boolean =>
    settings.some((setting) => setting.path === path && setting.origin !== 'default');
  const named = options.symbols !== undefined;
  const symbols = options.symbols ?? (isSet('market.symbols') ? config.market.symbols : undefined);
  return {
    exchange: options.exchange ?? (isSet('exchange.id') ? config.exchange.id : undefined),
    timeframe: options.timeframe ?? (isSet('market.timeframe') ? config.market.timeframe : undefined),
    symbols: symbols && { list: symbols, named },
  };
}

/** What is said of symbols in the settings that a run does not know. */
export const untrainedText = (runId: string, untrained: readonly PairSymbol[]): string =>
  `${untrained.join(', ')} (market.symbols): not in the run "${runId}", so nothing is said about ${untrained.length === 1 ? 'it' : 'them'}.`;

/** Paper trading in a project that is set to trade live is a mistake of one of the two. */
export function refuseLive({ exchange }: Config): void {
  if (exchange.mode !== 'live') return;
  throw new UserError('exchange.mode is "live", and `paper` only ever trades on paper.', {
    hint: 'Trade live with `crypto-trader live start`, or set exchange.mode to "paper".',
  });
}
