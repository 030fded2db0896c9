import { inTurns } from '../../data/turns.ts';
import { formatMinute, formatTime, parseTime, parseUntil } from '../../core/foundation/time.ts';
import type { Store } from '../../data/store/store.ts';
import { featureSteps } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { type AbsentInput, fetchText, loadInputs } from '../../data/panel/load-inputs.ts';
import { type CommandContext, integer } from './command.ts';
import { less, prose } from './table.ts';

/** Whose features. */
export interface Market {
  readonly store: Store;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly sources: InputSources;
  /** The features that there are: ours and the user's. */
  readonly catalogue: readonly Feature[];
}

interface Range {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly rows: string;
}

/** One JSON document is one text, which has an end. */
const MOST_VALUES = 5_000_000;

/**
 * Values of `features` on the stored bars of every symbol: those of the range, or the newest `rows`. Throws `UserError`
 * when the range holds none.
 */
export async function printValues(
  context: CommandContext,
  { store, exchange, symbols, timeframe, sources, catalogue }: Market,
  features: readonly Feature[],
  options: Range & { readonly absent: readonly AbsentInput[] },
): Promise<void> {
  const { out, signal } = context;
  const names = features.map(({ name }) => name);
  const rows = integer('--rows', options.rows, { least: 1 });
  const untilMs = options.until === undefined ? Infinity : parseUntil(options.until);
  const series = [];
  let asked = 0;
  for (const symbol of symbols) {
    signal.throwIfAborted();
    // From the first stored bar on, as for training: recursive features depend on where they start.
    const candles = await store.read({ exchange, symbol, timeframe });
    const { inputs } = await loadInputs(store, names, {
      exchange,
      symbol,
      timeframe,
      sources,
      catalogue,
      fromMs: candles.time[0],
      untilMs: Infinity,
    });
    const steps = featureSteps(names, candles, timeframe, inputs, catalogue);
    const { columns } = await inTurns(steps, signal);
    const to = lowerBound(candles.time, untilMs);
    const from =
      options.since === undefined
        ? Math.max(0, to - rows)
        : lowerBound(candles.time, parseTime(options.since));
    if (from >= to) {
      throw new UserError(`There are no bars of ${symbol} ${timeframe} in that range.`, {
        hint: `Stored are ${formatMinute(candles.time[0])} to ${formatMinute(candles.time[candles.time.length - 1])}; --since and --until choose among them.`,
      });
    }
    asked += (to - from) * names.length;
    if (asked > MOST_VALUES) {
      throw new UserError(`That is more than ${MOST_VALUES / 1e6} million values, too many to print.`, {
        hint: 'Choose a shorter range with --since and --until, or fewer features.',
      });
    }
    const times = [...candles.time.subarray(from, to)].map(formatTime);
    series.push({ symbol, times, values: columns.map((column) => [...column.subarray(from, to)]) });
  }
  out.document({
    exchange,
    timeframe,
    absent: options.absent,
    series: series.map(({ symbol, times, values }) => ({
      symbol,
      times,
      // No value during the warm-up: null.
      features: Object.fromEntries(
        names.map((name, i) => [name, values[i].map((value) => (Number.isNaN(value) ? null : value))]),
      ),
    })),
  });
  for (const { symbol, times, values } of series) {
    out.print(symbol);
    if (names.length <= 6) {
      out.table(
        ['bar', ...names],
        times.map((time, row) => [time, ...values.map((column) => formatValue(column[row]))]),
      );
      continue;
    }
    const last = times.slice(-4);
    out.table(
      ['feature', ...last],
      names.map((name, i) => [name, ...values[i].slice(-4).map(formatValue)]),
    );
  }
  printAbsent(context, options.absent);
}

const formatValue = (value: number): string =>
  Number.isNaN(value) ? '-' : Number(value.toPrecision(6)).toString();

/** The features that are not there for want of an input, by group, and what to do about it. */
export function printAbsent({ out }: CommandContext, absent: readonly AbsentInput[]): void {
  if (absent.length === 0) return;
  out.print('Left out, because their inputs are not stored:');
  out.table(
    [prose('group'), less('features'), 'needs', prose('get it')],
    absent.map((one) => [one.groups.join(', '), String(one.features.length), one.input, fetchText(one)]),
  );
}
