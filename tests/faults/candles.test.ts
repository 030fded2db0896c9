import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SOURCES } from '../../src/core/features/inputs.ts';
import { UserError } from '../../src/core/foundation/errors.ts';
import { CANDLE_COLUMNS, type Candles, concatCandles, sliceCandles } from '../../src/core/market/candles.ts';
import type { SeriesName } from '../../src/core/market/series-kinds.ts';
import { importCsv } from '../../src/data/csv/import.ts';
import { importSeries } from '../../src/data/csv/series.ts';
import { openStore, type Store } from '../../src/data/store/store.ts';
import { verifyDataset } from '../../src/data/verify-dataset.ts';
import { walkForwardForecasts } from '../../src/lab/backtest/walk-forward-source.ts';
import { planRun } from '../../src/learning/training/plan.ts';
import { pick, walk } from '../support/candles.ts';
import { temporaryFolder } from '../support/folder.ts';

/*
 * What candles and series may hold x where they pass, with the promised answer: words of the sentence that refuses, `ok`,
 * or `doubt` and words of the warning. `-`: the cell does not exist, since an earlier one refuses the bars for good.
 */
type Answer = 'ok' | '-' | RegExp | { readonly doubt: RegExp };

interface Case {
  readonly fault: string;
  readonly kind: 'damaged' | 'hostile' | 'implausible' | 'repeated' | 'reordered' | 'late' | 'absent';
  /** The bars of a file, from 400 sound ones; or the file's text. */
  readonly file: (sound: Candles) => Candles | string;
  /** The file itself. */
  readonly import: Answer;
  /** The same bars put into the store in another way: by an exchange, by an older version. */
  readonly verify: Answer;
  readonly train: Answer;
  readonly backtest: Answer;
}

const START = Date.UTC(2024, 0, 1);
const KEY = { exchange: 'x', symbol: 'BTC/USDT', timeframe: '1h' } as const;
const HEAD = 'timestamp,open,high,low,close,volume';

/** A copy with some values of one row changed. */
function changed(
  candles: Candles,
  row: number,
  change: Partial<Record<(typeof CANDLE_COLUMNS)[number], (v: number) => number>>,
): Candles {
  const copy = pick(candles, () => true);
  for (const column of CANDLE_COLUMNS)
    copy[column][row] = change[column]?.(copy[column][row]) ?? copy[column][row];
  return copy;
}

/** From `row` on all prices times `factor`. */
function rescaled(candles: Candles, row: number, factor: number): Candles {
  const copy = pick(candles, () => true);
  for (const column of ['open', 'high', 'low', 'close'] as const)
    copy[column].set(
      candles[column].subarray(row).map((price) => price * factor),
      row,
    );
  return copy;
}

const csv = (candles: Candles): string =>
  [HEAD, ...[...candles.time.keys()].map((row) => CANDLE_COLUMNS.map((name) => candles[name][row]).join(','))]
    .join('\n')
    .concat('\n');

const withLine = (candles: Candles, line: number, text: (line: string) => string): string =>
  csv(candles)
    .split('\n')
    .map((one, i) => (i === line ? text(one) : one))
    .join('\n');

const everywhere = (answer: RegExp) => ({ import: answer, verify: answer, train: answer, backtest: answer });
const doubted = (doubt: RegExp) => ({
  import: { doubt },
  verify: { doubt },
  train: { doubt },
  backtest: { doubt },
});
const onlyFile = (answer: RegExp) => ({ import: answer, verify: '-', train: '-', backtest: '-' }) as const;
const fine = { import: 'ok', verify: 'ok', train: 'ok', backtest: 'ok' } as const;

