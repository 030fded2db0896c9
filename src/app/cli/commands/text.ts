import type { Command } from 'commander';
import { z } from 'zod';
import { counted } from '../dataset-document.ts';
import { formatMinute, formatTime, parseTime } from '../../../core/foundation/time.ts';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { fetchTexts, pickSources, type TextFetch } from '../../../data/text/fetch.ts';
import { importTexts } from '../../../data/import-texts.ts';
import { listTexts, textSources } from '../../workflows/texts.ts';
import { command, type CommandContext, decimal, integer, list } from '../command.ts';
import { UsageError } from '../exit.ts';
import { less, prose } from '../table.ts';
import { addEvaluateCommand } from './text-evaluate.ts';
import { addScorerCommands } from './text-scorers.ts';

const FetchOptions = z.object({ source: z.string().optional() });
const ImportOptions = z.object({
  source: z.string().default('import'),
  assets: z.string().optional(),
  seenDelayMinutes: z.string().optional(),
});
const ListOptions = z.object({
  asset: z.string().optional(),
  source: z.string().optional(),
  since: z.string().optional(),
  limit: z.string().default('20'),
});

export function register(program: Command): void {
  const text = program.command('text');
  text
    .command('fetch')
    .description('ask every source once for what is new, and keep when each text was first seen')
    .option('--source <list>', 'only these sources')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text fetch
  $ crypto-trader text fetch --source coindesk,gdelt

Run it from cron: a backtest knows a text from the moment it was first seen here, not from when it was published.
  */10 * * * *  cd /path/to/project && crypto-trader text fetch`,
    )
    .action(command(async (context, options) => fetchAll(context, FetchOptions.parse(options))));

  text
    .command('import <file>')
    .description(
      'texts from a file: .csv, .csv.gz or .jsonl, with columns such as published,title,url,author',
    )
    .option('--source <name>', 'the name to keep them under (default: import)')
    .option('--assets <list>', 'tickers that every text of the file is about, beside those that it names')
    .option(
      '--seen-delay-minutes <number>',
      'assume that each text was known this long after it was published, and mark it so',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text import news.csv.gz --source archive --seen-delay-minutes 60 --assets BTC
  $ crypto-trader text import recorded.jsonl

A column "seen" says when a text was first seen. Without it and without --seen-delay-minutes, that is now.`,
    )
    .action(
      command(async (context, options, path) => importFile(context, ImportOptions.parse(options), path)),
    );

  text
    .command('list')
    .description('the newest texts, and how many of each source there are')
    .option('--asset <ticker>', 'only texts that name this asset, such as BTC')
    .option('--source <name>', 'only of this source')
    .option('--since <date>', 'first seen at or after this time (UTC)')
    .option('--limit <number>', 'show at most this many', '20')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader text list --asset ETH --limit 50')
    .action(command(async (context, options) => showTexts(context, ListOptions.parse(options))));

  addScorerCommands(text);
  addEvaluateCommand(text);
  text
    .command('sources')
    .description('every source of texts, and what those lack that are not ready')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader text sources --json')
    .action(command(async (context) => showSources(context)));
}

async function fetchAll(context: CommandContext, options: z.infer<typeof FetchOptions>): Promise<void> {
  const { config, out, signal, log } = context;
  const entries = textSources(config.text, process.env);
  const ready = entries.flatMap((entry) => (entry.kind === 'ready' ? [entry.source] : []));
  const absent = entries.flatMap((entry) => (entry.kind === 'absent' ? [entry] : []));
  const asked = options.source === undefined ? undefined : list(options.source);
  for (const { id, why } of absent)
    if (asked?.includes(id) === true)
      throw new UserError(`The source "${id}" is not ready: ${why}.`, {
        hint: 'Set it in the environment or in .env; "crypto-trader text sources" shows what each needs.',
      });
  const sources = asked === undefined ? ready : pickSources(ready, asked);
  if (sources.length === 0)
    throw new UserError('No source of texts is set.', { hint: 'Set text.feeds in config.yaml.' });
  const progress = out.progress();
  const task = progress.task('sources', sources.length);
  let results: readonly TextFetch[];
  let done = 0;
  try {
    results = await fetchTexts(config.dataDir, sources, {
      timeoutMs: config.fetch.timeoutMs,
      retries: config.fetch.retries,
      now: Date.now,
      signal,
      log,
      onDone: ({ source }) => task.update(++done, source),
    });
  } finally {
    progress.stop();
  }
  out.document({ sources: results, absent: absent.map(({ id, why }) => ({ source: id, reason: why })) });
  out.table(
    ['source', 'outcome', 'new', less('edits'), less('repeats', 2), less('known', 3), prose('reason')],
    results.map((one) => [
      one.source,
      one.outcome,
      String(one.added - one.edits),
      String(one.edits),
      String(one.repeats),
      String(one.known),
      one.reason ?? (one.rejected.length === 0 ? '' : `left out: ${one.rejected.slice(0, 3).join('; ')}`),
    ]),
  );
  if (asked === undefined) for (const { id, why } of absent) out.print(`Without ${id}: ${why}.`);
  const added = results.reduce((sum, one) => sum + one.added, 0);
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) process.exitCode = 1;
  if (failed.length === results.length)
    out.notice('No source could be read. Check the network, and the addresses under text in config.yaml.');
  else
    out.print(
      `${counted(added, 'new text')} from ${counted(results.length - failed.length, 'source')}. Next: crypto-trader text list`,
    );
}

