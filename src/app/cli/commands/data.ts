import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, parseTime, parseUntil } from '../../../core/foundation/time.ts';
import { exportCandles, longerBars } from '../../../data/export.ts';
import { type DatasetManifest, openStore, type Store } from '../../../data/store/store.ts';
import { checkLedgers } from '../../../desk/paper/sessions.ts';
import { fitImpact } from '../../../core/trading/fit-impact.ts';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { symbolFolder } from '../../../core/market/symbol.ts';
import { type Doubt, doubtLines } from '../../../data/plausibility.ts';
import { type VerifiedDataset, verifyDataset } from '../../../data/verify-dataset.ts';
import { endText } from '../../../core/market/history-end.ts';
import { parseBarLength } from '../../../core/market/bar-length.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { earlyEnd } from '../../workflows/fetch.ts';
import { command, type CommandContext, symbolsOf } from '../command.ts';
import { defaultSubcommand } from '../subcommands.ts';
import { describeSeries } from '../../../data/store/series-manifest.ts';
import type { SeriesManifest } from '../../../data/store/series-store.ts';
import { SERIES_HEAD, seriesDocument, seriesRow } from '../series.ts';
import { counted, describeDataset, doubtDocument, gapText, missingBars } from '../dataset-document.ts';
import { less } from '../table.ts';

/** Which datasets; everything in the store without them. */
const Selection = z.object({
  exchange: z.string().optional(),
  symbols: z.string().optional(),
  timeframe: z.string().optional(),
});
const ExportOptions = Selection.extend({
  out: z.string(),
  bars: z.string().optional(),
  since: z.string().optional(),
  until: z.string().optional(),
});

export function register(program: Command): void {
  const data = program.command('data');
  const selecting = (name: string, description: string): Command =>
    (name === 'list' ? defaultSubcommand(data, name) : data.command(name))
      .description(description)
      .option('--exchange <id>', 'only this exchange')
      .option('--symbols <list>', 'only these pairs')
      .option('--timeframe <length>', 'only this bar length');

  selecting('list', 'every dataset and series with its range, gaps and fingerprint')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader data list\n  $ crypto-trader data list --json')
    .action(command(async (context, options) => listDatasets(context, Selection.parse(options))));

  selecting(
    'verify',
    'hashes, order, alignment and prices of every stored bar; exit code 3 when something is wrong',
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader data verify\n  $ crypto-trader data verify --symbols BTC/USDT',
    )
    .action(command(async (context, options) => verify(context, Selection.parse(options))));

  selecting('gaps', 'every run of missing bars, and whether the source was asked for it')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader data gaps --exchange binance')
    .action(command(async (context, options) => showGaps(context, Selection.parse(options))));

  data
    .command('slippage')
    .description('constants of modelled slippage, fitted to recorded order books and trades')
    .option('--exchange <id>', 'only this exchange')
    .option('--symbols <list>', 'only these pairs')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader fetch --series order-book --every 60   record first, for a day or more\n  $ crypto-trader data slippage',
    )
    .action(command(async (context, options) => showSlippage(context, Selection.parse(options))));

  selecting('compact', 'what each dataset takes on disk; rewrites what takes too much, removes leftovers')
    .option('--dry-run', 'say what would be done, and change nothing')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader data compact --dry-run')
    .action(
      command(async (context, options) => {
        const store = openStore(context.config.dataDir);
        const selection = Selection.parse(options);
        const found = await select(store, selection);
        if (found.length === 0) context.out.print(nothingStored(selection));
        const { compactStore } = await import('../compact-store.ts');
        await compactStore(context, store, found, options['dryRun'] === true);
      }),
    );

  selecting('export', 'one dataset as CSV (.csv, .csv.gz) or parquet')
    .requiredOption('--out <file>', 'where to; the ending decides the format: .csv, .csv.gz or .parquet')
    .option('--bars <length>', 'longer bars made of the stored ones, closed bars only: 4h, 1d, 1w, 1M, ...')
    .option('--since <date>', 'first bar (UTC)')
    .option('--until <date>', 'up to the end of this date, or before this time (UTC)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader data export --symbols BTC/USDT --out btc.csv.gz --since 2025-01-01',
    )
    .action(command(async (context, options) => exportDataset(context, ExportOptions.parse(options))));
}

async function listDatasets(
  { config, out }: CommandContext,
  selection: z.infer<typeof Selection>,
): Promise<void> {
  const found = await select(openStore(config.dataDir), selection);
  const series = await selectSeries(openStore(config.dataDir), selection);
  const stored = await openStore(config.dataDir).list();
  out.document({ datasets: found.map((one) => documentOf(one, stored)), series: series.map(seriesDocument) });
  if (found.length + series.length > 0) {
    out.table(
      [
        'exchange',
        'symbol',
        'bars',
        less('rows', 2),
        less('first', 3),
        'last',
        'missing',
        less('source', 1),
        less('sha256', 4),
      ],
      found.map((manifest) => [
        manifest.exchange,
        manifest.symbol,
        manifest.timeframe,
        String(manifest.rows),
        formatMinute(manifest.firstTimeMs),
        formatMinute(manifest.lastTimeMs),
        gapText(manifest, earlyEnd(manifest, stored)),
        manifest.synthetic ? `SYNTHETIC (${manifest.source})` : manifest.source,
        manifest.sha256.slice(0, 12),
      ]),
    );
    if (series.length > 0) out.table(SERIES_HEAD, series.map(seriesRow));
  } else out.print(nothingStored(selection));
}

