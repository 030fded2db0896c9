import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { issueLines } from '../../../core/foundation/plain-issues.ts';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import {
  differences,
  earningDifference,
  incomparable,
  resultDifferences,
  tradeDifferences,
} from '../../workflows/backtest-differences.ts';
import {
  type BacktestDocument,
  findBacktest,
  keptPaths,
  listBacktests,
  pinBacktest,
  readBacktest,
  unpinBacktest,
} from '../../workflows/kept-backtests.ts';
import { archiveOf, documentOf } from '../backtest-document.ts';
import { requestOf } from '../backtest-request.ts';
import { command, type CommandContext } from '../command.ts';
import {
  COMPARE_HEAD,
  compareRow,
  differenceLines,
  earningLine,
  LIST_HEAD,
  listRow,
  showDocument,
  tradeLines,
} from '../kept-text.ts';
import { projectRegistry } from '../project-plugins.ts';
import { requireReport, writeReport } from '../backtest-report-file.ts';
import { runBacktest } from '../run-backtest.ts';
import { equityCsv } from '../../../lab/backtest/equity-file.ts';

/** `backtest list|show|compare|diff|rerun`: what is done with backtests that have ended. */
export function addKeptCommands(group: Command): void {
  const add = (name: string, description: string): Command =>
    group.command(name).description(description).hook('preAction', refuseForeign);
  const id = new Argument('[id]', 'a kept backtest, or how its id begins').default('', 'the newest');

  add('list', 'the backtests that are kept, oldest first').action(
    command(async (context) => list(context), { logs: false }),
  );
  add('show', 'settings, result and trades of one')
    .addArgument(id)
    .action(command(async (context, _, name) => show(context, given(name)), { logs: false }));
  add('compare', 'figures of several, side by side')
    .argument('<ids...>', 'two or more')
    .action(command(async (context, _, names = '') => compare(context, names.split(',')), { logs: false }));
  add('diff', 'what two differ in: settings, data, figures, trades')
    .addArgument(new Argument('[a]', 'the earlier one').default('', 'the newest but one'))
    .addArgument(new Argument('[b]', 'the later one').default('', 'the newest'))
    .action(command(async (context, _, a, b) => diff(context, given(a), given(b)), { logs: false }));
  add('pin', 'keep one whatever comes after it, and give it a name')
    .addArgument(id)
    .option('--name <name>', 'what it may be called by from now on, such as spring-2026')
    .action(
      command(async (context, options, name) => keep(context, given(name), PinOptions.parse(options).name), {
        logs: false,
      }),
    );
  add('unpin', 'let one go when it is among the oldest')
    .argument('<id>', 'its name, its id, or how that begins')
    .action(command(async (context, _, name) => letGo(context, given(name)), { logs: false }));
  add('rerun', 'run one again from its document, and compare every digit')
    .addArgument(id)
    .option('--report <file>', 'write its report: .html, .md, .json, .csv or .parquet')
    .action(
      command(async (context, options, name) => rerun(context, given(name), RerunOptions.parse(options))),
    );
}

const PinOptions = z.object({ name: z.string().optional() });
const RerunOptions = z.object({ report: z.string().optional() });

/** An argument that was left out is empty. */
const given = (name: string | undefined): string | undefined => (name === '' ? undefined : name);

/** Options of a new backtest mean nothing to a finished one, and are not silently dropped. */
function refuseForeign(self: Command): void {
  const { parent } = self;
  const own = new Set(self.options.map(({ long }) => long));
  const foreign = parent?.options.find(
    (option) => parent.getOptionValueSource(option.attributeName()) === 'cli' && !own.has(option.long),
  );
  if (foreign !== undefined)
    self.error(`error: ${foreign.long ?? foreign.flags} does nothing with "backtest ${self.name()}".`);
}