async function importFile(
  { config, out }: CommandContext,
  options: z.infer<typeof ImportOptions>,
  path: string,
): Promise<void> {
  const { source, seenDelayMinutes } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(source))
    throw new UsageError(`--source cannot be "${source}": expected a short id, such as archive.`);
  const assets = list(options.assets ?? '').map((ticker) => ticker.toUpperCase());
  const delay =
    seenDelayMinutes === undefined
      ? undefined
      : 60_000 * decimal('--seen-delay-minutes', seenDelayMinutes, { least: 0, most: 525_600 });
  const imported = await importTexts(config.dataDir, path, {
    source,
    assets,
    assumedDelayMs: delay === undefined ? undefined : Math.round(delay),
    nowMs: Date.now(),
  });
  const { added, edits, repeats, known, rejected } = imported;
  out.document({ source, added: added.length, edits, repeats, known, rejected });
  out.print(
    `${counted(added.length, 'text')} imported as "${source}" (${edits} edits, ${repeats} that repeat an earlier one); ${known} were there already.`,
  );
  if (rejected.length > 0)
    out.print(`${counted(rejected.length, 'row')} left out: ${rejected.slice(0, 3).join('; ')}.`);
  if (delay !== undefined)
    out.print(
      `When they were first seen is ASSUMED: ${seenDelayMinutes} minutes after they were published. Results on them rest on that.`,
    );
}

async function showTexts(
  { config, out }: CommandContext,
  options: z.infer<typeof ListOptions>,
): Promise<void> {
  const limit = integer('--limit', options.limit, { least: 1 });
  const asset = options.asset?.toUpperCase();
  const filter = {
    asset,
    source: options.source,
    sinceMs: options.since === undefined ? undefined : parseTime(options.since),
  };
  const { texts, matching, bySource } = await listTexts(config.dataDir, filter, limit);
  out.document({
    texts: texts.map(({ seenMs, publishedMs, assumedDelayMs, ...text }) => ({
      ...text,
      firstSeen: formatTime(seenMs),
      firstSeenAssumed: assumedDelayMs !== null,
      published: publishedMs === null ? undefined : formatTime(publishedMs),
    })),
    matching,
    sources: bySource.map(({ firstSeenMs, lastSeenMs, ...counts }) => ({
      ...counts,
      firstSeen: formatTime(firstSeenMs),
      lastSeen: formatTime(lastSeenMs),
    })),
  });
  if (bySource.length === 0) {
    out.print('There are no texts yet. Get some: crypto-trader text fetch');
    return;
  }
  out.table(
    ['first seen', less('source', 2), less('assets', 1), prose('text')],
    texts.map((text) => [
      `${formatMinute(text.seenMs)}${text.assumedDelayMs === null ? '' : ' *'}`,
      text.source,
      text.assets.map((one) => one.asset).join(' '),
      `${text.edit ? '(edited) ' : ''}${text.repeats === null ? '' : '(repeat) '}${plainLine(text.title, 160)}`,
    ]),
  );
  out.table(
    ['source', 'texts', less('seen first', 1), 'seen last'],
    bySource.map((one) => [
      one.source,
      String(one.texts),
      formatMinute(one.firstSeenMs),
      formatMinute(one.lastSeenMs),
    ]),
  );
  if (texts.some(({ assumedDelayMs }) => assumedDelayMs !== null))
    out.print('* first seen by assumption: imported without the time at which it was seen.');
  out.print(`${texts.length} of ${counted(matching, 'text')}, newest first.`);
}

async function showSources({ config, out }: CommandContext): Promise<void> {
  const entries = textSources(config.text, process.env);
  out.document({
    sources: entries.map((entry) => ({
      source: entry.id,
      about: entry.about,
      ready: entry.kind === 'ready',
      reason: entry.kind === 'ready' ? undefined : entry.why,
    })),
  });
  out.table(
    ['source', 'ready', prose('what')],
    entries.map((entry) => [
      entry.id,
      entry.kind === 'ready' ? 'yes' : 'no',
      entry.kind === 'ready' ? entry.about : `${entry.about}: ${entry.why}`,
    ]),
  );
}