async function showSlippage(
  { config, out, signal }: CommandContext,
  selection: z.infer<typeof Selection>,
): Promise<void> {
  const store = openStore(config.dataDir);
  const fitted = [];
  for (const { name, subject } of await selectSeries(store, selection)) {
    if (name !== 'order-book') continue;
    signal.throwIfAborted();
    fitted.push({ subject, ...fitImpact(await store.series.read({ name, subject })) });
  }
  if (fitted.length === 0)
    throw new UserError('No order books are recorded here.', {
      hint: 'Record them first: crypto-trader fetch --series order-book --every 60',
    });
  // One setting for all symbols: the dearest half spread, and the mean of the factors by what is known of each.
  const weights = fitted.map(({ factorError }) => 1 / factorError ** 2);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const factor = fitted.reduce((sum, one, i) => sum + (weights[i] / total) * one.factor, 0);
  const settings = {
    impactFactor: Math.max(0, Number(factor.toFixed(2))),
    maxHalfSpreadBps: Number(Math.max(...fitted.map((one) => one.halfSpread90Bps)).toPrecision(2)),
  };
  out.document({ fitted, settings });
  out.table(
    ['order book', less('snapshots'), 'intervals', 'half spread bp', '90 % below', 'impact factor', '95 %'],
    fitted.map((one) => [
      one.subject,
      String(one.snapshots),
      String(one.intervals),
      one.halfSpreadBps.toPrecision(2),
      one.halfSpread90Bps.toPrecision(2),
      one.factor.toFixed(2),
      `${(one.factor - 1.96 * one.factorError).toFixed(2)} .. ${(one.factor + 1.96 * one.factorError).toFixed(2)}`,
    ]),
  );
  out.print(
    `\nTo trade by them: crypto-trader config set trading.impactFactor ${settings.impactFactor}; crypto-trader config set trading.maxHalfSpreadBps ${settings.maxHalfSpreadBps}\nThe factor is that of everybody's flow between two snapshots; what a single order of yours moves may differ.`,
  );
}

const documentOf = (manifest: DatasetManifest, stored: readonly DatasetManifest[]) => ({
  ...describeDataset(manifest),
  barsBehind: earlyEnd(manifest, stored)?.barsBehind ?? 0,
});

const nothingStored = (selection: z.infer<typeof Selection>): string =>
  Object.values(selection).some((value) => value !== undefined)
    ? 'Nothing that is stored matches; `crypto-trader data list` shows everything.'
    : 'The store is empty. Fill it: crypto-trader fetch';

async function verify(
  { config, out, signal }: CommandContext,
  selection: z.infer<typeof Selection>,
): Promise<void> {
  const store = openStore(config.dataDir);
  const stored = await store.list();
  const results: VerifiedDataset[] = [];
  for (const manifest of await select(store, selection)) {
    results.push(await verifyDataset(store, manifest, config.market.acceptImplausible));
    signal.throwIfAborted();
  }
  const series = [];
  for (const manifest of await selectSeries(store, selection)) {
    series.push({ manifest, faults: await store.series.verify(manifest) });
    signal.throwIfAborted();
  }
  // A selection is of candles or series; all of the data folder includes the ledgers of paper trading.
  const everything = Object.values(selection).every((value) => value === undefined);
  const ledgers = everything ? await checkLedgers(config.dataDir, signal) : [];
  const ledgerFaults = ledgers.flatMap(({ fault }) =>
    fault === undefined ? [] : [`${fault.message} ${fault.hint}`],
  );
  const faults = [...results, ...series].flatMap((result) => result.faults);
  out.document({
    ok: faults.length + ledgerFaults.length === 0,
    datasets: results.map((result) => ({
      ...documentOf(result.manifest, stored),
      faults: result.faults,
      implausible: doubtDocument(result.doubt),
    })),
    series: series.map((result) => ({ ...seriesDocument(result.manifest), faults: result.faults })),
    paperSessions: ledgers.map(({ name, bars, fault }) => ({ name, bars, fault: fault?.message })),
  });
  if (results.length + series.length === 0) out.print(nothingStored(selection));
  else
    out.table(
      ['exchange', 'symbol', 'bars', less('rows'), 'missing', 'verdict'],
      results.map(({ manifest, faults: found, doubt }) => [
        manifest.exchange,
        manifest.symbol,
        manifest.timeframe,
        String(manifest.rows),
        gapText(manifest, earlyEnd(manifest, stored)),
        verdict(found, doubt),
      ]),
    );
  if (series.length > 0) {
    out.table(
      ['series', 'rows', 'verdict'],
      series.map(({ manifest, faults: found }) => [
        describeSeries(manifest),
        String(manifest.rows),
        found.length === 0 ? 'good' : counted(found.length, 'fault'),
      ]),
    );
  }
  if (ledgers.length > 0) {
    out.table(
      ['paper session', 'bars', 'verdict'],
      ledgers.map(({ name, bars, fault }) => [name, String(bars), fault === undefined ? 'good' : 'damaged']),
    );
  }
  for (const fault of [...faults, ...ledgerFaults]) out.print(fault);
  for (const line of doubtLines(results.map(({ doubt }) => doubt))) out.print(`Doubtful: ${line}`);
  if (ledgerFaults.length > 0)
    throw new CheckFailed(`${counted(ledgerFaults.length, 'paper ledger')} damaged.`);
  if (faults.length > 0) {
    const damaged = results.some((result) => result.damaged) || series.some((one) => one.faults.length > 0);
    throw new CheckFailed(
      `${counted(faults.length, 'fault')} in the store. ${
        damaged
          ? '"crypto-trader fetch --repair" sets damaged files aside and fetches their months again.'
          : 'Get these candles again; where they are right all the same, accept them by name with market.acceptImplausible.'
      }`,
    );
  }
}

