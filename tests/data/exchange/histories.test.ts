import { expect, test } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { updateSeries } from '../../../src/data/update-series.ts';
import { HISTORIES, type HistoryDouble, type HistoryRow } from '../../support/exchange/histories.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { NO_ANSWERS } from '../../support/texts/hostile.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
/** Two pages of 200 hours. */
const HOURS = 400;
const END = START + HOURS * HOUR;

const rowsOf = ({ name, everyHours }: HistoryDouble): readonly HistoryRow[] =>
  Array.from({ length: HOURS / everyHours }, (_, i) => [
    START + i * everyHours * HOUR,
    name === 'funding' ? (101 + i) / 1e6 : 80_001 + i,
  ]);

type Make = (body: string, double: HistoryDouble) => TextAnswer;
const replaced = (body: string, what: string, by: string): TextAnswer => ({
  body: body.replaceAll(new RegExp(`"?\\b${what.replaceAll('.', '\\.')}\\b"?`, 'g'), by),
});
/** The value, or the time, of the third row of the page replaced. */
const value =
  (by: string): Make =>
  (body, double) =>
    replaced(body, String(third(body, double)[1]), by);
const time =
  (by: (timeMs: number) => string): Make =>
  (body, double) => {
    const [timeMs] = third(body, double);
    return replaced(body, double.stamp(timeMs), by(timeMs));
  };
const third = (body: string, double: HistoryDouble): HistoryRow => {
  const there = rowsOf(double).filter(([timeMs]) => body.includes(double.stamp(timeMs)));
  // Some answers hold both pages: what lies outside the page that is asked for harms nobody.
  return there[there.length > 200 ? 202 : 2];
};

const HOSTILE: readonly (readonly [string, Make])[] = [
  ...NO_ANSWERS,
  ['a list of lists', () => ({ body: '[[1],[2]]' })],
  ['an object for rows', (body) => ({ body: body.replace(/\[.*\]/s, '{}') })],
  ['nothing for rows', (body) => ({ body: body.replace(/\[.*\]/s, 'null') })],
  ['a word for a value', value('"n/a"')],
  ['nothing for a value', value('null')],
  ['a value that cannot be', value('"-17"')],
  ['a value without end', value('1e999')],
  ['a word for a time', time(() => '"yesterday"')],
  ['nothing for a time', time(() => 'null')],
  ['a time in seconds', time((timeMs) => String(timeMs / 1000))],
  ['a time in microseconds', time((timeMs) => String(1000 * timeMs))],
  ['rows of another market', (body, { market = '' }) => ({ body: body.replaceAll(market, 'ETHUSDT') })],
  [
    'two values at one time',
    (body, double) => {
      const [timeMs] = third(body, double);
      return { body: body.replaceAll(double.stamp(timeMs), double.stamp(timeMs + double.everyHours * HOUR)) };
    },
  ],
];

/** At some exchanges an empty list is an answer without rows, and nothing says of which market rows are. */
const isTrue = (name: string, { id, market }: HistoryDouble): boolean =>
  (name === 'an empty list' && ['binanceusdm', 'hyperliquid'].includes(id)) ||
  (name === 'rows of another market' && market === undefined);

test.each(HISTORIES)(
  '$id, $name: of over forty hostile answers none loses a row, and none invents one',
  async (double) => {
    const all = rowsOf(double);
    /** Which page is struck, and by what. */
    let struck: { readonly page: number; readonly make: Make } | undefined;
    let page = 0;
    const server = await startTextServer((asked) => {
      const span = double.span(asked);
      const json = { 'Content-Type': 'application/json' };
      if (span === undefined)
        return { headers: json, body: JSON.stringify(double.other(asked, END + HOUR / 2)) };
      const rows = all.filter(([timeMs]) => timeMs >= span[0] && timeMs <= span[1]);
      const body = JSON.stringify(double.body(rows));
      return page++ === struck?.page ? struck.make(body, double) : { headers: json, body };
    });
    const client = await openExchange({
      ...{ id: double.id, perpetuals: true, baseUrl: server.url, timeoutMs: 5000, retries: 0, paced: false },
      log: silentLog,
    });
    const store = openStore(temporaryFolder()).series;
    const key = { name: double.name, subject: `${double.id}/BTC-USD` } as const;
    const update = async () => {
      page = 0;
      const asked = { client, symbol: double.symbol, sinceMs: START, untilMs: END };
      await updateSeries(store, key, { ...asked, signal: new AbortController().signal });
    };
    const stored = async (): Promise<readonly HistoryRow[]> => {
      if ((await store.manifest(key)) === undefined) return [];
      const { time: times, columns } = await store.read(key);
      const [values] = Object.values(columns);
      return [...times].map((timeMs, i) => [timeMs, values[i]]);
    };
    // On page 0, nothing is stored; on page 1, what came before it stays, and what was struck is asked for again.
    const answers = HOSTILE.filter(([name]) => !isTrue(name, double));
    for (const [onPage, list] of [answers, answers.slice(-5)].entries())
      for (const [name, make] of list) {
        struck = { page: onPage, make };
        await expect(update(), `${name}, page ${onPage}`).rejects.toThrow(/is not answering|refused/);
        expect(await stored(), name).toEqual(all.slice(0, (onPage * 200) / double.everyHours));
      }
    struck = undefined;
    await update();
    expect(await stored()).toEqual(all);
  },
);
