import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { parseCondition } from '../../../src/desk/notify/alert.ts';
import type { Alert } from '../../../src/desk/notify/alert-book.ts';
import { watchAlerts } from '../../../src/desk/paper/alert-watch.ts';
import { readAlertState } from '../../../src/desk/paper/alert-state.ts';
import { barsAfter } from '../../../src/desk/paper/later-bars.ts';
import type { BarRecord } from '../../../src/desk/paper/record.ts';
import { startSession } from '../../../src/desk/paper/session.ts';
import { HOUR, session } from './walk.ts';

const START = Date.UTC(2025, 0, 1);
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'alert-watch-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const alert = (when: string, more: Partial<Alert> = {}): Alert => ({
  id: 'a1',
  condition: parseCondition(when),
  session: undefined,
  once: false,
  quietMs: 0,
  createdAtMs: 0,
  ...more,
});

const candle = (close: number) => [close, close, close, close, 1];
/** Bars whose BTC closes are these, one an hour. */
function bars(closes: readonly number[], first = 0): readonly BarRecord[] {
  return closes.map((close, i) => ({
    kind: 'bar',
    timeMs: START + (first + i) * HOUR,
    processedAtMs: START + (first + i + 1) * HOUR + 500,
    candles: [candle(close), null],
    events: [],
    cash: 10_000,
    equity: 10_000,
    positions: [],
    runId: 'run',
    decision: 'placed',
    targets: [null, null],
    models: {},
  }));
}

interface Told {
  readonly texts: string[];
  readonly shown: string[];
}

function open(
  alerts: readonly Alert[],
  told: Told,
  {
    delivers = () => true,
    onRecord = [],
    stored = new Map<number, number>(),
    isReplay = false,
    peak = 10_000,
  }: {
    /** `undefined`: the program ends before anybody knows. */
    delivers?: () => boolean | undefined;
    onRecord?: readonly BarRecord[];
    stored?: ReadonlyMap<number, number>;
    isReplay?: boolean;
    peak?: number;
  } = {},
) {
  return watchAlerts({
    folder,
    name: 'test-1h',
    session,
    isReplay,
    alerts: async () => alerts,
    barsAfter: async (afterMs) => onRecord.filter(({ timeMs }) => timeMs > afterMs),
    peakEquity: async () => peak,
    stored: async (_, sinceMs, untilMs) => {
      const rows = [...stored].filter(([time]) => time >= sinceMs && time < untilMs);
      return {
        time: Float64Array.from(rows, ([time]) => time),
        close: Float64Array.from(rows, ([, close]) => close),
      };
    },
    show: (text) => void told.shown.push(text),
    tell: (text, settled) => {
      const delivered = delivers();
      if (delivered !== undefined) {
        told.texts.push(text);
        settled(delivered);
      }
    },
    log: silentLog,
  });
}

const empty = (): Told => ({ texts: [], shown: [] });