const CASES: readonly Case[] = [
  { fault: 'sound bars', kind: 'absent', file: (sound) => sound, ...fine },
  {
    fault: 'a hole of three days',
    kind: 'absent',
    file: (s) => pick(s, (row) => row < 100 || row > 172),
    ...fine,
  },
  { fault: 'no bar at all', kind: 'absent', file: () => `${HEAD}\n`, ...onlyFile(/holds no candles/) },
  { fault: 'an empty file', kind: 'absent', file: () => '', ...onlyFile(/holds no candles/) },
  {
    fault: 'no column of lows',
    kind: 'absent',
    file: (sound) => csv(sound).replace(',low,', ',lowest,'),
    ...onlyFile(/no column for low/),
  },
  {
    fault: 'a field without a number',
    kind: 'absent',
    file: (sound) => withLine(sound, 5, (line) => line.replace(/,[^,]+$/, ',')),
    ...onlyFile(/line 6: volume is ""/),
  },
  {
    fault: 'a short line',
    kind: 'damaged',
    file: (sound) => withLine(sound, 5, (line) => line.split(',').slice(0, 4).join(',')),
    ...onlyFile(/line 6: it has 4 fields/),
  },
  {
    fault: 'a high below the low',
    kind: 'damaged',
    file: (sound) => changed(sound, 50, { high: (v) => v / 2 }),
    import: /line 52: high .* is below another price/,
    verify: /2024-01-03T02:00:00.000Z: high .* is below another price/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a price of zero',
    kind: 'damaged',
    file: (sound) => changed(sound, 50, { low: () => 0 }),
    import: /line 52: low is 0, expected a positive number/,
    verify: /low is 0, expected a positive number/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a negative volume',
    kind: 'damaged',
    file: (sound) => changed(sound, 50, { volume: () => -1 }),
    import: /line 52: volume is -1/,
    verify: /volume is -1/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a price that is not a number',
    kind: 'damaged',
    file: (sound) => changed(sound, 50, { close: () => NaN }),
    import: /line 52: close is "NaN"/,
    verify: /close is NaN/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a time off the grid',
    kind: 'damaged',
    file: (sound) => changed(sound, 50, { time: (v) => v + 60_000 }),
    import: /line 52: .* is not the open of a 1h bar/,
    verify: /not on the 1h grid/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a time that is none',
    kind: 'damaged',
    file: (sound) => withLine(sound, 5, (line) => line.replace(/^\d+/, 'soon')),
    ...onlyFile(/line 6: time is "soon"/),
  },
  {
    fault: 'a price of infinity',
    kind: 'hostile',
    file: (sound) => changed(sound, 50, { high: () => Infinity }),
    import: /line 52: high is Infinity/,
    verify: /high is Infinity/,
    train: '-',
    backtest: '-',
  },
  {
    fault: 'a price of 1e300',
    kind: 'hostile',
    file: (sound) => changed(sound, 50, { high: () => 1e300 }),
    ...everywhere(/2024-01-03T02:00:00.000Z: its prices .* are none that any pair has/),
  },
  {
    fault: 'prices of 1e-30 throughout',
    kind: 'hostile',
    file: (sound) => rescaled(sound, 0, 1e-30),
    ...everywhere(/2024-01-01T00:00:00.000Z: its prices .* are none that any pair has/),
  },
  {
    fault: 'a terminal sequence in a field',
    kind: 'hostile',
    file: (sound) => withLine(sound, 5, (line) => line.replace(/,[^,]+$/, ',\u001B[2J')),
    ...onlyFile(/line 6: volume is /),
  },
  {
    fault: 'a quote that never ends',
    kind: 'hostile',
    file: (sound) => withLine(sound, 5, (line) => `"${line}`),
    ...onlyFile(/cannot be read/),
  },
  {
    fault: 'prices a thousand times higher from a bar on',
    kind: 'implausible',
    file: (sound) => rescaled(sound, 360, 1000),
    ...everywhere(/2024-01-16T00:00:00.000Z: its open .* is 1000 times the last close .*: a redenomination/),
  },
  {
    fault: 'prices of a thousandth from a bar on',
    kind: 'implausible',
    file: (sound) => rescaled(sound, 360, 0.001),
    ...everywhere(/2024-01-16T00:00:00.000Z: its open .* is 1\/1000 of the last close .*: a redenomination/),
  },
  {
    fault: 'one wick of a million times the price',
    kind: 'implausible',
    file: (sound) => changed(sound, 50, { high: (v) => v * 1e6 }),
    ...everywhere(/2024-01-03T02:00:00.000Z: its high .* times away from open and close/),
  },
  {
    fault: 'one wick of six times the price',
    kind: 'implausible',
    file: (sound) => changed(sound, 50, { high: (v) => v * 6 }),
    ...doubted(/2024-01-03T02:00:00.000Z: its high .* times away from open and close/),
  },
  {
    fault: 'prices ten times higher from a bar on',
    kind: 'implausible',
    file: (sound) => rescaled(sound, 360, 10),
    ...doubted(/2024-01-16T00:00:00.000Z: its open .* is 10 times the last close/),
  },
  {
    fault: 'daily bars',
    kind: 'implausible',
    file: () => walk(400, { startMs: Date.UTC(2022, 0, 1), timeframe: '1d' }),
    ...everywhere(
      /2022-01-01T00:00:00.000Z: 399 of 399 bars from here on are 1d apart: not bars of 1h but of 1d/,
    ),
  },
  {
    fault: 'a bar of 1970',
    kind: 'implausible',
    file: (sound) => changed(sound, 0, { time: () => 0 }),
    ...everywhere(/1970-01-01T00:00:00.000Z: it lies before 2009-01-03/),
  },
  {
    fault: 'the same bar at twelve times',
    kind: 'repeated',
    file: (sound) => {
      const copy = pick(sound, () => true);
      for (const column of CANDLE_COLUMNS)
        if (column !== 'time') copy[column].fill(sound[column][200], 200, 212);
      return copy;
    },
    ...doubted(/2024-01-09T08:00:00.000Z: it comes 12 times in a row, volume included/),
  },
  {
    fault: 'a bar that comes twice',
    kind: 'repeated',
    file: (sound) => concatCandles([sliceCandles(sound, 0, 50), sliceCandles(sound, 49)]),
    ...onlyFile(/line 52: .* comes twice, first in line 51/),
  },
  {
    fault: 'a bar that comes twice, with other prices',
    kind: 'repeated',
    file: (sound) =>
      concatCandles([
        sliceCandles(sound, 0, 50),
        sliceCandles(changed(sound, 49, { volume: (v) => v + 1 }), 49),
      ]),
    ...onlyFile(/line 52: .* comes twice/),
  },
  {
    fault: 'the whole file twice',
    kind: 'repeated',
    file: (sound) => csv(sound) + csv(sound),
    ...onlyFile(/line 402: time is "timestamp"/),
  },
  {
    fault: 'two bars in each other’s place',
    kind: 'reordered',
    file: (sound) =>
      concatCandles([
        sliceCandles(sound, 0, 50),
        sliceCandles(sound, 51, 52),
        sliceCandles(sound, 50, 51),
        sliceCandles(sound, 52),
      ]),
    ...onlyFile(/line 53: .* comes after the later .* of line 52; sort the file by time/),
  },
  {
    fault: 'newest first',
    kind: 'reordered',
    file: (sound) => {
      const [head, ...lines] = csv(sound).trim().split('\n');
      return [head, ...lines.toReversed()].join('\n');
    },
    ...onlyFile(/line 3: .* comes after the later/),
  },
  {
    fault: 'columns in another order, named',
    kind: 'reordered',
    file: (sound) =>
      csv(sound)
        .split('\n')
        .map((line) => line.split(',').toReversed().join(','))
        .join('\n'),
    ...fine,
  },
];

