import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { openStore } from '../../../data/store/store.ts';
import { type Prediction, predictions, recordsOf } from '../../workflows/prediction-log.ts';
import { command, type CommandContext, integer, list, symbolsOf } from '../command.ts';
import { less } from '../table.ts';

const Options = z.object({
  models: z.string().transform(list).optional(),
  symbols: z.string().optional(),
});
type Options = z.output<typeof Options>;
const HistoryOptions = Options.extend({ last: z.string().default('20') });

/** `signals history|report`: the signals that were given, beside what has happened since. */
export function addKeptSignals(group: Command): void {
  const add = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option('--models <list>', 'only these; ensemble is one of them')
      .option('--symbols <list>', 'only these pairs')
      .hook('preAction', refuseForeign);
  add('history', 'the signals that were given, and what has happened since')
    .option('--last <count>', 'the newest N of them', '20')
    .action(command((context, options) => history(context, HistoryOptions.parse(options)), { logs: false }));
  add('report', 'hits, count and mean confidence of the signals given, by model and symbol').action(
    command((context, options) => report(context, Options.parse(options)), { logs: false }),
  );
}

/** Options of new signals mean nothing to those that were given, and are not silently dropped. */
function refuseForeign(self: Command): void {
  const { parent } = self;
  const own = new Set(self.options.map(({ long }) => long));
  const foreign = parent?.options.find(
    (option) => parent.getOptionValueSource(option.attributeName()) === 'cli' && !own.has(option.long),
  );
  if (foreign !== undefined)
    self.error(`error: ${foreign.long ?? foreign.flags} does nothing with "signals ${self.name()}".`);
}

async function kept(
  { config }: CommandContext,
  { models, symbols }: Options,
): Promise<readonly Prediction[]> {
  const only = symbolsOf(symbols, undefined);
  const all = await predictions(config.dataDir, openStore(config.dataDir));
  return all.filter((one) => (models?.includes(one.model) ?? true) && (only?.includes(one.symbol) ?? true));
}

const NONE = 'No signal is on record: `crypto-trader signals` keeps those that it gives.';
const percent = (fraction: number | undefined): string =>
  fraction === undefined ? '-' : (100 * fraction).toFixed(0);

async function history(context: CommandContext, options: z.output<typeof HistoryOptions>): Promise<void> {
  const { out } = context;
  const last = integer('--last', options.last, { least: 1 });
  const all = await kept(context, options);
  const shown = all.slice(-last);
  out.document({
    count: all.length,
    signals: shown.map(({ givenAtMs, barTimeMs, realised, ...one }) => ({
      ...one,
      givenAt: formatTime(givenAtMs),
      time: formatTime(barTimeMs + TIMEFRAME_MS[one.timeframe]),
      realisedPct: realised === undefined ? undefined : 100 * realised,
    })),
  });
  if (all.length === 0) return out.print(NONE);
  out.table(
    [
      'bar ended',
      'symbol',
      'model',
      'wanted',
      less('leaned', 2),
      less('sure', 3),
      'return bp',
      'hit',
      less('late', 4),
      less('run', 5),
    ],
    shown.map((one) => [
      formatMinute(one.barTimeMs + TIMEFRAME_MS[one.timeframe]),
      one.symbol,
      one.model,
      one.position === undefined ? '-' : `${one.action} ${percent(one.position)} %`,
      one.lean === undefined ? '-' : one.lean === 0 ? 'flat' : one.lean > 0 ? 'up' : 'down',
      one.confidence?.toFixed(2) ?? '-',
      one.realised === undefined ? 'open' : (1e4 * one.realised).toFixed(1),
      one.hit === undefined ? '-' : one.hit ? 'yes' : 'no',
      one.late ? 'late' : '',
      one.runId,
    ]),
  );
  if (shown.length < all.length) out.print(`The newest ${shown.length} of ${all.length}; --last shows more.`);
  closing(context, all);
}

async function report(context: CommandContext, options: Options): Promise<void> {
  const { out } = context;
  const all = await kept(context, options);
  const records = recordsOf(all);
  out.document({ count: all.length, records });
  if (all.length === 0) return out.print(NONE);
  out.table(
    ['model', 'symbol', 'given', less('late', 2), 'judged', 'hits', 'hit %', less('sure', 1), 'return bp'],
    records.map((one) => [
      one.model,
      one.symbol,
      String(one.given),
      String(one.late),
      String(one.judged),
      String(one.hits),
      percent(one.judged === 0 ? undefined : one.hits / one.judged),
      one.meanConfidence?.toFixed(2) ?? '-',
      one.meanReturnBps?.toFixed(1) ?? '-',
    ]),
  );
  out.print(
    '\nA hit: the price moved over the horizon as the model leaned. Returns are before costs, and of horizons that overlap.',
  );
  closing(context, all);
}

/** What must be known beside the figures. */
function closing({ out }: CommandContext, all: readonly Prediction[]): void {
  const late = all.filter((one) => one.late).length;
  if (late > 0)
    out.print(`${late} of ${all.length} were given late, after the bar that they were meant for.`);
  if (all.some(({ synthetic }) => synthetic))
    out.print('Some are of SYNTHETIC candles: they say nothing about any market.');
}
