import type { Command } from 'commander';
import { z } from 'zod';
import { counted } from '../dataset-document.ts';
import { formatMinute, formatTime, parseTime } from '../../../core/foundation/time.ts';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { mentions } from '../../../core/text/mentions.ts';
import { openStore } from '../../../data/store/store.ts';
import { fetchTexts, pickSources, type TextFetch } from '../../../data/text/fetch.ts';
import { importTexts } from '../../../data/import-texts.ts';
import { evaluateTexts } from '../../workflows/evaluate-texts.ts';
import { listTexts, textSources } from '../../workflows/texts.ts';
import { command, type CommandContext, decimal, integer, list } from '../command.ts';
import { languageScorer, languageScorers } from '../language-scorer.ts';
import { UsageError } from '../exit.ts';
import { earningLine } from '../kept-text.ts';
import { runStep } from '../run-step.ts';
import { SERIES_HEAD, seriesDocument, seriesRow } from '../series.ts';
import { less, prose } from '../table.ts';

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

  text
    .command('score [text]')
    .description('what a scorer makes of a text, or of all that are stored: these become the news features')
    .option('--scorer <id>', 'the scorer (default: features.textScorer)')
    .option('--stored', 'score all stored texts into the series of each asset')
    .option('--list', 'the scorers that there are, and how well they do')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text score "Bitcoin surges past $100k as ETF inflows hit record"
  $ crypto-trader text score --stored
  $ crypto-trader text score --list`,
    )
    .action(command(async (context, options, words) => score(context, ScoreOptions.parse(options), words)));

  text
    .command('train <file>')
    .description(
      'train a scorer on labelled texts: a CSV file with the columns label (negative, neutral, positive) and text',
    )
    .addHelpText('after', '\nExamples:\n  $ crypto-trader text train labelled.csv.gz')
    .action(command(async (context, _, path) => train(context, path)));

  text
    .command('import-lexicon <file>')
    .description("your copy of Loughran and McDonald's master dictionary (CSV): a scorer by its words")
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text import-lexicon Loughran-McDonald_MasterDictionary_1993-2024.csv

Its makers give it away for research and ask others for a licence (sraf.nd.edu), so it does not come with this program. Its
words stay in this project.`,
    )
    .action(command(async (context, _, path) => takeLexicon(context, path)));

  text
    .command('fetch-model')
    .description('get FinBERT, a language model of financial news that scores texts on this machine')
    .option('--from <folder>', 'take it from a folder with model.onnx, vocab.txt and config.json')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text fetch-model
  $ crypto-trader text fetch-model --from ./finbert-onnx

Downloads what text.finbert in config.yaml names, 438 MB unless set otherwise, and resumes where it was stopped. What comes
must have the SHA-256 that the hub announced, or that text.finbert.sha256 says. Nothing is fetched afterwards.`,
    )
    .action(command(async (context, options) => fetchModel(context, FetchModelOptions.parse(options))));

  text
    .command('evaluate')
    .description(
      'fetch and score everything, train late fusion with a branch of texts, and backtest it without and with them',
    )
    .option('--scorer <id>', 'whose scores (default: features.textScorer)')
    .option('--features <list>', 'features of texts that the branch reads', 'news_decayed,news_intensity')
    .option('--beside <list>', 'bar lengths to fetch beside market.timeframe', '5m,1d')
    .option('--folds <count>', 'folds of the two backtests, the network refitted before each', '5')
    .option('--strategy <id>', 'what trades its forecasts', 'own')
    .option('--stored', 'fetch nothing: use what is stored')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text evaluate
  $ crypto-trader text evaluate --stored --scorer finbert-6a1b --folds 8

Every step is a command that it prints, and that can be run alone. Only texts count that were known at a bar's close: those that
this first fetches are known from now on, so let "text fetch" run from cron for some weeks before, or import an archive.`,
    )
    .action(command(async (context, options) => evaluate(context, EvaluateOptions.parse(options))));

  text
    .command('sources')
    .description('every source of texts, and what those lack that are not ready')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader text sources --json')
    .action(command(async (context) => showSources(context)));
}

async function takeLexicon({ config, out }: CommandContext, path: string): Promise<void> {
  const { importLexicon } = await import('../../../learning/text/saved-lexicon.ts');
  const importedAt = formatTime(Date.now());
  const { id, negative, positive } = await importLexicon(config.dataDir, path, { importedAt });
  out.document({ scorer: id, negative: negative.length, positive: positive.length });
  out.print(`Kept as ${id}: ${negative.length} negative and ${positive.length} positive words.`);
  printUse(out, id);
}

const EvaluateOptions = z.object({
  scorer: z.string().optional(),
  features: z.string(),
  beside: z.string(),
  folds: z.string(),
  strategy: z.string(),
  stored: z.boolean().default(false),
});

async function evaluate(context: CommandContext, options: z.infer<typeof EvaluateOptions>): Promise<void> {
  const { config, out, globals } = context;
  const { market, features } = config;
  const found = await evaluateTexts(
    {
      timeframe: market.timeframe,
      beside: list(options.beside).map(parseTimeframe),
      stored: options.stored,
      scorer: options.scorer ?? features.textScorer,
      features: list(options.features),
      folds: integer('--folds', options.folds, { least: 1 }),
      strategy: options.strategy,
      nowMs: Date.now(),
      globals,
    },
    (args, mayFail) => runStep(context, args, mayFail),
  );
  out.document({ ...found, earned: found.earned ?? null });
  out.table(
    ['branch', 'weight %'],
    found.branches.map(({ name, weightPct }) => [name, weightPct.toFixed(1)]),
  );
  for (const { name, reason } of found.absent) out.print(`Without ${name}: ${reason}.`);
  out.print(`\na: without texts, ${found.without}\nb: with texts, ${found.with}`);
  out.print(
    found.earned === undefined
      ? 'Result: their bars differ, so no interval says what texts added.'
      : `Result: what texts added is ${earningLine(found.earned)}`,
  );
}

