import type { Tool } from 'ai';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { formatTime } from '../../core/foundation/time.ts';
import type { ToolCall } from './figures.ts';
import { plainResult } from './hostile.ts';

/** What an adviser may look at. Every function reads, and says nothing that was not known at `asOfMs`. */
export interface Sources {
  readonly symbols: readonly string[];
  readonly assets: readonly string[];
  readonly features: readonly string[];
  readonly backtests: readonly string[];
  readonly sessions: readonly string[];
  data(asOfMs: number): Promise<unknown>;
  market(symbol: string, days: number, asOfMs: number): Promise<unknown>;
  featureValues(symbol: string, names: readonly string[], asOfMs: number): Promise<unknown>;
  signals(symbol: string, asOfMs: number): Promise<unknown>;
  signalRecord(asOfMs: number): Promise<unknown>;
  backtestList(asOfMs: number): Promise<unknown>;
  backtest(id: string, asOfMs: number): Promise<unknown>;
  portfolio(session: string, asOfMs: number): Promise<unknown>;
  ledger(session: string, last: number, asOfMs: number): Promise<unknown>;
  news(asset: string, days: number, asOfMs: number): Promise<unknown>;
}

const HOUR_MS = 3_600_000;
const AGES = { now: 0, '1h-ago': 1, '1d-ago': 24, '7d-ago': 168, '30d-ago': 720 } as const;
const DAYS = { '1d': 1, '7d': 7, '30d': 30, '90d': 90, '365d': 365 } as const;
const AsOf = z
  .enum(['now', '1h-ago', '1d-ago', '7d-ago', '30d-ago'])
  .describe('what was known at that time; nothing later is ever given');
const Window = z.enum(['1d', '7d', '30d', '90d', '365d']);
const Last = z.enum(['5', '20', '50']);

/**
 * Read-only tools over `sources`. Every argument is one of a list, `asOf` never lies after `nowMs`, and results hold numbers and
 * ids alone. `onCall` gets each call with what the model is shown.
 */
export function adviserTools(
  sources: Sources,
  { nowMs, onCall }: { readonly nowMs: number; readonly onCall: (call: ToolCall) => void },
): Readonly<Record<string, Tool>> {
  const of = <Shape extends z.ZodRawShape>(
    name: string,
    description: string,
    shape: Shape,
    read: (input: z.output<z.ZodObject<Shape>>, asOfMs: number) => Promise<unknown>,
  ): readonly [string, Tool] => {
    const inputSchema = z.strictObject({ ...shape, asOf: AsOf });
    const own = z.object(shape);
    const execute = async (input: unknown): Promise<unknown> => {
      const asOfMs = nowMs - AGES[z.object({ asOf: AsOf }).parse(input).asOf] * HOUR_MS;
      const found = await answerOf(read(own.parse(input), asOfMs));
      const shown = plainResult({ asOf: formatTime(asOfMs), ...found });
      onCall({ tool: name, input, result: shown });
      return shown;
    };
    return [name, { description, inputSchema, execute }];
  };
  const some = (names: readonly string[]): names is readonly [string, ...string[]] => names.length > 0;
  const { symbols, assets, features, backtests, sessions } = sources;
  return Object.fromEntries([
    of('data', 'candles and series that are stored: rows, range, gaps', {}, (_, at) => sources.data(at)),
    of('signal_record', 'how the signals given so far have turned out, by model and symbol', {}, (_, at) =>
      sources.signalRecord(at),
    ),
    ...(some(symbols)
      ? [
          of(
            'market',
            'close, return, volatility, high and low over a window',
            { symbol: z.enum(symbols), window: Window },
            ({ symbol, window }, at) => sources.market(symbol, DAYS[window], at),
          ),
          of(
            'signals',
            'what every model and the ensemble want at the newest bar, and what it rests on',
            { symbol: z.enum(symbols) },
            ({ symbol }, at) => sources.signals(symbol, at),
          ),
        ]
      : []),
    ...(some(symbols) && some(features)
      ? [
          of(
            'features',
            'values of features at the newest bar',
            { symbol: z.enum(symbols), names: z.array(z.enum(features)).min(1).max(8) },
            ({ symbol, names }, at) => sources.featureValues(symbol, names, at),
          ),
        ]
      : []),
    ...(some(assets)
      ? [
          of(
            'news',
            'counts and mean scores of the news about an asset; never their words',
            { asset: z.enum(assets), window: Window },
            ({ asset, window }, at) => sources.news(asset, DAYS[window], at),
          ),
        ]
      : []),
    ...(some(backtests)
      ? [
          of('backtests', 'the backtests that are kept', {}, (_, at) => sources.backtestList(at)),
          of(
            'backtest',
            'result of one backtest beside its benchmark, with costs and intervals',
            { id: z.enum(backtests) },
            ({ id }, at) => sources.backtest(id, at),
          ),
        ]
      : []),
    ...(some(sessions)
      ? [
          of(
            'portfolio',
            'equity and positions of a paper session',
            { session: z.enum(sessions) },
            ({ session }, at) => sources.portfolio(session, at),
          ),
          of(
            'ledger',
            'the newest events of a paper session: fills, trades, rejections',
            { session: z.enum(sessions), last: Last },
            ({ session, last }, at) => sources.ledger(session, Number(last), at),
          ),
        ]
      : []),
  ]);
}

/** What is not there is an answer too; a fault of ours is not. */
async function answerOf(reading: Promise<unknown>): Promise<object> {
  try {
    const value = await reading;
    return Array.isArray(value)
      ? { rows: value }
      : typeof value === 'object' && value !== null
        ? value
        : { value };
  } catch (error) {
    if (error instanceof UserError) return { unavailable: true };
    throw error;
  }
}
