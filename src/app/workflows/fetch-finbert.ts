import { createReadStream } from 'node:fs';
import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { downloadFile, type FileDownload } from '../../data/download-file.ts';
import { makeFolder, syncFolder } from '../../data/files.ts';
import { hubFiles } from '../../data/text/model-hub.ts';
import {
  admitFinbert,
  FINBERT_FILES,
  finbertFolder,
  finbertId,
  listFinberts,
} from '../../learning/text/finbert.ts';

/** Where a FinBERT comes from, as settings say it. */
export interface FinbertSettings {
  readonly url: string;
  readonly repository: string;
  readonly revision: string;
  readonly weights: string;
  readonly sha256?: string | undefined;
}

export interface FetchedFinbert {
  readonly id: string;
  readonly from: string;
  readonly modelSha256: string;
  readonly bytes: number;
  /** It was here before; nothing was downloaded. */
  readonly known: boolean;
}

/** The vocabulary of bert-base-uncased, which FinBERT kept: no model with another one is taken for a FinBERT. */
const BERT_VOCABULARY = {
  bytes: 231_508,
  sha256: '07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3',
};
/** Full precision has 438 MB. */
const LARGEST_WEIGHTS = 1024 * 2 ** 20;

/**
 * A FinBERT from the hub into this project. Its commit, sizes and digests are asked for first; what comes must be that. A stop
 * at any point costs what is on its way. Throws `UserError` with what to do where it cannot be had.
 */
export async function fetchFinbert(
  dataDir: string,
  settings: FinbertSettings,
  options: Omit<FileDownload, 'onBytes'> & {
    readonly nowMs: number;
    readonly onBytes: (bytes: number, total: number) => void;
    /** Of a model with another vocabulary; for tests. */
    readonly vocabulary?: typeof BERT_VOCABULARY;
  },
): Promise<FetchedFinbert> {
  const { vocabulary: words = BERT_VOCABULARY, onBytes } = options;
  const wanted = { model: settings.weights, vocabulary: 'vocab.txt', config: 'config.json' } as const;
  const { commit, files } = await hubFiles(settings, wanted, options);
  const { model, config, vocabulary } = files;
  if (model.digest.kind !== 'sha256') throw refused(`names no SHA-256 of ${settings.weights}`);
  const modelSha256 = model.digest.hex;
  if (settings.sha256 !== undefined && settings.sha256 !== modelSha256)
    throw refused(
      `has ${settings.weights} with SHA-256 ${modelSha256}, and text.finbert.sha256 says another`,
    );
  if (model.bytes > LARGEST_WEIGHTS) throw refused(`announces ${model.bytes} bytes of weights`);
  if (config.bytes > 2 ** 20) throw refused(`announces a config.json of ${config.bytes} bytes`);
  if (vocabulary.bytes !== words.bytes) throw refused(`has another vocabulary than bert-base-uncased`);
  const id = finbertId(modelSha256, words.sha256);
  const from = `${settings.url.replace(/^https?:\/\//, '')}/${settings.repository}@${commit}`;
  const found = { id, from, modelSha256, bytes: model.bytes };
  if (await isHere(dataDir, id)) return { ...found, known: true };
  const staging = join(finbertFolder(dataDir), `${id}.fetching`);
  const into = (file: keyof typeof FINBERT_FILES): string => join(staging, FINBERT_FILES[file]);
  const pinned = { bytes: words.bytes, digest: { kind: 'sha256', hex: words.sha256 } } as const;
  await unlessHere(into('vocabulary'), () =>
    downloadFile(vocabulary.url, into('vocabulary'), pinned, { ...options, onBytes: () => undefined }),
  );
  await unlessHere(into('config'), () =>
    downloadFile(config.url, into('config'), config, { ...options, onBytes: () => undefined }),
  );
  await unlessHere(into('model'), () =>
    downloadFile(model.url, into('model'), model, {
      ...options,
      onBytes: (bytes) => onBytes(bytes, model.bytes),
    }),
  );
  await admit(dataDir, staging, { id, from, nowMs: options.nowMs });
  return { ...found, known: false };
}

/** A FinBERT from a folder with model.onnx (or onnx/model.onnx), vocab.txt and config.json, as an ONNX export writes them. */
export async function importFinbert(
  dataDir: string,
  folder: string,
  {
    nowMs,
    vocabulary = BERT_VOCABULARY,
  }: { readonly nowMs: number; readonly vocabulary?: typeof BERT_VOCABULARY },
): Promise<FetchedFinbert> {
  const weights = (await exists(join(folder, 'model.onnx'))) ? 'model.onnx' : join('onnx', 'model.onnx');
  const files = { model: weights, vocabulary: 'vocab.txt', config: 'config.json' };
  for (const file of Object.values(files))
    if (!(await exists(join(folder, file))))
      throw new UserError(`"${folder}" has no ${file}.`, {
        hint: 'An ONNX export has them all: optimum-cli export onnx --model ProsusAI/finbert <folder>.',
      });
  const [modelSha256, wordsSha256] = [
    await fileSha256(join(folder, weights)),
    await fileSha256(join(folder, 'vocab.txt')),
  ];
  if (wordsSha256 !== vocabulary.sha256)
    throw new UserError(`"${join(folder, 'vocab.txt')}" is not the vocabulary of bert-base-uncased.`, {
      hint: `Its SHA-256 must be ${vocabulary.sha256}; mind line ends.`,
    });
  const id = finbertId(modelSha256, wordsSha256);
  const { size: bytes } = await stat(join(folder, weights));
  const found = { id, from: folder, modelSha256, bytes };
  if (await isHere(dataDir, id)) return { ...found, known: true };
  const staging = join(finbertFolder(dataDir), `${id}.fetching`);
  makeFolder(staging);
  for (const file of ['model', 'vocabulary', 'config'] as const)
    await copyFile(join(folder, files[file]), join(staging, FINBERT_FILES[file]));
  await admit(dataDir, staging, { id, from: folder, nowMs });
  return { ...found, known: false };
}

/** What was brought is tried, and stands under its name only then; what does not run is deleted. */
async function admit(
  dataDir: string,
  staging: string,
  { id, from, nowMs }: { readonly id: string; readonly from: string; readonly nowMs: number },
): Promise<void> {
  try {
    await admitFinbert(staging, { id, from, acquiredAt: formatTime(nowMs) });
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  await rename(staging, join(finbertFolder(dataDir), id));
  await syncFolder(finbertFolder(dataDir));
}

const isHere = async (dataDir: string, id: string): Promise<boolean> =>
  (await listFinberts(dataDir)).some((card) => card.id === id);

const exists = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true;

async function unlessHere(path: string, get: () => Promise<void>): Promise<void> {
  if (!(await exists(path))) await get();
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

const refused = (what: string): UserError =>
  new UserError(`The hub ${what}.`, {
    hint: 'Correct text.finbert in config.yaml, or take in files of your own: crypto-trader text fetch-model --from <folder>.',
  });