async function stored(file: Candles | string): Promise<Store> {
  const store = openStore(join(temporaryFolder(), 'data'));
  const folder = temporaryFolder();
  if (typeof file === 'string') {
    writeFileSync(join(folder, 'a.csv'), file);
    await importCsv(store, KEY, { path: join(folder, 'a.csv') });
  } else await store.merge(KEY, file, { source: 'test', synthetic: false });
  return store;
}

async function imported(file: Candles | string): Promise<readonly string[]> {
  const path = join(temporaryFolder(), 'a.csv');
  writeFileSync(path, typeof file === 'string' ? file : csv(file));
  const store = openStore(join(temporaryFolder(), 'data'));
  try {
    return (await importCsv(store, KEY, { path })).oddities.map(said);
  } catch (error) {
    expect(await store.list(), 'what was refused leaves nothing').toEqual([]);
    throw error;
  }
}

const said = ({ timeMs, what }: { readonly timeMs: number; readonly what: string }): string =>
  `${new Date(timeMs).toISOString()}: ${what}`;

async function verified(
  store: Store,
): Promise<{ readonly faults: readonly string[]; readonly doubts: readonly string[] }> {
  const manifest = await store.manifest(KEY);
  if (manifest === undefined) throw new Error('the bars are stored');
  const { faults, doubt } = await verifyDataset(store, manifest, []);
  return { faults, doubts: doubt.oddities.map(said) };
}

async function trained(store: Store): Promise<readonly string[]> {
  const doubts: string[] = [];
  await planRun(store, {
    mode: 'quick',
    approach: 'ml',
    seed: 1,
    seeds: 1,
    exchange: KEY.exchange,
    symbols: [KEY.symbol],
    timeframe: KEY.timeframe,
    validationPct: 10,
    testPct: 20,
    costs: { feeBps: 10, slippageBps: 5 },
    models: ['buy-and-hold'],
    params: {},
    allowSynthetic: false,
    onDoubt: (line) => doubts.push(line),
    sources: DEFAULT_SOURCES,
  });
  return doubts;
}