async function list(context: CommandContext): Promise<void> {
  const { out } = context;
  const archive = archiveOf(context);
  const kept = await listBacktests(archive);
  out.document({
    backtests: kept.map((one) => {
      const pinned = one.pin ?? null;
      return one.kind === 'whole' ? { ...one.summary, pinned } : { ...one, pinned, damaged: true };
    }),
  });
  if (kept.length === 0) {
    out.print('No backtest is kept yet. Run one: crypto-trader backtest');
    return;
  }
  out.table(LIST_HEAD, kept.map(listRow));
  for (const one of kept) if (one.kind === 'damaged') out.print(`${one.id}: ${one.why}`);
  out.print(
    `\n${kept.filter(({ pin }) => pin === undefined).length} of at most ${archive.most} (backtest.kept)${kept.some(({ pin }) => pin !== undefined) ? ' beside the pinned ones' : ''} in ${archive.folder}. Next: crypto-trader backtest show <id>, or diff <a> <b>`,
  );
}

async function keep(
  context: CommandContext,
  id: string | undefined,
  name: string | undefined,
): Promise<void> {
  const archive = archiveOf(context);
  const found = await findBacktest(archive, id);
  await pinBacktest(archive, found, name);
  context.out.document({ id: found, pinned: true, name: name ?? null });
  context.out.print(
    name === undefined
      ? `${found} stays, however many come after it.`
      : `${found} stays, and is called ${name}: crypto-trader backtest show ${name}`,
  );
}

async function letGo(context: CommandContext, id: string | undefined): Promise<void> {
  const archive = archiveOf(context);
  const found = await findBacktest(archive, id);
  await unpinBacktest(archive, found);
  context.out.document({ id: found, pinned: false });
  context.out.print(`${found} goes when it is among the oldest.`);
}

async function show(context: CommandContext, name: string | undefined): Promise<void> {
  const archive = archiveOf(context);
  const id = await findBacktest(archive, name);
  const { document, equity } = await readBacktest(archive, id);
  context.out.document(document);
  showDocument(context.out, document, equity);
  context.out.print(
    `Everything is in ${keptPaths(archive, id).folder}. Again, with a report: crypto-trader backtest rerun ${id} --report report.html`,
  );
}

async function compare(context: CommandContext, names: readonly string[]): Promise<void> {
  const { out } = context;
  const documents = await readAll(context, names);
  if (documents.length < 2) {
    throw new UserError('One backtest alone is nothing to compare.', {
      hint: 'Name two or more: crypto-trader backtest list',
    });
  }
  const notes = incomparable(documents);
  out.document({
    notes,
    backtests: documents.map(({ id, strategy, trainedBy, range, metrics, benchmark, costs }) => ({
      id,
      strategy,
      trainedBy,
      range,
      metrics,
      benchmark,
      costs,
    })),
  });
  out.table(COMPARE_HEAD, documents.map(compareRow));
  out.print('');
  for (const note of notes) out.print(`NOTE: ${note}`);
  out.print(
    notes.length === 0
      ? 'Same market, bars and costs. Differences of this size may still be luck: `backtest show` has intervals and tests.'
      : 'Figures that differ for these reasons do not say which is better.',
  );
}