describe('alerts of a session that runs', () => {
  it('tell when they come true, not while they stay so, and again when they were untrue', async () => {
    const told = empty();
    const watch = open([alert('BTC/USDT above 100')], told);
    for (const bar of bars([99, 101, 102, 99, 103])) watch.bar(bar);
    await watch.settled();
    expect(told.shown).toEqual([
      'ALERT a1: BTC/USDT above 100. close 101 (2025-01-01 02:00)',
      'ALERT a1: BTC/USDT above 100. close 103 (2025-01-01 05:00)',
    ]);
    expect(told.texts).toEqual(told.shown);
  });

  it('keep quiet for as long as was asked, and tell afterwards what still holds', async () => {
    const told = empty();
    const watch = open([alert('BTC/USDT above 100', { quietMs: 3 * HOUR })], told);
    for (const bar of bars([101, 99, 101, 101, 101, 101])) watch.bar(bar);
    await watch.settled();
    expect(told.texts.map((text) => text.slice(-17))).toEqual(
      ['(2025-01-01 01:00)', '(2025-01-01 04:00)'].map((one) => one.slice(-17)),
    );
  });

  it('that are for once tell once', async () => {
    const told = empty();
    const watch = open([alert('BTC/USDT above 100', { once: true })], told);
    for (const bar of bars([101, 99, 101])) watch.bar(bar);
    await watch.settled();
    expect(told.texts).toHaveLength(1);
  });

  it('measure a change against a bar that closed before the session began', async () => {
    const told = empty();
    const stored = new Map(Array.from({ length: 24 }, (_, i) => [START - (24 - i) * HOUR, 100 + i]));
    const watch = open([alert('BTC/USDT falls 10% in 24h')], told, { stored });
    // Stored: 100 at -24 h, 101 at -23 h. The first bar is compared with the one 24 before it.
    for (const bar of bars([90.1, 90.9])) watch.bar(bar);
    await watch.settled();
    expect(told.texts).toEqual([
      'ALERT a1: BTC/USDT falls 10% in 1d. -10.00 %, from 101 to 90.9 (2025-01-01 02:00)',
    ]);
  });

  it('know the peak of before they were added', async () => {
    const told = empty();
    const watch = open([alert('drawdown above 20%')], told, { peak: 12_500 });
    watch.bar(bars([1])[0]);
    await watch.settled();
    expect(told.texts[0]).toContain('20.00 % below its peak of 12500.00');
  });

  it('notice a feed and a pair that have gone silent, by the clock', async () => {
    const told = empty();
    const watch = open([alert('stale for 2h'), alert('BTC/USDT stale for 3h', { id: 'a2' })], told);
    watch.bar(bars([100])[0]);
    for (const hours of [1, 2.9, 3, 3.5, 4]) watch.tick(START + hours * HOUR);
    await watch.settled();
    expect(told.texts.map((text) => text.split('(')[0])).toEqual([
      'ALERT a1: stale for 2h. no bar for 2h ',
      'ALERT a2: BTC/USDT stale for 3h. no bar for 3h ',
    ]);
  });

  it('do not tell again after a restart, nor of what was removed', async () => {
    const [first, second] = [empty(), empty()];
    const one = open([alert('BTC/USDT above 100'), alert('equity above 1', { id: 'a2' })], first);
    one.bar(bars([101])[0]);
    await one.settled();
    expect(first.texts).toHaveLength(2);
    const other = open([alert('BTC/USDT above 100')], second);
    other.bar(bars([102], 1)[0]);
    await other.settled();
    expect(second.texts).toEqual([]);
    expect(Object.keys((await readAlertState(folder))?.alerts ?? {})).toEqual(['a1']);
  });

  it('tell after a restart what no channel had taken, and what was never looked at', async () => {
    const [first, second] = [empty(), empty()];
    const [bar, missed, newest] = bars([101, 99, 103]);
    const one = open([alert('BTC/USDT above 100')], first, { delivers: () => undefined });
    one.bar(bar);
    await one.settled();
    // Killed: nobody took the message, and two more bars are on record that nobody looked at.
    const other = open([alert('BTC/USDT above 100')], second, { onRecord: [bar, missed, newest] });
    other.bar(newest);
    await other.settled();
    expect(second.texts).toEqual([
      'ALERT a1: BTC/USDT above 100. close 101 (2025-01-01 01:00)',
      'ALERT a1: BTC/USDT above 100. close 103 (2025-01-01 03:00)',
    ]);
  });

  it('that no channel takes are sent again later, and dropped after a day', async () => {
    const told = empty();
    let answers = [false, false];
    const watch = open([alert('BTC/USDT above 100')], told, { delivers: () => answers.shift() ?? true });
    watch.bar(bars([101])[0]);
    watch.tick(START + 2 * HOUR);
    watch.tick(START + 3 * HOUR);
    await watch.settled();
    expect(told.texts).toHaveLength(3);
    expect((await readAlertState(folder))?.waiting).toEqual([]);
    answers = Array.from({ length: 9 }, () => false);
    for (const bar of bars([99, 101], 1)) watch.bar(bar);
    watch.tick(START + 4 * HOUR);
    watch.tick(START + 30 * HOUR);
    await watch.settled();
    expect((await readAlertState(folder))?.waiting).toEqual([]);
  });

  it('tell although their file cannot be read or written', async () => {
    const told = empty();
    writeFileSync(join(folder, 'alerts.json'), '{');
    const watch = open([alert('BTC/USDT above 100')], told);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder any more');
    watch.bar(bars([101])[0]);
    await watch.settled();
    expect(told.texts).toHaveLength(1);
  });
});

describe('bars behind a time', () => {
  it('are read from the end of a long ledger', async () => {
    const running = await startSession(folder, session);
    for (const { timeMs, candles } of bars(Array.from({ length: 900 }, (_, i) => 100 + i)))
      await running.process(
        { timeMs, candles },
        { runId: 'run', decision: 'placed', targets: [null, null], models: { m: [[0.5, 1], null] } },
        0,
      );
    await running.close();
    const lastMs = START + 899 * HOUR;
    expect(await barsAfter(folder, lastMs)).toEqual([]);
    expect((await barsAfter(folder, lastMs - 2 * HOUR)).map(({ timeMs }) => timeMs)).toEqual([
      lastMs - HOUR,
      lastMs,
    ]);
    expect(await barsAfter(folder, START - HOUR)).toHaveLength(900);
  });
});
