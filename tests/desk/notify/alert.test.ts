import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AlertView, check, conditionText, parseCondition } from '../../../src/desk/notify/alert.ts';
import { addAlert, readAlerts, removeAlerts } from '../../../src/desk/notify/alert-book.ts';

const HOUR = 3_600_000;
const view: AlertView = {
  nowMs: 100 * HOUR,
  close: (symbol) => (symbol === 'BTC/USDT' ? 105 : undefined),
  closeBefore: (symbol, agoMs) => (symbol === 'BTC/USDT' && agoMs === 24 * HOUR ? 100 : undefined),
  opinion: (symbol, model) =>
    symbol !== 'BTC/USDT'
      ? undefined
      : { gru: { position: 0.5, confidence: 0.8 }, ensemble: { position: 0, confidence: undefined } }[model],
  equity: 9_000,
  peakEquity: 10_000,
  lastCloseMs: (symbol) =>
    symbol === 'ETH/USDT' ? 97 * HOUR : symbol === 'SOL/USDT' ? undefined : 99 * HOUR,
};

describe('an alert', () => {
  it.each<[string, boolean | undefined, string]>([
    ['BTC/USDT above 104.9', true, 'close 105'],
    ['BTC/USDT above 105', false, 'close 105'],
    ['BTC/USDT below 105.1', true, 'close 105'],
    ['ETH/USDT above 1', undefined, ''],
    ['BTC/USDT moves 5% in 1d', true, '+5.00 %, from 100 to 105'],
    ['BTC/USDT rises 5% in 1d', true, '+5.00 %, from 100 to 105'],
    ['BTC/USDT falls 5% in 1d', false, '+5.00 %, from 100 to 105'],
    ['BTC/USDT moves 5% in 2d', undefined, ''],
    ['BTC/USDT gru says long', true, 'position 50 %'],
    ['BTC/USDT gru says flat', false, 'position 50 %'],
    ['BTC/USDT ensemble says flat', true, 'position 0 %'],
    ['BTC/USDT lstm says long', undefined, ''],
    ['BTC/USDT gru confidence above 0.8', false, 'confidence 0.80'],
    ['BTC/USDT gru confidence below 0.81', true, 'confidence 0.80'],
    ['drawdown above 10%', true, 'equity 9000.00, 10.00 % below its peak of 10000.00'],
    ['drawdown above 10.1%', false, 'equity 9000.00, 10.00 % below its peak of 10000.00'],
    ['equity below 9000', false, 'equity 9000.00'],
    ['stale for 1h', true, 'no bar for 1h'],
    ['stale for 2h', false, 'no bar for 1h'],
    ['ETH/USDT stale for 3h', true, 'no bar for 3h'],
    ['SOL/USDT stale for 1m', undefined, ''],
  ])('%s: %s', (text, holds, figure) => {
    const condition = parseCondition(text);
    expect(conditionText(condition)).toBe(text);
    expect(check(condition, view)).toEqual(holds === undefined ? undefined : { holds, figure });
  });

  it.each([
    ['BTC/USDT over 5', 'Cannot read'],
    ['BTC/USDT above -5', 'Cannot read'],
    ['BTC/USDT above 0', 'about nothing'],
    ['BTC above 5', 'Cannot read symbol'],
    ['drawdown above 100%', 'never come true'],
    ['BTC/USDT gru confidence above 1', 'never come true'],
    ['BTC/USDT ensemble confidence above 0.5', 'nobody states'],
    ['stale for 32d', 'looks too far'],
    ['', 'Cannot read'],
  ])('is refused: %s', (text, why) => {
    expect(() => parseCondition(text)).toThrow(why);
  });
});

describe('the alerts of a project', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'alerts-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const add = (text: string) =>
    addAlert(folder, {
      condition: parseCondition(text),
      session: undefined,
      once: false,
      quietMs: HOUR,
      createdAtMs: 5,
    });
  const ids = async () => (await readAlerts(folder)).map(({ id }) => id);

  it('are added by several at once without losing one, and never get a number twice', async () => {
    await Promise.all(Array.from({ length: 5 }, (_, i) => add(`BTC/USDT above ${i + 1}`)));
    expect(await ids()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
    await removeAlerts(folder, ['a5', 'a2']);
    expect((await add('stale for 2h')).id).toBe('a6');
    expect(await ids()).toEqual(['a1', 'a3', 'a4', 'a6']);
  });

  it('stay as they were when one that is to go does not exist, or their file is damaged', async () => {
    await add('BTC/USDT above 1');
    await expect(removeAlerts(folder, ['a1', 'a9'])).rejects.toThrow('There is no alert "a9".');
    expect(await ids()).toEqual(['a1']);
    writeFileSync(join(folder, 'alerts.json'), '{"version":1,');
    await expect(add('BTC/USDT above 2')).rejects.toThrow('is damaged');
  });
});
