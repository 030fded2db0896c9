import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordTrials, type Trial } from '../../../src/lab/backtest/trials.ts';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'trials-')), 'data', 'trials.jsonl');
});
afterEach(() => rmSync(join(file, '../..'), { recursive: true }));

const trial = (id: string, barSharpe: number, market = 'A'): Trial => ({
  time: '2026-01-01T00:00:00.000Z',
  id,
  market,
  strategy: 'ensemble',
  bars: 100,
  barSharpe,
});

test('every different trial on a market counts once, however often it is run', async () => {
  expect(await recordTrials(file, 'A', [trial('x', 0.1), trial('y', 0.2)])).toEqual([0.1, 0.2]);
  expect(await recordTrials(file, 'A', [trial('x', 0.1)])).toEqual([0.1, 0.2]);
  expect(await recordTrials(file, 'B', [trial('z', 0.3, 'B')])).toEqual([0.3]);
  expect(await recordTrials(file, 'A', [trial('w', 0.4)])).toEqual([0.1, 0.2, 0.4]);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(4);
});

test('a line that a crash cut short loses only itself', async () => {
  await recordTrials(file, 'A', [trial('x', 0.1)]);
  appendFileSync(file, '{"time":"2026-01-01T00:00:00.000Z","id":"to');
  expect(await recordTrials(file, 'A', [trial('y', 0.2)])).toEqual([0.1, 0.2]);
  expect(await recordTrials(file, 'A', [])).toEqual([0.1, 0.2]);
});
