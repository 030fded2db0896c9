import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import { parseSymbol } from '../../../../src/core/market/symbol.ts';
import { quantRules } from '../../../../src/core/strategy/quant/registry.ts';

const shared = new URL('../../../../../shared/', import.meta.url);
const golden = new URL('golden/strategy/daily_reference.json', shared);
const present = existsSync(golden);

const Figures = z.object({ sharpe: z.number(), maxDrawdownPct: z.number(), days: z.number() });
const reference = present
  ? z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(golden, 'utf8')))
  : {};

function daily(folder: string, name: string, from: string): Panel['series'][number] {
  const text = gunzipSync(readFileSync(new URL(`data/ohlcv/${folder}/${name}/1d.csv.gz`, shared))).toString();
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
    .filter(([time]) => time >= Date.parse(from) && time <= Date.parse('2026-02-13'));
  const column = (k: number): Float64Array => Float64Array.from(rows, (row) => row[k]);
  const [time, open, high, low, close, volume] = [0, 1, 2, 3, 4, 5].map(column);
  return {
    symbol: parseSymbol(name.replace('-', '/')),
    candles: { time, open, high, low, close, volume },
    features: { names: [], columns: [] },
  };
}

/** The reference's own account: weights reset every bar, 15 bp per change, returns from open to open. */
function returnsOf(series: Panel['series'], weights: readonly (readonly number[])[]): number[] {
  const times = [...new Set(series.flatMap(({ candles }) => [...candles.time]))].sort((a, b) => a - b);
  const rows = series.map(({ candles }) => new Map([...candles.time].map((time, i) => [time, i])));
  const returns: number[] = [];
  const held = series.map(() => 0);
  for (let t = 0; t + 2 < times.length; t++) {
    let total = 0;
    for (let s = 0; s < series.length; s++) {
      const [now, next, after] = [t, t + 1, t + 2].map((i) => rows[s].get(times[i]));
      const weight = now === undefined ? 0 : weights[s][now] || 0;
      const { open } = series[s].candles;
      if (next !== undefined && after !== undefined) total += weight * (open[after] / open[next] - 1);
      total -= 0.0015 * Math.abs(weight - held[s]);
      held[s] = weight;
    }
    returns.push(total);
  }
  return returns;
}

function figuresOf(returns: readonly number[]): { sharpe: number; maxDrawdownPct: number } {
  const mean = returns.reduce((sum, one) => sum + one, 0) / returns.length;
  const squares = returns.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  let [worth, peak, drawdown] = [1, 1, 0];
  for (const one of returns) {
    worth *= 1 + one;
    peak = Math.max(peak, worth);
    drawdown = Math.min(drawdown, worth / peak - 1);
  }
  return {
    sharpe: (mean / Math.sqrt(squares / (returns.length - 1))) * Math.sqrt(365),
    maxDrawdownPct: 100 * drawdown,
  };
}

function run(id: string, params: object, panel: Panel): readonly Float64Array[] {
  const rule = quantRules.find((one) => one.id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return rule.positions(panel, rule.params.parse(params), undefined);
}

const CASES = [50, 100, 200].flatMap((bars) => [
  [`trend_${bars}`, 'trend', { bars, volatilityTargetPct: 0 }] as const,
  [`trend_${bars}_voltarget40`, 'trend', { bars }] as const,
]);

describe.skipIf(!present)('the daily reference, by pandas (needs real candles)', () => {
  describe.each(['BTC-USDT', 'ETH-USDT'])('%s', (name) => {
    it.each([...CASES, ['donchian_50_25', 'donchian', { entryBars: 50, exitBars: 25 }] as const])(
      '%s',
      (key, id, params) => {
        const panel: Panel = { timeframe: '1d', series: [daily('binance', name, '2017-08-17')] };
        const [positions] = run(id, params, panel);
        const found = figuresOf(returnsOf(panel.series, [[...positions]]));
        const expected = Figures.parse(z.record(z.string(), z.unknown()).parse(reference[name])[key]);
        expect(Math.abs(found.sharpe - expected.sharpe)).toBeLessThan(0.03);
        expect(Math.abs(found.maxDrawdownPct - expected.maxDrawdownPct)).toBeLessThan(1);
      },
    );
  });

  it.each([14, 28, 60])('cross-section of twenty perpetuals over %i days', (bars) => {
    const series = readdirSync(new URL('data/ohlcv/binanceusdm/', shared)).map((name) =>
      daily('binanceusdm', name, '2023-01-01'),
    );
    // The reference ranks on every 7th day from its first on; ours counts from 1970, so the days are moved to match.
    const firstDay = Math.min(...series.map(({ candles }) => candles.time[0])) / 86_400_000;
    for (const { candles } of series)
      candles.time.forEach((time, i) => (candles.time[i] = time - (firstDay % 7) * 86_400_000));
    const positions = run('cross-sectional-momentum', { bars }, { timeframe: '1d', series });
    // The reference invests the whole account; a position here is at most one symbol's allotment.
    const held = new Map<number, number>();
    positions.forEach((column, s) =>
      column.forEach((at, row) => {
        const time = series[s].candles.time[row];
        if (Math.abs(at) > 0) held.set(time, (held.get(time) ?? 0) + 1);
      }),
    );
    const weights = positions.map((column, s) =>
      [...column].map((at, row) => Math.sign(at) / (held.get(series[s].candles.time[row]) ?? 1)),
    );
    const found = figuresOf(returnsOf(series, weights));
    const expected = Figures.parse(
      z.record(z.string(), z.unknown()).parse(reference['twenty_perpetuals'])[`xsection_${bars}`],
    );
    expect(Math.abs(found.sharpe - expected.sharpe)).toBeLessThan(0.03);
    expect(Math.abs(found.maxDrawdownPct - expected.maxDrawdownPct)).toBeLessThan(1);
  });
});