async function diff(
  context: CommandContext,
  first: string | undefined,
  second: string | undefined,
): Promise<void> {
  const { out } = context;
  const archive = archiveOf(context);
  const kept = (await listBacktests(archive)).map((one) => (one.kind === 'whole' ? one.summary.id : one.id));
  const newest = kept.at(-1);
  const other = second ?? (first === undefined ? newest : undefined);
  if (kept.length < 2 && (first === undefined || second === undefined)) {
    throw new UserError(
      `${kept.length === 0 ? 'No backtest is' : 'Only one backtest is'} kept: there is nothing to compare.`,
      {
        hint: 'Run another: crypto-trader backtest',
      },
    );
  }
  const [{ document: a, equity: before }, { document: b, equity: after }] = await readBoth(context, [
    first ?? kept[kept.length - 2],
    other ?? newest ?? '',
  ]);
  const settings = differences(a.settings, b.settings);
  const figures = differences(comparedFigures(a, b), comparedFigures(b, a));
  const trades = tradeDifferences(a.trades, b.trades);
  const earned = earningDifference([before, after], a.timeframe);
  out.document({ a: a.id, b: b.id, settings, figures, trades, earned: earned ?? null });
  out.print(`a: ${a.id}\nb: ${b.id}\n`);
  out.print(settings.length === 0 ? 'Settings: the same.' : 'Settings (a -> b):');
  for (const line of differenceLines(settings)) out.print(line);
  out.print(
    figures.length === 0 ? 'Data, weights and figures: the same.' : 'Data, weights and figures (a -> b):',
  );
  for (const line of differenceLines(figures)) out.print(line);
  for (const line of tradeLines(trades)) out.print(line);
  out.print(
    earned === undefined ? 'Their bars differ, so no interval says which earned more.' : earningLine(earned),
  );
}

/** Data, weights of the models that both have, and the figures, without the texts about them. */
function comparedFigures(
  { dataFingerprint, weights, metrics }: BacktestDocument,
  other: BacktestDocument,
): object {
  const shared = Object.entries(weights).filter(([name]) => name in other.weights);
  const { conventions: _, ...figures } = metrics;
  return { dataFingerprint, weights: Object.fromEntries(shared), metrics: figures };
}

async function rerun(
  context: CommandContext,
  name: string | undefined,
  { report }: z.output<typeof RerunOptions>,
): Promise<void> {
  const { out } = context;
  if (report !== undefined) await requireReport(report);
  const archive = archiveOf(context);
  const id = await findBacktest(archive, name);
  const before = await readBacktest(archive, id);
  const finished = await runBacktest(
    { ...context, registry: await projectRegistry(context) },
    savedRequest(id, before.document),
    {
      trials: before.document.trials,
    },
  );
  const again = documentOf(finished, { id, timeMs: Date.now(), equityCurve: keptPaths(archive, id).equity });
  if (report !== undefined) {
    await writeReport(report, finished, again);
    out.print(`Report: ${report}`);
  }
  const found = resultDifferences(before.document, again);
  const sameCurve = equityCsv(finished.result) === before.equity;
  out.document({ id, identical: found.length === 0 && sameCurve, differences: found, again });
  if (found.length === 0 && sameCurve) {
    out.print(
      `${id}: every digit is the same again: ${finished.result.market.time.length} bars, ${finished.result.ensemble.run.trades.length} trades, all figures and equity curves.`,
    );
    return;
  }
  for (const line of differenceLines(found, 5)) out.print(line);
  throw new CheckFailed(`${id} does not come out the same. ${whyNot(before.document, again)}`);
}

function savedRequest(id: string, { settings }: BacktestDocument) {
  try {
    return requestOf(settings);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new UserError(`The settings of "${id}" are of another version: ${issueLines(error).join('; ')}`, {
      hint: 'Run a new backtest with the settings that `backtest show` prints.',
    });
  }
}

function whyNot(before: BacktestDocument, again: ReturnType<typeof documentOf>): string {
  const program = differences(before['program'], again.program);
  if (before.dataFingerprint !== (again as unknown as BacktestDocument).dataFingerprint)
    return 'The candles have changed since.';
  if (differences(before.weights, again.weights).length > 0) return 'The models have other weights.';
  return program.length > 0
    ? 'The program has changed since.'
    : 'Data, models and program are the same: this is a bug.';
}

const readAll = async (context: CommandContext, names: readonly string[]) =>
  (await readBoth(context, names)).map(({ document }) => document);

async function readBoth(context: CommandContext, names: readonly string[]) {
  const archive = archiveOf(context);
  const kept: Awaited<ReturnType<typeof readBacktest>>[] = [];
  for (const name of names) kept.push(await readBacktest(archive, await findBacktest(archive, name)));
  return kept;
}
