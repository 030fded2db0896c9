import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { importTexts } from '../../../src/data/import-texts.ts';
import { canonicalUrl } from '../../../src/data/text/canonical-url.ts';
import { fetchTexts } from '../../../src/data/text/fetch.ts';
import type { FoundText, StoredText } from '../../../src/data/text/item.ts';
import { openTextStore, readTexts } from '../../../src/data/text/store.ts';
import { feedSource } from '../../../src/data/text/sources/feed.ts';
import { cryptopanicSource } from '../../../src/data/text/sources/cryptopanic.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';
import { WIRE_FORMATS } from '../../support/texts/sources.ts';

const NOW = Date.UTC(2026, 1, 22, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;

const found = (title: string, more: Partial<FoundText> = {}): FoundText => ({
  guid: title,
  url: undefined,
  title,
  body: '',
  author: undefined,
  publishedMs: undefined,
  language: undefined,
  assets: [],
  ...more,
});

async function stored(dataDir: string): Promise<readonly StoredText[]> {
  const texts: StoredText[] = [];
  await readTexts(dataDir, (text) => texts.push(text));
  return texts;
}

async function taken(dataDir: string, texts: readonly FoundText[], nowMs: number, source = 'news') {
  const store = await openTextStore(dataDir);
  try {
    return await store.take(source, texts, nowMs);
  } finally {
    await store.close();
  }
}

test.each([
  ['https://www.CoinDesk.com/a/b/?utm_source=rss&b=2&a=1#top', 'https://coindesk.com/a/b?a=1&b=2'],
  ['http://m.site.example/x/amp/', 'https://site.example/x'],
  ['https://example.com', 'https://example.com'],
  ['https://me:secret@example.com/x', undefined],
  ['javascript:alert(1)', undefined],
  ['not an address', undefined],
])('the address %s is %s', (url, canonical) => {
  expect(canonicalUrl(url)).toBe(canonical);
});

test('a text is known from the moment it is first seen, each at a time of its own', async () => {
  const dataDir = temporaryFolder();
  await taken(dataDir, [found('One headline'), found('Another piece')], NOW);
  await taken(dataDir, [found('A third story'), found('One headline')], NOW - 5 * DAY);
  expect((await stored(dataDir)).map(({ title, seenMs }) => [title, seenMs - NOW])).toEqual([
    ['One headline', 0],
    ['Another piece', 1],
    ['A third story', 2], // a clock that was set back sees nothing before what it has seen
  ]);
});

test('one address is one text, an edit is a new row, and a near-duplicate says what it repeats', async () => {
  const dataDir = temporaryFolder();
  const url = 'https://news.example/story/1?utm_medium=x';
  const first = found('Bitcoin miners sell reserves after the halving', { url, author: 'Ann' });
  await taken(dataDir, [first], NOW);
  await taken(dataDir, [{ ...first, url: 'http://www.news.example/story/1/' }], NOW + MINUTE);
  const edit = { ...first, title: 'Bitcoin miners sold reserves after the halving' };
  const edited = await taken(dataDir, [edit], NOW + 2 * MINUTE);
  expect(edited).toMatchObject({ edits: 1, known: 0 });
  const copy = found('Bitcoin miners sell reserves after the halving - Reposting Daily', { guid: 'z' });
  const copied = await taken(dataDir, [copy], NOW + 3 * MINUTE, 'other');
  expect(copied.repeats).toBe(1);
  const later = await taken(dataDir, [{ ...copy, guid: 'y' }], NOW + 9 * DAY, 'other');
  expect(later.repeats).toBe(0);
  const texts = await stored(dataDir);
  expect(texts.map(({ edit: is, repeats }) => [is, repeats === texts[0].id])).toEqual([
    [false, false],
    [true, false],
    [false, true],
    [false, false],
  ]);
  expect(texts[0].author).toMatch(/^[0-9a-f]{16}$/);
  expect(JSON.stringify(texts)).not.toContain('Ann');
});

test('headlines with other numbers, or that share words only, are not the same news', async () => {
  const dataDir = temporaryFolder();
  const { repeats } = await taken(
    dataDir,
    [
      found('Bitcoin falls 5% as traders await the inflation report'),
      found('Bitcoin falls 6% as traders await the inflation report'),
      found('Bitcoin rises as traders ignore the inflation report'),
      found('Ether falls as traders await the employment report'),
    ],
    NOW,
  );
  expect(repeats).toBe(0);
});

test('a text of the past repeats only what had been seen before it', async () => {
  const dataDir = temporaryFolder();
  const title = 'Exchange halts withdrawals after an exploit of its bridge';
  await taken(dataDir, [found(title)], NOW);
  const path = join(temporaryFolder(), 'past.csv');
  writeFileSync(path, `published,title\n${new Date(NOW - DAY).toISOString()},${title}\n`);
  const options = { source: 'past', assets: ['BTC'], assumedDelayMs: MINUTE, nowMs: NOW + DAY };
  expect(await importTexts(dataDir, path, options)).toMatchObject({ repeats: 0 });
  expect((await stored(dataDir)).at(-1)).toMatchObject({
    seenMs: NOW - DAY + MINUTE,
    assumedDelayMs: MINUTE,
    assets: [{ asset: 'BTC', relevance: 1 }],
  });
});

test('a file of texts comes in whole or not at all, and twice changes nothing', async () => {
  const dataDir = temporaryFolder();
  const folder = temporaryFolder();
  const options = { source: 'file', assets: [], assumedDelayMs: undefined, nowMs: NOW };
  const lines = ['{"title":"A first text","seen":"2025-01-01T00:00:00Z"}', '{"text":"A second, later one"}'];
  const good = join(folder, 'good.jsonl.gz');
  writeFileSync(good, gzipSync(lines.join('\n')));
  expect((await importTexts(dataDir, good, options)).added.map(({ seenMs }) => seenMs)).toEqual([
    Date.UTC(2025, 0, 1),
    NOW,
  ]);
  expect(await importTexts(dataDir, good, options)).toMatchObject({ added: [], known: 2 });
  const bad = join(folder, 'bad.jsonl');
  writeFileSync(bad, `{"title":"Not to be seen"}\n{"title":"x","published":"yesterday"}\n`);
  await expect(importTexts(dataDir, bad, options)).rejects.toThrow('line 2: the time is "yesterday"');
  const future = join(folder, 'future.csv');
  writeFileSync(future, 'title,seen\nFrom the future,2030-01-01\n');
  await expect(importTexts(dataDir, future, options)).rejects.toThrow('not in the future');
  expect(await stored(dataDir)).toHaveLength(2);
});

test('a write that was torn costs nothing that was durable; a changed byte is told', async () => {
  const dataDir = temporaryFolder();
  const path = join(dataDir, 'text', 'texts.jsonl');
  await taken(dataDir, [found('A durable headline of the day')], NOW);
  const { length } = readFileSync(path);
  appendFileSync(path, '{"texts":[{"id":"ha');
  expect(await stored(dataDir)).toHaveLength(1);
  await taken(dataDir, [found('What comes after the torn line')], NOW + 1);
  expect((await stored(dataDir)).map(({ title }) => title)).toEqual([
    'A durable headline of the day',
    'What comes after the torn line',
  ]);
  truncateSync(path, length);
  writeFileSync(path, readFileSync(path, 'utf8').replace('durable', 'Durable'));
  await expect(stored(dataDir)).rejects.toThrow('The store of texts is damaged');
});

async function poller(reply: () => TextAnswer, open = (url: string) => feedSource('news', `${url}/rss`)) {
  const dataDir = temporaryFolder();
  const server = await startTextServer(reply);
  const clock = { nowMs: NOW };
  const poll = async () => {
    const [done] = await fetchTexts(dataDir, [open(server.url)], {
      timeoutMs: 5000,
      retries: 1,
      retryDelayMs: 1,
      now: () => clock.nowMs,
      signal: new AbortController().signal,
      log: silentLog,
    });
    return done;
  };
  return { dataDir, server, clock, poll };
}

const [rss] = WIRE_FORMATS;

test('what has not changed is not sent again: ETag and date come back to the source', async () => {
  const body = rss.body([{ id: 1, title: 'Only one story today', timeMs: NOW }]);
  let answer: TextAnswer = {
    body,
    headers: { ETag: '"v1"', 'Last-Modified': 'Sun, 22 Feb 2026 11:00:00 GMT' },
  };
  const { poll, server } = await poller(() => answer);
  expect(await poll()).toMatchObject({ outcome: 'fetched', added: 1 });
  answer = { status: 304 };
  expect(await poll()).toMatchObject({ outcome: 'unchanged', added: 0 });
  expect(server.requests[1].headers).toMatchObject({
    'if-none-match': '"v1"',
    'if-modified-since': 'Sun, 22 Feb 2026 11:00:00 GMT',
    'user-agent': expect.stringContaining('crypto-trader') as string,
  });
});

test('a source that asks for a pause is left alone until then, also by the next process', async () => {
  let answer: TextAnswer = { status: 429, headers: { 'Retry-After': '600' } };
  const { poll, clock, server } = await poller(() => answer);
  expect(await poll()).toMatchObject({ outcome: 'paused' });
  answer = { body: rss.body([{ id: 1, title: 'After the pause', timeMs: NOW }]) };
  clock.nowMs += 599_000;
  expect(await poll()).toMatchObject({ outcome: 'paused', reason: 'until 2026-02-22T12:10:00.000Z' });
  expect(server.requests).toHaveLength(1);
  clock.nowMs += 1000;
  expect(await poll()).toMatchObject({ outcome: 'fetched', added: 1 });
});

test('a poll that broke off between two pages goes on until what it knew, and loses none', async () => {
  const story = (id: number) => ({ id, title: `Story number ${id} of the wire`, timeMs: NOW });
  const panic = WIRE_FORMATS[3];
  const page = (ids: readonly number[], more: boolean): TextAnswer => ({
    body: panic
      .body(ids.map(story))
      .replace('"next":null', more ? '"next":"https://x/?page=2"' : '"next":null'),
  });
  let answers: TextAnswer[] = [page([2, 1], false)];
  const source = (url: string) => cryptopanicSource({ baseUrl: url, plan: 'growth', token: 'secret-token' });
  const { poll, dataDir, server } = await poller(() => answers.shift() ?? { status: 500 }, source);
  await poll();
  answers = [page([6, 5], true)];
  expect(await poll()).toMatchObject({ outcome: 'failed', added: 2 });
  answers = [page([6, 5], true), page([4, 3], true), page([2, 1], true)];
  expect(await poll()).toMatchObject({ outcome: 'fetched', added: 2, known: 4 });
  expect((await stored(dataDir)).map(({ title }) => title[13])).toEqual(['2', '1', '6', '5', '4', '3']);
  expect(server.requests.at(-1)?.path).toBe('/api/growth/v2/posts/');
});

test('ten thousand polls of a feed that does not change leave the store as it was', async () => {
  const dataDir = temporaryFolder();
  const texts = Array.from({ length: 20 }, (_, i) =>
    found(`Headline ${'abcdefghijklmnopqrst'[i]} of the hour`),
  );
  const store = await openTextStore(dataDir);
  await store.take('news', texts, NOW);
  const { length } = readFileSync(join(dataDir, 'text', 'texts.jsonl'));
  for (let poll = 0; poll < 10_000; poll++) await store.take('news', texts, NOW + poll * MINUTE);
  await store.close();
  expect(readFileSync(join(dataDir, 'text', 'texts.jsonl'))).toHaveLength(length);
});
