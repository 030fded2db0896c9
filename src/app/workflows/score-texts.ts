import { createHash } from 'node:crypto';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { StoredText } from '../../data/text/item.ts';
import { readTexts } from '../../data/text/store.ts';
import type { SeriesChange, SeriesStore } from '../../data/store/series-store.ts';
import { giveWay } from '../../data/turns.ts';
import { listFinberts, openFinbert } from '../../learning/text/finbert.ts';
import { aboutLexicon, listLexicons, openLexicon } from '../../learning/text/saved-lexicon.ts';
import { LEXICON_SCORERS, type TextScorer } from '../../learning/text/scorer.ts';
import { listClassifiers, openClassifier } from '../../learning/text/saved-classifier.ts';

/** A scorer that can be used here. */
export interface ScorerEntry {
  readonly id: string;
  readonly about: string;
}

export async function listScorers(dataDir: string): Promise<readonly ScorerEntry[]> {
  const [trained, finberts, lexicons] = await Promise.all([
    listClassifiers(dataDir),
    listFinberts(dataDir),
    listLexicons(dataDir),
  ]);
  return [
    ...LEXICON_SCORERS.map(({ id, about }) => ({ id, about })),
    ...lexicons.map((lists) => ({ id: lists.id, about: aboutLexicon(lists) })),
    ...trained.map(({ id, texts, crossValidation: { accuracy, macroF1, majority } }) => ({
      id,
      about: `TF-IDF and logistic regression on ${texts} texts: accuracy ${accuracy.toFixed(3)}, macro-F1 ${macroF1.toFixed(3)} (most frequent label: ${majority.accuracy.toFixed(3)}, ${majority.macroF1.toFixed(3)})`,
    })),
    ...finberts.map(({ id, from }) => ({ id, about: `FinBERT (Araci 2019) of ${from}` })),
  ];
}

/** Throws `UserError` with the nearest id for a scorer that is not there. */
export async function openScorer(dataDir: string, id: string): Promise<TextScorer> {
  const found =
    LEXICON_SCORERS.find((scorer) => scorer.id === id) ??
    (await openFinbert(dataDir, id)) ??
    (await openLexicon(dataDir, id)) ??
    (await openClassifier(dataDir, id));
  if (found !== undefined) return found;
  const known = (await listScorers(dataDir)).map((entry) => entry.id);
  throw new UserError(`Unknown scorer "${id}".`, { hint: suggest(id, known) });
}

export interface ScoredTexts {
  readonly texts: number;
  /** Repeats of an earlier text: they say nothing new. */
  readonly repeats: number;
  /** Texts that name no asset: they belong to no series. */
  readonly unlinked: number;
  /** Too old for a scorer with hindsight, and without an opinion of it. */
  readonly late: number;
  readonly unscored: number;
  readonly series: readonly SeriesChange[];
}

const BATCH = 512;
/** A scorer with hindsight judges texts that were first seen within this time. */
const FRESH_MS = 86_400_000;

/**
 * Scores every stored text and brings the series of each asset up to date: a row a text, at the moment it was first seen.
 * What was scored before stays as it was.
 */
export async function scoreStoredTexts(
  dataDir: string,
  store: SeriesStore,
  scorer: TextScorer,
  {
    signal,
    onScored,
    nowMs = Date.now(),
  }: {
    readonly signal: AbortSignal;
    readonly onScored: (done: number, total: number) => void;
    readonly nowMs?: number;
  },
): Promise<ScoredTexts> {
  const texts: StoredText[] = [];
  let [all, repeats, unlinked, late, unscored] = [0, 0, 0, 0, 0];
  const oldestMs = scorer.hindsight === true ? nowMs - FRESH_MS : -Infinity;
  await readTexts(dataDir, (text) => {
    all++;
    if (text.repeats !== null) repeats++;
    else if (text.assets.length === 0) unlinked++;
    else if (text.seenMs < oldestMs || (scorer.hindsight === true && text.assumedDelayMs !== null)) late++;
    else texts.push(text);
  });
  texts.sort((a, b) => a.seenMs - b.seenMs);
  const rows = new Map<string, Map<number, readonly number[]>>();
  for (let from = 0; from < texts.length; from += BATCH) {
    const batch = texts.slice(from, from + BATCH);
    const scores = await scorer.score(
      batch.map(({ title }) => title),
      signal,
    );
    for (const [i, { seenMs, source, assets }] of batch.entries()) {
      const score = scores[i];
      if (score === undefined) {
        unscored++;
        continue;
      }
      const { polarity, subjectivity, judgedMs: timeMs = seenMs } = score;
      for (const { asset, relevance } of assets) {
        const own = rows.get(asset) ?? new Map<number, readonly number[]>();
        rows.set(asset, own);
        // Texts of the same words that a scorer judged once are one row.
        if (!own.has(timeMs))
          own.set(timeMs, [timeMs, polarity, subjectivity, relevance, sourceNumber(source)]);
      }
    }
    onScored(from + batch.length, texts.length);
    await giveWay(signal);
  }
  const series: SeriesChange[] = [];
  for (const [asset, own] of [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const ordered = [...own.values()].toSorted(([a], [b]) => a - b);
    const column = (at: number): Float64Array => Float64Array.from(ordered, (row) => row[at]);
    const time = column(0);
    const columns = { polarity: column(1), subjectivity: column(2), relevance: column(3), source: column(4) };
    const key = { name: 'news', subject: `${scorer.id}/${asset}` } as const;
    series.push(await store.merge(key, { time, known: time, columns }, { source: 'texts' }));
    signal.throwIfAborted();
  }
  return { texts: all, repeats, unlinked, late, unscored, series };
}

/** A number that stands for a source, the same ever after. */
const sourceNumber = (source: string): number => createHash('sha256').update(source).digest().readUInt32BE(0);