const printUse = (out: CommandContext['out'], id: string): void =>
  out.print(
    `Use it: crypto-trader text score --stored --scorer ${id}, and features.textScorer: ${id} in config.yaml.`,
  );

const FetchModelOptions = z.object({ from: z.string().optional() });

async function fetchModel(
  { config, out, signal, log }: CommandContext,
  { from }: z.infer<typeof FetchModelOptions>,
): Promise<void> {
  const { fetchFinbert, importFinbert } = await import('../../workflows/fetch-finbert.ts');
  const progress = out.progress();
  const task = progress.task('FinBERT', 1);
  const nowMs = Date.now();
  try {
    const found =
      from === undefined
        ? await fetchFinbert(config.dataDir, config.text.finbert, {
            ...config.fetch,
            signal,
            log,
            nowMs,
            onBytes: (bytes, total) => task.update(bytes / total),
          })
        : await importFinbert(config.dataDir, from, { nowMs });
    const { id, known } = found;
    out.document({ scorer: id, ...found });
    out.print(
      `${known ? 'It is here already' : 'Kept'}: ${id}, of ${found.from}, weights with SHA-256 ${found.modelSha256}.`,
    );
    printUse(out, id);
  } finally {
    progress.stop();
  }
}

const ScoreOptions = z.object({
  scorer: z.string().optional(),
  stored: z.boolean().default(false),
  list: z.boolean().default(false),
});

async function score(
  context: CommandContext,
  options: z.infer<typeof ScoreOptions>,
  text: string,
): Promise<void> {
  const { config, out, signal } = context;
  const { listScorers, openScorer, scoreStoredTexts } = await import('../../workflows/score-texts.ts');
  if (options.list) {
    const scorers = [...(await listScorers(config.dataDir)), ...languageScorers(context)];
    out.document({ scorers });
    out.table(
      ['scorer', prose('what')],
      scorers.map(({ id, about }) => [id, about]),
    );
    return;
  }
  const id = options.scorer ?? config.features.textScorer;
  const scorer = (await languageScorer(context, id)) ?? (await openScorer(config.dataDir, id));
  if (!options.stored) {
    if (text === '') throw new UsageError('Give a text in quotes, or --stored for all that are stored.');
    const [found] = await scorer.score([text], signal);
    if (found === undefined)
      throw new UserError(`${scorer.id} has no opinion on this text.`, {
        hint: 'Try it with another scorer.',
      });
    const { polarity, subjectivity } = found;
    const assets = mentions(text);
    out.document({ scorer: scorer.id, text, polarity, subjectivity, assets });
    out.print(
      `${scorer.id}: polarity ${polarity.toFixed(4)} (-1 bad to 1 good), subjectivity ${subjectivity.toFixed(2)}; about ${assets.map(({ asset }) => asset).join(', ') || 'no asset that is known'}.`,
    );
    return;
  }
  const progress = out.progress();
  const task = progress.task(scorer.id, 1);
  try {
    const { series, ...counts } = await scoreStoredTexts(
      config.dataDir,
      openStore(config.dataDir).series,
      scorer,
      {
        signal,
        onScored: (done, total) => task.update(done / total),
      },
    );
    out.document({
      scorer: scorer.id,
      ...counts,
      series: series.map(({ manifest, addedRows }) => ({ ...seriesDocument(manifest), addedRows })),
    });
    if (series.length === 0)
      out.print('No stored text names an asset yet. Get some: crypto-trader text fetch');
    else
      out.table(
        [...SERIES_HEAD, 'new'],
        series.map(({ manifest, addedRows }) => [...seriesRow(manifest), String(addedRows)]),
      );
    out.print(
      `${counted(counts.texts, 'text')}: ${counts.repeats} repeat an earlier one and ${counts.unlinked} name no asset; they are in no series.`,
    );
    if (counts.late > 0)
      out.print(
        `${counts.late} were first seen more than a day ago: a language model may know what came of them, so it does not judge them.`,
      );
    if (counts.unscored > 0)
      out.print(`On ${counts.unscored} the scorer had no opinion; they are asked again.`);
  } finally {
    progress.stop();
  }
}

async function train({ config, out, seed, signal }: CommandContext, path: string): Promise<void> {
  const { trainTextScorer } = await import('../../workflows/train-text.ts');
  const { id, texts, validation } = await trainTextScorer(config.dataDir, path, { seed, signal });
  out.document({ scorer: id, texts, validation });
  const { accuracy, macroF1, folds, majority } = validation;
  out.table(
    [`${folds} folds`, 'accuracy', 'macro-F1'],
    [
      ['this scorer', accuracy.toFixed(4), macroF1.toFixed(4)],
      ['the most frequent label', majority.accuracy.toFixed(4), majority.macroF1.toFixed(4)],
    ],
  );
  out.print(`Kept as ${id}.`);
  printUse(out, id);
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
