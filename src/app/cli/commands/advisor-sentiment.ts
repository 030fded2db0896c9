import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { openStore } from '../../../data/store/store.ts';
import { newsSubjects } from '../../advisor/news.ts';
import { languageScorer } from '../../advisor/reader.ts';
import { pickProviders } from '../../advisor/providers.ts';
import { scoreStoredTexts } from '../../workflows/score-texts.ts';
import { providersOf, purseOf } from '../advisor-context.ts';
import { command, type CommandContext, list } from '../command.ts';
import { counted } from '../dataset-document.ts';
import { less } from '../table.ts';

const Options = z.object({ provider: z.string().optional() });

const DAY_MS = 86_400_000;

/** `advisor sentiment`: news of the last day as a language model reads it. */
export function addSentiment(advisor: Command): void {
  advisor
    .command('sentiment')
    .description(
      'have the news of the last day read: scores per asset that features can use, from when they were made',
    )
    .option('--provider <id>', 'who reads (default: the first that is ready)')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text fetch && crypto-trader advisor sentiment

The reader has no tools and gives numbers back; no adviser ever sees a text. A score counts from the moment at which it was made, and
texts that were first seen more than a day ago are not judged: the model may know what came of them. Each text is paid for once.`,
    )
    .action(command(async (context, options) => sentiment(context, Options.parse(options))));
}

async function sentiment(context: CommandContext, options: z.output<typeof Options>): Promise<void> {
  const { config, out, signal } = context;
  const named = options.provider === undefined ? undefined : list(options.provider);
  const [provider] = pickProviders(providersOf(context), named);
  const { retries, mostOutputTokens } = config.advisor;
  const scorer = languageScorer(provider, {
    ...{ dataDir: config.dataDir, purse: purseOf(context), retries, mostOutputTokens },
  });
  const store = openStore(config.dataDir);
  const progress = out.progress();
  const task = progress.task(scorer.id, 1);
  const counts = await scoreStoredTexts(config.dataDir, store.series, scorer, {
    signal,
    onScored: (done, total) => task.update(done / total),
  }).finally(() => progress.stop());
  const { assets } = await newsSubjects(store, scorer.id);
  const nowMs = Date.now();
  const rows = await Promise.all(
    assets.map(async (asset) => {
      const { known, columns } = await store.series.read({ name: 'news', subject: `${scorer.id}/${asset}` });
      const recent = [...known.keys()].filter((row) => known[row] > nowMs - DAY_MS);
      const mean = (column: string): number | undefined =>
        recent.length === 0
          ? undefined
          : recent.reduce((sum, row) => sum + columns[column][row], 0) / recent.length;
      return {
        asset,
        texts: recent.length,
        polarity: mean('polarity'),
        subjectivity: mean('subjectivity'),
        knownMs: known.at(-1),
      };
    }),
  );
  out.document({
    scorer: scorer.id,
    late: counts.late,
    unscored: counts.unscored,
    assets: rows.map(({ knownMs, ...row }) => ({
      ...row,
      known: knownMs === undefined ? undefined : formatTime(knownMs),
    })),
  });
  if (rows.length === 0)
    out.print('No text of the last day names an asset. Get some: crypto-trader text fetch');
  else
    out.table(
      ['asset', 'texts in 24 h', 'polarity', less('subjectivity', 1), 'known from'],
      rows.map((row) => [
        row.asset,
        String(row.texts),
        row.polarity?.toFixed(2) ?? '-',
        row.subjectivity?.toFixed(2) ?? '-',
        row.knownMs === undefined ? '-' : formatMinute(row.knownMs),
      ]),
    );
  if (counts.late > 0) out.print(`${counted(counts.late, 'older text')} left alone.`);
  if (counts.unscored > 0)
    out.print(`${counted(counts.unscored, 'text')} got no valid score; run it again to ask once more.`);
  out.print(`As features: features.textScorer: ${scorer.id} in config.yaml.`);
}