const backtested = async (store: Store): Promise<readonly string[]> =>
  (
    await walkForwardForecasts({
      store,
      exchange: KEY.exchange,
      timeframe: KEY.timeframe,
      symbols: [KEY.symbol],
      fromMs: undefined,
      untilMs: undefined,
      sinceMs: 0,
      models: ['buy-and-hold'],
      folds: 2,
      embargoBars: 0,
      validationPct: 10,
      params: {},
      sources: DEFAULT_SOURCES,
      seed: 1,
      signal: new AbortController().signal,
      onFold: () => undefined,
    })
  ).warnings;

async function expectAnswer(answer: Answer, work: Promise<readonly string[]>): Promise<void> {
  if (answer instanceof RegExp) {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error instanceof UserError ? error.message : '').toMatch(answer);
    return;
  }
  const doubts = await work;
  if (answer === 'ok') expect(doubts).toEqual([]);
  else if (answer !== '-') expect(doubts).toEqual([expect.stringMatching(answer.doubt)]);
}

/** A cell of the table that says nothing is no test. */
const itWhere = (applies: boolean): typeof it | ((...args: Parameters<typeof it>) => void) =>
  applies ? it : () => undefined;

describe.each(CASES)('$kind: $fault', ({ file, ...promised }) => {
  const made = file(walk(400, { startMs: START }));

  it('in a file that is imported', () => expectAnswer(promised.import, imported(made)));

  itWhere(promised.verify !== '-')('in the store, to `data verify`', async () => {
    const { faults, doubts } = await verified(await stored(made));
    const { verify } = promised;
    if (verify instanceof RegExp) expect(faults.join('\n')).toMatch(verify);
    else expect(faults).toEqual([]);
    if (typeof verify === 'object' && 'doubt' in verify) expect(doubts.join('\n')).toMatch(verify.doubt);
    else expect(doubts).toEqual([]);
  });

  itWhere(promised.train !== '-')('in training', async () =>
    expectAnswer(promised.train, trained(await stored(made))),
  );

  itWhere(promised.backtest !== '-')('in a backtest', async () =>
    expectAnswer(promised.backtest, backtested(await stored(made))),
  );
});

describe('late: bars that come after others were stored', () => {
  const sound = walk(400, { startMs: START });
  const second = async (later: Candles): Promise<readonly string[]> => {
    const store = await stored(sliceCandles(sound, 0, 200));
    const path = join(temporaryFolder(), 'later.csv');
    writeFileSync(path, csv(later));
    try {
      return (await importCsv(store, KEY, { path })).oddities.map(said);
    } catch (error) {
      expect((await store.manifest(KEY))?.rows, 'what was refused changes nothing').toBe(200);
      throw error;
    }
  };

  it.each<[string, Candles, Answer]>([
    ['the rest of them', sliceCandles(sound, 200), 'ok'],
    ['the same again and the rest', sound, 'ok'],
    [
      'the rest in other units',
      sliceCandles(rescaled(sound, 200, 1000), 200),
      /2024-01-09T08:00:00.000Z: its open .* is 1000 times the last close/,
    ],
    [
      'a stored bar with another close',
      changed(sound, 100, { volume: (v) => v + 1 }),
      /is stored with volume/,
    ],
    [
      'the rest ten times higher',
      sliceCandles(rescaled(sound, 200, 10), 200),
      { doubt: /10 times the last close/ },
    ],
  ])('%s', (_, later, answer) => expectAnswer(answer, second(later)));

  it('bars that have not closed are left out', async () => {
    const hour = 3_600_000;
    const now = Math.floor(Date.now() / hour) * hour;
    const store = openStore(join(temporaryFolder(), 'data'));
    const path = join(temporaryFolder(), 'now.csv');
    writeFileSync(path, csv(walk(30, { startMs: now - 20 * hour })));
    const { manifest } = await importCsv(store, KEY, { path });
    expect(manifest.lastTimeMs).toBeLessThanOrEqual(Date.now() - hour);
    expect(manifest.rows).toBeGreaterThanOrEqual(20);
    expect(manifest.rows).toBeLessThan(30);
  });
});

