import { expect, test } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { fetchTexts } from '../../../src/data/text/fetch.ts';
import { readTexts } from '../../../src/data/text/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';
import { type ServedText, WIRE_FORMATS } from '../../support/texts/sources.ts';

const NOW = Date.UTC(2026, 1, 22, 12);
const HEADLINES = [
  'Bitcoin surges past $100k as ETF inflows hit record',
  'Ethereum upgrade cuts fees of second layers by half',
  'Regulator sues a large exchange over listed tokens',
  'Miners sell reserves after the difficulty adjustment',
  'Solana validators agree on a new fee market',
];
const TRUE: readonly ServedText[] = HEADLINES.map((title, i) => ({
  id: 100 - i,
  title,
  timeMs: NOW - i * 3_600_000,
}));

type Make = (body: string, entries: { readonly whole: string; readonly broken: string }) => TextAnswer;
const cut =
  (share: number): Make =>
  (body) => ({ body: body.slice(0, Math.floor(share * body.length)) });
const text =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Make =>
  () => ({ status, headers, body });

/** Thirty answers that are not what a source promises. */
const HOSTILE: readonly (readonly [string, Make])[] = [
  ['cut in the first line', cut(0.05)],
  ['cut in half', cut(0.5)],
  ['cut at nine tenths', cut(0.9)],
  ['cut in a headline', (body) => ({ body: body.slice(0, body.indexOf(HEADLINES[3]) + 12) })],
  ['cut behind a headline', (body) => ({ body: body.slice(0, body.indexOf(HEADLINES[3]) + 92) })],
  ['one byte short', (body) => ({ body: body.slice(0, -1) })],
  ['empty', text('')],
  ['blanks', text('   \n\n ')],
  ['a maintenance page', text('<html><body>We will be back soon</body></html>')],
  ['null', text('null')],
  ['a number', text('17')],
  ['a list', text('[]')],
  ['an object of something else', text('{"data":1}')],
  ['an error as plain text', text('Please limit requests to one every 5 seconds.')],
  ['a list of lists of lists', text('['.repeat(50_000) + ']'.repeat(50_000))],
  ['elements in elements', text(`<rss>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</rss>`)],
  [
    'entities that multiply',
    text(
      `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "${'x'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]><rss><channel><item><title>&b;</title></item></channel></rss>`,
    ),
  ],
  [
    'a file of this machine as an entity',
    text(
      '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item><title></title><link>&f;</link></item></channel></rss>',
    ),
  ],
  ['bytes of no text', () => ({ body: Buffer.from([0, 255, 254, 1, 2, 3, 0x80]) })],
  ['zeros', text('\0'.repeat(1000))],
  ['status 500', text('oops', 500)],
  ['status 503 without a pause', text('<html>503</html>', 503)],
  ['status 429 with seconds', text('{"info":"slow down"}', 429, { 'Retry-After': '30' })],
  ['status 429 with a date', text('', 429, { 'Retry-After': new Date(NOW + 60_000).toUTCString() })],
  ['status 429 without a pause', text('rate limited', 429)],
  ['status 403 of a firewall', text('<html><title>403</title></html>', 403)],
  ['status 401', text('{"status":"api_error","info":"Token not found"}', 401)],
  ['status 404', text('not found', 404)],
  ['a redirect elsewhere', text('', 302, { Location: 'http://127.0.0.1:9/' })],
  ['a connection that is lost', () => ({ broken: 'lost' })],
  ['a connection lost half way', (body) => ({ body, broken: 'half' })],
  ['no gzip, but said to be', (body) => ({ body, headers: { 'Content-Encoding': 'gzip' } })],
  ['an entry without a title', (body, { whole, broken }) => ({ body: body.replace(whole, broken) })],
  ['every entry twice', (body, { whole }) => ({ body: body.replace(whole, () => twice(whole)) })],
  ['a byte order mark before it', (body) => ({ body: `\ufeff${body}` })],
];
const twice = (entry: string): string => (entry.startsWith('{') ? `${entry},${entry}` : entry + entry);

test.each(WIRE_FORMATS)(
  '$name: of 35 hostile answers none loses a text, and none invents one',
  async ({ open, body, entry, withoutTitle, before }) => {
    const whole = body(TRUE);
    const entries = { whole: entry(TRUE[2]), broken: withoutTitle(TRUE[2]) };
    expect(whole).toContain(entries.whole);
    for (const [name, make] of HOSTILE) {
      const dataDir = temporaryFolder();
      let answer: TextAnswer = make(whole, entries);
      let nowMs = NOW;
      const server = await startTextServer(({ path }) => before?.(path) ?? answer);
      const poll = async (): Promise<readonly string[]> => {
        await fetchTexts(dataDir, [open(server.url)], {
          timeoutMs: 5000,
          retries: 1,
          retryDelayMs: 1,
          now: () => nowMs,
          signal: new AbortController().signal,
          log: silentLog,
        });
        const titles: string[] = [];
        await readTexts(dataDir, ({ title }) => titles.push(title));
        return titles;
      };
      const first = await poll();
      expect(
        first.filter((title) => !HEADLINES.includes(title)),
        name,
      ).toEqual([]);
      expect(new Set(first).size, name).toBe(first.length);
      answer = { body: whole };
      nowMs += 2 * 24 * 3_600_000;
      expect((await poll()).toSorted(), name).toEqual(HEADLINES.toSorted());
    }
  },
);
