import { expect, test } from 'vitest';
import { ConfigSchema } from '../../../src/app/config/schema.ts';
import { textSources } from '../../../src/app/workflows/texts.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { fetchTexts, type TextFetch } from '../../../src/data/text/fetch.ts';
import type { TextSource } from '../../../src/data/text/source.ts';
import { redditApi } from '../../../src/data/text/sources/reddit-api.ts';
import { xSource } from '../../../src/data/text/sources/x.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';
import { WIRE_FORMATS } from '../../support/texts/sources.ts';

const NOW = Date.UTC(2026, 1, 22, 12);
const DAY = 86_400_000;
const WORDS = [
  'miners',
  'exchanges',
  'validators',
  'lenders',
  'regulators',
  'developers',
  'traders',
  'auditors',
  'brokers',
];
const story = (id: number) => ({
  id,
  title: `The ${WORDS[id]} have ${id} plans for the week`,
  timeMs: NOW - id,
});
const wire = (name: string) => {
  const found = WIRE_FORMATS.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

async function poller(
  source: (url: string) => readonly TextSource[],
  answers: (path: string) => TextAnswer | undefined,
  before?: (path: string) => TextAnswer | undefined,
) {
  const dataDir = temporaryFolder();
  const clock = { nowMs: NOW };
  const server = await startTextServer(({ path }) => before?.(path) ?? answers(path) ?? { status: 500 });
  const sources = source(server.url);
  const poll = (): Promise<readonly TextFetch[]> =>
    fetchTexts(dataDir, sources, {
      ...{ timeoutMs: 5000, retries: 0, retryDelayMs: 1, now: () => clock.nowMs },
      ...{ signal: new AbortController().signal, log: silentLog },
    });
  return { clock, server, poll };
}

test("Reddit's API is paged until what is known, with one token for all subreddits of a poll", async () => {
  const reddit = wire("Reddit's API");
  const page = (ids: readonly number[], after: string | null): TextAnswer => ({
    body: reddit.body(ids.map(story)).replace('"after":null', `"after":${JSON.stringify(after)}`),
  });
  let answers = [page([2, 1], null)];
  const { poll, server } = await poller(
    (url) => {
      const open = redditApi({ tokenUrl: url, apiUrl: url, clientId: 'an-id', clientSecret: 'a-secret' });
      return [open('Bitcoin'), open('CryptoCurrency')];
    },
    (path) => (path === '/r/Bitcoin/new' ? answers.shift() : page([], null)),
    reddit.before,
  );
  await poll();
  const [token, ...lists] = server.requests;
  expect(token).toMatchObject({ method: 'POST', body: 'grant_type=client_credentials' });
  expect(token.headers.authorization).toBe(`Basic ${Buffer.from('an-id:a-secret').toString('base64')}`);
  expect(lists.map(({ headers }) => headers.authorization)).toEqual(['Bearer a-token', 'Bearer a-token']);
  answers = [page([4], 't3_4'), page([3, 2], 't3_2')];
  const [first] = await poll();
  expect(first).toMatchObject({ outcome: 'fetched', added: 2, known: 1 });
  expect(server.requests.findLast(({ path }) => path === '/r/Bitcoin/new')?.params.get('after')).toBe('t3_4');
});

test('X is read within its budget of a day, counted by the post, and only what is new', async () => {
  const x = wire('X');
  const page = (ids: readonly number[], next?: string): TextAnswer => ({
    body: x
      .body(ids.map(story))
      .replace(/"meta":\{/, next === undefined ? '"meta":{' : `"meta":{"next_token":"${next}",`),
  });
  let answers = [page([5, 4], 't'), page([3])];
  const { poll, server, clock } = await poller(
    (url) => [xSource({ baseUrl: url, token: 'a-token', query: 'bitcoin lang:en', readsPerDay: 14 })],
    () => answers.shift(),
  );
  expect(await poll()).toMatchObject([{ outcome: 'fetched', added: 3 }]);
  expect(
    server.requests.map(({ params }) => [
      params.get('max_results'),
      params.get('next_token'),
      params.get('since_id'),
    ]),
  ).toEqual([
    ['14', null, null],
    ['12', 't', null],
  ]);
  expect(server.requests[0].headers.authorization).toBe('Bearer a-token');
  answers = [page([7, 6])];
  await poll();
  expect(server.requests[2].params.get('since_id')).toBe('190000000000000005');
  // Five of 14 are read: fewer than the ten of the smallest page are left.
  expect(await poll()).toMatchObject([{ rejected: ['the budget of 14 posts a day is spent (5 read)'] }]);
  expect(server.requests).toHaveLength(3);
  clock.nowMs += DAY;
  answers = [page([8])];
  expect(await poll()).toMatchObject([{ outcome: 'fetched', added: 1 }]);
  expect(server.requests[3].params.get('since_id')).toBe('190000000000000007');
});

test('a source without what it needs is absent by name', () => {
  const entries = (text: object, environment: Record<string, string>) =>
    textSources(ConfigSchema.parse({ text: { subreddits: ['Bitcoin'], ...text } }).text, environment);
  const x = (text: object, environment: Record<string, string> = {}) =>
    entries(text, environment).find(({ id }) => id === 'x');
  expect(x({})).toMatchObject({ kind: 'absent', why: 'text.x.query is empty' });
  expect(x({ x: { query: 'btc' } })).toMatchObject({
    kind: 'absent',
    why: 'text.x.readsPerDay, its budget, is 0',
  });
  const budget = { x: { query: 'btc', readsPerDay: 100 } };
  expect(x(budget)).toMatchObject({ kind: 'absent', why: 'X_BEARER_TOKEN is not set' });
  expect(x(budget, { X_BEARER_TOKEN: 'a-token' })).toMatchObject({ kind: 'ready' });
  const reddit = (environment: Record<string, string>) =>
    entries({}, environment).find(({ id }) => id === 'reddit-bitcoin')?.about;
  expect(reddit({})).toBe('new posts of r/Bitcoin, its feed');
  const keys = { REDDIT_CLIENT_ID: 'an-id', REDDIT_CLIENT_SECRET: 'a-secret' };
  expect(reddit(keys)).toBe("new posts of r/Bitcoin, by Reddit's API");
});
