import { expect, it } from 'vitest';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../../../src/core/market/candles.ts';
import { vectorAutoregression } from '../../../../src/learning/models/vector-autoregression/index.ts';
import { pastReturns } from '../../../../src/learning/models/vector-autoregression/past-returns.ts';
import { candlesOf, fit, panelOf, truncated, walk } from '../panels.ts';

const HOUR = 3_600_000;
const ROWS = 3000;

const prices = (logs: readonly number[]): number[] => logs.map(Math.exp);
const sums = (changes: readonly number[]): number[] => {
  let level = Math.log(100);
  return changes.map((change) => (level += change));
};

/** ETH/USDT repeats half of what BTC/USDT did a bar before; SOL/USDT minds nobody. */
const random = createRandom(7);
const leading = Array.from({ length: ROWS }, () => 0.01 * normal(random));
const following = leading.map((_, row) => (row === 0 ? 0 : 0.5 * leading[row - 1]) + 0.01 * normal(random));
const panel = panelOf({
  'SOL/USDT': prices(walk(ROWS, 8)),
  'BTC/USDT': prices(sums(leading)),
  'ETH/USDT': prices(sums(following)),
});

/** The slope of what is said on `of`, over the last bars. */
function slope(said: Float64Array, of: readonly number[]): number {
  let [products, squares] = [0, 0];
  for (let row = 2000; row < ROWS; row++) {
    products += said[row] * of[row];
    squares += of[row] ** 2;
  }
  return products / squares;
}

const leaders = (report: unknown): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    (report as { symbols: { symbol: string; seen: string[] }[] }).symbols.map(({ symbol, seen }) => [
      symbol,
      seen.slice(1),
    ]),
  );

it('expects of a pair what another has told, and nothing of the one that leads', async () => {
  const model = await fit(vectorAutoregression, panel, { trainRows: 2000, params: { leaders: 1 } });
  expect(leaders(model.report)['ETH/USDT']).toEqual(['BTC/USDT']);
  const [, btc, eth] = await model.forecast(panel);
  expect(slope(eth.expectedReturn ?? new Float64Array(ROWS), leading)).toBeCloseTo(0.5, 1);
  expect(Math.abs(slope(btc.expectedReturn ?? new Float64Array(ROWS), leading))).toBeLessThan(0.1);
});

it('sees nobody else where no leaders are wanted', async () => {
  const model = await fit(vectorAutoregression, panel, { trainRows: 2000, params: { leaders: 0 } });
  expect(leaders(model.report)).toEqual({ 'BTC/USDT': [], 'ETH/USDT': [], 'SOL/USDT': [] });
  const [, , eth] = await model.forecast(panel);
  expect(Math.abs(slope(eth.expectedReturn ?? new Float64Array(ROWS), leading))).toBeLessThan(0.1);
});

it('learns nothing from bars that close after the end of training', async () => {
  const options = { trainRows: 2000, params: { entryQuantile: 0 } };
  const learned = async (of: Panel): Promise<unknown> =>
    JSON.parse(
      JSON.stringify((await fit(vectorAutoregression, of, options)).save().json, (key, value: unknown) =>
        ['figures', 'entryEdge'].includes(key) ? undefined : value,
      ),
    );
  expect(await learned(truncated(panel, 2001))).toEqual(await learned(panel));
});

it('has no opinion on a bar that its leader lacks, nor on those measured from it', async () => {
  const model = await fit(vectorAutoregression, panel, {
    trainRows: 2000,
    params: { leaders: 1, windows: [1, 3] },
  });
  const gone = 2500;
  const series = panel.series.map((one) =>
    one.symbol === 'BTC/USDT' ? { ...one, candles: without(one.candles, gone) } : one,
  );
  const [, , eth] = await model.forecast({ ...panel, series });
  const silent = [...eth.position.keys()].filter((row) => row > 3 && Number.isNaN(eth.position[row]));
  expect(silent).toEqual([gone, gone + 1, gone + 3]);
});

it('refuses a symbol it was not trained on and too few bars', async () => {
  const model = await fit(vectorAutoregression, panel, { trainRows: 2000 });
  const other = panelOf({ 'XRP/USDT': prices(walk(300, 9)) });
  await expect(model.forecast(other)).rejects.toThrow('was not trained on XRP/USDT');
  await expect(fit(vectorAutoregression, truncated(panel, 150), { trainRows: 150 })).rejects.toThrow(
    'needs 200 training bars',
  );
});

it('measures returns between bars that are there', () => {
  const own = { candles: candlesOf([1, 1, 1, 1, 1]) };
  const seen = { symbol: 'BTC/USDT' as const, candles: without(candlesOf([100, 110, 99, 99, 120]), 2) };
  const { names, columns } = pastReturns(own, [seen], { windows: [1, 2], barMs: HOUR });
  expect(names).toEqual(['BTC/USDT over 1', 'BTC/USDT over 2']);
  // Closes 100, 110, none, 99, 120.
  const rounded = columns.map((column) => [...column].map((value) => Number(Math.exp(value).toFixed(6))));
  expect(rounded).toEqual([
    [NaN, 1.1, NaN, NaN, 1.212121],
    [NaN, NaN, NaN, 0.9, NaN],
  ]);
});

function without(candles: Candles, gone: number): Candles {
  const rows = [...candles.time.keys()].filter((row) => row !== gone);
  const kept = emptyCandles(rows.length);
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const)
    rows.forEach((row, i) => (kept[name][i] = candles[name][row]));
  return kept;
}
