import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import { giveWay } from '../../data/turns.ts';
import type { TokenSession } from '../engine/token-session.ts';
import { LABELS } from './classifier.ts';
import type { TextScore, TextScorer } from './scorer.ts';
import type { Encode } from './wordpiece.ts';

/** Beside the weights of a FinBERT: where they come from, and what they must be. */
const Card = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  /** Address with revision, or the folder they were taken from. */
  from: z.string(),
  acquiredAt: z.iso.datetime(),
  modelSha256: z.string(),
  vocabularySha256: z.string(),
  /** Which output is which label. */
  labels: z.array(z.enum(LABELS)).length(LABELS.length),
});
type Card = z.output<typeof Card>;

/** As an ONNX export of ProsusAI/finbert calls its files. */
export const FINBERT_FILES = { model: 'model.onnx', vocabulary: 'vocab.txt', config: 'config.json' } as const;
const CARD = 'card.json';
const HINT = 'Delete its folder and get it again: crypto-trader text fetch-model.';

export const finbertFolder = (dataDir: string): string => join(dataDir, 'text', 'models');

/** FinBERTs of full precision have 438 MB. */
const LARGEST_MODEL = 1024 * 2 ** 20;
const LARGEST_VOCABULARY = 8 * 2 ** 20;

/** The FinBERTs of this project, by id. */
export async function listFinberts(dataDir: string): Promise<readonly Card[]> {
  const folders = await readdir(finbertFolder(dataDir)).catch(() => []);
  const cards = await Promise.all(
    folders.filter((name) => ID.test(name)).map((name) => readCard(join(finbertFolder(dataDir), name))),
  );
  return cards.filter((card) => card !== undefined).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const ID = /^finbert-[0-9a-f]{8}$/;

/** Other weights, or other words, are another scorer. */
export const finbertId = (modelSha256: string, vocabularySha256: string): string =>
  `finbert-${sha256(Buffer.from(modelSha256 + vocabularySha256)).slice(0, 8)}`;

/**
 * Looks whether the three files in `folder` are a FinBERT that runs, by a sentence that it judges, and writes its card.
 * Throws `UserError` for anything else.
 */
export async function admitFinbert(
  folder: string,
  { id, from, acquiredAt }: { readonly id: string; readonly from: string; readonly acquiredAt: string },
): Promise<void> {
  const [model, vocabulary, config] = await Promise.all([
    needed(folder, FINBERT_FILES.model, LARGEST_MODEL),
    needed(folder, FINBERT_FILES.vocabulary, LARGEST_VOCABULARY),
    needed(folder, FINBERT_FILES.config, 2 ** 20),
  ]);
  const labels = labelsOf(config, join(folder, FINBERT_FILES.config));
  const { encode, session } = await load(model, vocabulary);
  try {
    const [score] = await judge(session, labels, [encode('Profit rose.')]);
    if (!Number.isFinite(score.polarity))
      throw new UserError(
        `"${join(folder, FINBERT_FILES.model)}" judges nothing: its logits are not finite.`,
        {
          hint: HINT,
        },
      );
  } finally {
    await session.release();
  }
  const card: Card = {
    version: 1,
    id,
    from,
    acquiredAt,
    modelSha256: sha256(model),
    vocabularySha256: sha256(vocabulary),
    labels: [...labels],
  };
  await writeFileAtomic(join(folder, CARD), `${JSON.stringify(card, undefined, 2)}\n`);
}

/**
 * The FinBERT called `id`; `finbert` is the only one. `undefined` for ids of other scorers. Throws `UserError` by name when it
 * is not there, or its files are not those that were admitted.
 */
export async function openFinbert(dataDir: string, id: string): Promise<TextScorer | undefined> {
  if (id !== 'finbert' && !ID.test(id)) return undefined;
  const cards = await listFinberts(dataDir);
  const fitting = cards.filter((card) => card.id === id || id === 'finbert');
  if (fitting.length !== 1)
    throw new UserError(
      fitting.length === 0
        ? `The model of the scorer "${id}" is not here.`
        : `There are ${fitting.length} FinBERTs here, and "finbert" says not which.`,
      {
        hint:
          cards.length === 0
            ? 'Get it: crypto-trader text fetch-model.'
            : `There are: ${cards.map((card) => card.id).join(', ')}.`,
      },
    );
  const [card] = fitting;
  const folder = join(finbertFolder(dataDir), card.id);
  const [model, vocabulary] = await Promise.all([
    needed(folder, FINBERT_FILES.model, LARGEST_MODEL),
    needed(folder, FINBERT_FILES.vocabulary, LARGEST_VOCABULARY),
  ]);
  for (const [file, bytes, expected] of [
    [FINBERT_FILES.model, model, card.modelSha256],
    [FINBERT_FILES.vocabulary, vocabulary, card.vocabularySha256],
  ] as const)
    if (sha256(bytes) !== expected)
      throw new UserError(`"${join(folder, file)}" is not what was fetched: another SHA-256.`, {
        hint: HINT,
      });
  const { encode, session } = await load(model, vocabulary);
  return {
    id: card.id,
    about: `FinBERT (Araci 2019) of ${card.from}`,
    score: (texts, signal) => scoreAll(session, { labels: card.labels, encode, texts, signal }),
  };
}

const THREADS = 2;

/** ONNX Runtime and the tokeniser are loaded where a FinBERT is used, not where scorers are listed. */
async function load(model: Uint8Array, vocabulary: Uint8Array) {
  const [{ wordPiece }, { openTokenSession }] = await Promise.all([
    import('./wordpiece.ts'),
    import('../engine/token-session.ts'),
  ]);
  return {
    encode: wordPiece(text(vocabulary)),
    session: await openTokenSession(model, { outputs: LABELS.length, threads: THREADS }),
  };
}

/** Tokens of one run: enough to keep the processor busy, and Ctrl-C is heard after each. */
const TOKENS_PER_RUN = 1024;

/** Texts of equal length share a run: no padding, so no text's numbers depend on how long its neighbours are. */
async function scoreAll(
  session: TokenSession,
  {
    labels,
    encode,
    texts,
    signal,
  }: {
    readonly labels: readonly (typeof LABELS)[number][];
    readonly encode: Encode;
    readonly texts: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<readonly TextScore[]> {
  const scores: TextScore[] = [];
  const encoded = texts.map((one) => encode(one));
  const order = [...encoded.keys()].toSorted((a, b) => encoded[a].length - encoded[b].length || a - b);
  for (let from = 0; from < order.length;) {
    const { length } = encoded[order[from]];
    const most = session.quantised ? 1 : Math.max(1, Math.floor(TOKENS_PER_RUN / length));
    let until = from + 1;
    while (until < order.length && until - from < most && encoded[order[until]].length === length) until++;
    const run = order.slice(from, until);
    const found = await judge(
      session,
      labels,
      run.map((at) => encoded[at]),
    );
    for (const [i, at] of run.entries()) scores[at] = found[i];
    from = until;
    await giveWay(signal);
  }
  return scores;
}

/** Polarity: probability of good news less that of bad news. Subjectivity: what is not neutral. */
async function judge(
  session: TokenSession,
  labels: readonly (typeof LABELS)[number][],
  sequences: readonly (readonly number[])[],
): Promise<readonly TextScore[]> {
  const logits = await session.run(sequences);
  return sequences.map((_, i) => {
    const row = logits.subarray(i * LABELS.length, (i + 1) * LABELS.length);
    const top = Math.max(...row);
    const weights = Array.from(row, (logit) => Math.exp(logit - top));
    const sum = weights.reduce((total, one) => total + one, 0);
    const probability = (label: (typeof LABELS)[number]): number => weights[labels.indexOf(label)] / sum;
    return {
      polarity: probability('positive') - probability('negative'),
      subjectivity: 1 - probability('neutral'),
    };
  });
}

const Config = z.object({ id2label: z.record(z.string(), z.string()) });

/** The label of each output, as the model's config.json tells. */
function labelsOf(config: Uint8Array, path: string): readonly (typeof LABELS)[number][] {
  const parsed = Config.safeParse(parseJson(text(config)));
  const named = LABELS.map((_, i) => parsed.data?.id2label[String(i)]?.toLowerCase());
  const labels = LABELS.filter((label) => named.includes(label)).toSorted(
    (a, b) => named.indexOf(a) - named.indexOf(b),
  );
  if (labels.length === LABELS.length && Object.keys(parsed.data?.id2label ?? {}).length === LABELS.length)
    return labels;
  throw new UserError(`"${path}" does not say which output is negative, neutral and positive (id2label).`, {
    hint: 'Use the config.json that belongs to the model.',
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

async function needed(folder: string, file: string, mostBytes: number): Promise<Uint8Array> {
  const path = join(folder, file);
  const bytes = await readPlainFile(path, mostBytes);
  if (bytes !== undefined) return bytes;
  throw new UserError(`"${path}" is missing.`, { hint: HINT });
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const readCard = (folder: string): Promise<Card | undefined> => readJson(join(folder, CARD), Card, HINT);