describe('damaged: files of the store', () => {
  const folderOf = (store: Store): string => store.folder(KEY);
  const parquet = (store: Store): string =>
    join(folderOf(store), readdirSync(folderOf(store)).find((name) => name.endsWith('.parquet')) ?? '');
  const manifest = (store: Store): string => join(folderOf(store), 'manifest.json');
  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(path, bytes);
  };

  describe.each<[string, (store: Store) => void, RegExp]>([
    ['one bit of a month', (store) => flip(parquet(store)), /is damaged: its SHA-256/],
    ['a month cut short', (store) => truncateSync(parquet(store), 100), /is damaged: its SHA-256/],
    [
      'a month with bytes behind it',
      (store) => appendFileSync(parquet(store), 'x'),
      /is damaged: its SHA-256/,
    ],
    ['a month that is gone', (store) => rmSync(parquet(store)), /is missing/],
    ['a manifest cut short', (store) => truncateSync(manifest(store), 40), /manifest.json/],
    [
      'a manifest of another pair',
      (store) =>
        writeFileSync(manifest(store), readFileSync(manifest(store), 'utf8').replace('BTC/USDT', 'ETH/USDT')),
      /is that of x ETH\/USDT 1h/,
    ],
    [
      'no manifest',
      (store) => rmSync(manifest(store)),
      /no candles of x BTC\/USDT 1h|holds no x BTC\/USDT 1h/,
    ],
  ])('%s', (_, damage, answer) => {
    const damaged = async (): Promise<Store> => {
      const store = await stored(walk(400, { startMs: START }));
      damage(store);
      return store;
    };
    it('is found by `data verify`', async () => {
      const store = await damaged();
      const faults = await store.verify(KEY).catch((error: unknown) => [String(error)]);
      expect(faults.join('\n')).toMatch(answer);
    });
    it('stops training', async () => expectAnswer(answer, trained(await damaged())));
    it('stops a backtest', async () => expectAnswer(answer, backtested(await damaged())));
  });
});

describe.each<[SeriesName, string, string, Answer]>([
  [
    'fear-greed',
    'implausible: above its range',
    'date,value\n2025-01-01,50\n2025-01-02,2000\n',
    /line 3: 2025-01-02T00:00:00.000Z: value is 2000, expected 0 to 100/,
  ],
  [
    'fear-greed',
    'implausible: below its range',
    'date,value\n2025-01-02,-5\n',
    /line 2: .* value is -5, expected 0 to 100/,
  ],
  ['fear-greed', 'absent: no column', 'date,points\n2025-01-02,5\n', /no column for value/],
  [
    'fear-greed',
    'repeated: a day twice',
    'date,value\n2025-01-02,5\n2025-01-02,5\n',
    /line 3: .* does not come after/,
  ],
  [
    'fear-greed',
    'reordered: newest first',
    'date,value\n2025-01-02,5\n2025-01-01,5\n',
    /line 3: .* does not come after/,
  ],
  ['fear-greed', 'damaged: no number', 'date,value\n2025-01-02,high\n', /line 2: value is "high"/],
  ['fear-greed', 'hostile: infinity', 'date,value\n2025-01-02,Infinity\n', /line 2: value is "Infinity"/],
  [
    'fear-greed',
    'late: not known yet',
    'date,value\n2999-01-02,5\n',
    /holds no row of fear-greed that is known yet/,
  ],
  ['fear-greed', 'sound', 'date,value\n2025-01-01,0\n2025-01-02,100\n', 'ok'],
  [
    'vix',
    'implausible: a fraction instead of percent',
    'date,close\n2025-01-02,0.18\n',
    /close is 0.18, expected 1 to 1000/,
  ],
  [
    'spx',
    'implausible: negative',
    'date,close\n2025-01-02,-4000\n',
    /close is -4000, expected a positive number/,
  ],
  ['funding', 'implausible: in percent', 'time,rate\n2025-01-02,1.5\n', /rate is 1.5, expected -1 to 1/],
  ['funding', 'implausible: of 1970', 'time,rate\n0,0.0001\n', /before 2009-01-03/],
  [
    'open-interest',
    'implausible: negative',
    'time,amount\n2025-01-02,-1\n',
    /amount is -1, expected 0 or more/,
  ],
])('a file of %s, %s', (name, _, text, answer) => {
  it('is answered', async () => {
    const store = openStore(join(temporaryFolder(), 'data')).series;
    const path = join(temporaryFolder(), 's.csv');
    writeFileSync(path, text);
    const work = importSeries(store, { name, subject: '' }, { path, nowMs: Date.UTC(2026, 0, 1) });
    await expectAnswer(
      answer,
      work.then(() => []),
    );
    expect((await store.list()).length).toBe(answer === 'ok' ? 1 : 0);
  });
});
