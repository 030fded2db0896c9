import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderMarkdown } from '../../../src/app/report/markdown.ts';
import { writeReport } from '../../../src/app/report/write-report.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { decodeColumns } from '../../../src/data/store/parquet.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { forecastsOf, HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOSTILE = '=cmd|<b>"x"</b>\u202e';
const panel = randomPanel(300, 2);
const forecasts = forecastsOf(panel, (close, row) => (row > 0 && close[row] > close[row - 1] ? 1 : 0));
const result = backtest({
  panel,
  range: { fromMs: 0, untilMs: 300 * HOUR_MS },
  ensemble: forecasts,
  members: [{ id: HOSTILE, kind: 'model', forecasts }],
  instruments: panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
  rules: SPOT_RULES,
  seed: 1,
});
const about = {
  exchange: 'csv',
  symbols: ['BTC/USDT', 'ETH/USDT'],
  timeframe: '1h',
  synthetic: true,
  dataFingerprint: 'ab12',
  trainedBy: HOSTILE,
  fromMs: 0,
  untilMs: 300 * HOUR_MS,
  missingBars: 0,
  seed: 1,
  warnings: [],
  trials: { count: 1, effective: 1, barSharpes: [0.1] },
};
const document = { id: 'a', metrics: { sharpe: 0.1 + 0.2 } };
const write = async (name: string): Promise<string> => {
  const file = join(temporaryFolder(), name);
  await writeReport(file, result, about, { document });
  return file;
};

test('the ending of its file says what a report is', async () => {
  expect(readFileSync(await write('a.html'), 'utf8')).toMatch(/^<!doctype html>/);
  expect(readFileSync(await write('a.MD'), 'utf8')).toMatch(/^# Backtest BTC\/USDT, ETH\/USDT 1h/);
  expect(JSON.parse(readFileSync(await write('a.json'), 'utf8'))).toEqual(document);
});

test('as a table it has every bar with every equity curve, all digits of them', async () => {
  const lines = readFileSync(await write('a.csv'), 'utf8')
    .trim()
    .split('\n');
  expect(lines).toHaveLength(301);
  // A name that a spreadsheet would run is text.
  expect(lines[0]).toBe(`time,ensemble,"'${HOSTILE.replaceAll('"', '""')}",buy-and-hold,exposure`);
  const parquet = readFileSync(await write('a.parquet'));
  const columns = decodeColumns(['time', 'ensemble', HOSTILE], [parquet]);
  expect(columns.get('time')).toEqual(result.market.time);
  expect(columns.get('ensemble')).toEqual(result.ensemble.run.equity);
  expect(lines[300].split(',')[1]).toBe(String(result.ensemble.run.equity[299]));
});

test('an ending that says nothing is refused, and nothing is written', async () => {
  const file = join(temporaryFolder(), 'a.pdf');
  await expect(writeReport(file, result, about, { document })).rejects.toThrow('its ending says nothing');
  expect(existsSync(file)).toBe(false);
});

test('Markdown says what the page says, and takes names of others for no markup', () => {
  const text = renderMarkdown(result, about);
  expect(text).toContain('SYNTHETIC candles');
  expect(text).toContain('=cmd\\|&lt;b\\>"x"&lt;/b\\>');
  expect(text).not.toMatch(/<b>|\u202e/);
  // Every row of a table has as many cells as its head.
  for (const block of text.split('\n\n').filter((one) => one.startsWith('|'))) {
    const cells = block
      .trim()
      .split('\n')
      .map((row) => row.split(/(?<!\\)\|/).length);
    expect(new Set(cells).size).toBe(1);
  }
});