function verdict(faults: readonly string[], { oddities }: Doubt): string {
  if (faults.length > 0) return counted(faults.length, 'fault');
  return oddities.length > 0 ? `good, ${oddities.length} doubtful` : 'good';
}

async function showGaps(
  { config, out }: CommandContext,
  selection: z.infer<typeof Selection>,
): Promise<void> {
  const found = await select(openStore(config.dataDir), selection);
  const stored = await openStore(config.dataDir).list();
  out.document({ datasets: found.map((one) => documentOf(one, stored)) });
  const rows = found.flatMap((manifest) =>
    manifest.gaps.map((gap) => [
      `${manifest.exchange} ${manifest.symbol} ${manifest.timeframe}`,
      formatMinute(gap.fromMs),
      formatMinute(gap.toMs),
      String(gap.bars),
      gap.checked ? 'the source has none' : 'not asked for yet',
    ]),
  );
  if (rows.length > 0) out.table(['dataset', 'first missing', less('last missing'), 'bars', 'why'], rows);
  for (const manifest of found) {
    const ended = earlyEnd(manifest, stored);
    if (ended !== undefined) out.print(`${manifest.exchange} ${manifest.timeframe} ${endText(ended)}.`);
  }
  const total = found.reduce((sum, manifest) => sum + missingBars(manifest), 0);
  if (found.length === 0) out.print(nothingStored(selection));
  else out.print(`${total} bars are missing in ${rows.length} gaps of ${found.length} datasets.`);
}

async function exportDataset(
  { config, out }: CommandContext,
  { out: path, since, until, bars, ...selection }: z.infer<typeof ExportOptions>,
): Promise<void> {
  const store = openStore(config.dataDir);
  const found = await select(store, { ...selection, exchange: selection.exchange ?? config.exchange.id });
  if (found.length === 0) {
    throw new UserError(`No stored candles match.`, {
      hint: '"crypto-trader data list" shows what there is, "crypto-trader fetch" gets more.',
    });
  }
  if (found.length > 1) {
    throw new UserError(`The selection matches ${found.length} datasets; one is exported at a time.`, {
      hint: 'Name it with --exchange, --symbols and --timeframe; "crypto-trader data list" shows what there is.',
    });
  }
  const stored = await store.read(found[0], {
    ...(since === undefined ? {} : { sinceMs: parseTime(since) }),
    ...(until === undefined ? {} : { untilMs: parseUntil(until) }),
  });
  const candles = bars === undefined ? stored : longerBars(stored, found[0].timeframe, parseBarLength(bars));
  await exportCandles(path, candles);
  out.document({ file: path, rows: candles.time.length, dataset: describeDataset(found[0]) });
  out.print(`${candles.time.length} bars written to ${path}.`);
}

/** All series, or those whose subject names the exchange or a pair; a timeframe is one of candles only. */
async function selectSeries(
  store: Store,
  { exchange, symbols, timeframe }: z.infer<typeof Selection>,
): Promise<readonly SeriesManifest[]> {
  if (timeframe !== undefined) return [];
  const pairs = symbolsOf(symbols, undefined)?.map(symbolFolder);
  return (await store.series.list()).filter(({ subject }) => {
    const [from, pair] = subject.split('/');
    return (exchange === undefined || from === exchange) && (pairs === undefined || pairs.includes(pair));
  });
}

async function select(
  store: Store,
  { exchange, symbols, timeframe }: z.infer<typeof Selection>,
): Promise<readonly DatasetManifest[]> {
  const pairs = symbolsOf(symbols, undefined);
  const length = timeframe === undefined ? undefined : parseTimeframe(timeframe);
  return (await store.list()).filter(
    (manifest) =>
      (exchange === undefined || manifest.exchange === exchange) &&
      (pairs === undefined || pairs.includes(manifest.symbol)) &&
      (length === undefined || manifest.timeframe === length),
  );
}
