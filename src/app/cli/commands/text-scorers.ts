import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { formatTime } from '../../../core/foundation/time.ts';
import { mentions } from '../../../core/text/mentions.ts';
import { openStore } from '../../../data/store/store.ts';
import { command, type CommandContext } from '../command.ts';
import { counted } from '../dataset-document.ts';
import { UsageError } from '../exit.ts';
import { languageScorer, languageScorers } from '../language-scorer.ts';
import { SERIES_HEAD, seriesDocument, seriesRow } from '../series.ts';
import { prose } from '../table.ts';

/** `text score|train|import-lexicon|fetch-model`: what gives texts their numbers, and where it comes from. */
export function addScorerCommands(text: Command): void {
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

async function takeLexicon({ config, out }: CommandContext, path: string): Promise<void> {
  const { importLexicon } = await import('../../../learning/text/saved-lexicon.ts');
  const importedAt = formatTime(Date.now());
  const { id, negative, positive } = await importLexicon(config.dataDir, path, { importedAt });
  out.document({ scorer: id, negative: negative.length, positive: positive.length });
  out.print(`Kept as ${id}: ${negative.length} negative and ${positive.length} positive words.`);
  printUse(out, id);
}

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

const printUse = (out: CommandContext['out'], id: string): void =>
  out.print(
    `Use it: crypto-trader text score --stored --scorer ${id}, and features.textScorer: ${id} in config.yaml.`,
  );
