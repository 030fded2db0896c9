import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

/** Two pairs of hourly bars from the start of 2024; one stops trading 120 bars, five days, before the other. */
const BARS = 900;
const LOST = 120;
const END = '2024-02-02 11:00';

let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'delisted-'));
  writeFileSync(
    join(cwd, 'config.yaml'),
    'exchange: { id: x }\nmarket: { symbols: [AAA/USDT, DEAD/USDT], since: 2024-01-01 }\nfeatures: { benchmark: AAA/USDT }\n',
  );
  const store = openStore(join(cwd, 'data'));
  for (const [i, symbol] of (['AAA/USDT', 'DEAD/USDT'] as const).entries()) {
    const candles = sliceCandles(
      walk(BARS, { startMs: Date.UTC(2024, 0, 1), seed: i + 1 }),
      0,
      BARS - i * LOST,
    );
    const key = { exchange: 'x', symbol, timeframe: '1h' } as const;
    await store.merge(key, candles, { source: 'csv', synthetic: false });
  }
  const trained = await runCli(['train', '--models', 'buy-and-hold'], { cwd });
  expect(trained).toMatchObject({ status: 0 });
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (...args: readonly string[]) => runCli(args, { cwd });
const SENTENCE = `DEAD/USDT: its last bar is that of ${END}, ${LOST} bars before the newest`;

it.each(['list', 'verify', 'gaps'])('data %s says where the history ends', async (command) => {
  const { status, stdout } = await run('data', command);
  expect(status).toBe(0);
  expect(stdout).toContain(command === 'gaps' ? `x 1h ${SENTENCE}` : `none, ends ${LOST} bars early`);
  expect(stdout.match(/early|its last bar/g)).toHaveLength(1);
});

it('an import says it of a history that ends before its stored peers', async () => {
  const lines = [...walk(BARS - LOST, { startMs: Date.UTC(2024, 0, 1), seed: 2 }).time].map(
    (time) => `${time},1,1,1,1,1`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'delisted-'));
  try {
    writeFileSync(join(folder, 'old.csv'), `timestamp,open,high,low,close,volume\n${lines.join('\n')}\n`);
    const imported = await run(
      ...['fetch', '--csv', join(folder, 'old.csv'), '--symbols', 'OLD/USDT', '--exchange', 'x'],
    );
    expect(imported.stdout).toContain(
      `OLD/USDT: its last bar is that of ${END}, ${LOST} bars before the newest.`,
    );
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(join(cwd, 'data/ohlcv/x/OLD-USDT'), { recursive: true });
  }
});

it('there is no signal from a bar that is not the newest', async () => {
  const { status, stdout } = await run('signals', '--json');
  expect(status).toBe(0);
  const { signals, withoutSignal } = z
    .object({
      signals: z.array(z.object({ symbol: z.string(), time: z.string() })),
      withoutSignal: z.array(z.unknown()),
    })
    .parse(JSON.parse(stdout));
  expect(new Set(signals.map(({ symbol, time }) => `${symbol} ${time}`))).toEqual(
    new Set(['AAA/USDT 2024-02-07T12:00:00.000Z']),
  );
  expect(withoutSignal).toEqual([
    { symbol: 'DEAD/USDT', lastBarTime: '2024-02-02T11:00:00.000Z', barsBehind: LOST },
  ]);
  expect((await run('signals')).stdout).toContain(`No signal for ${SENTENCE}.`);
});

it('a backtest counts the missing bars, warns, and sells what is left at its last close by the named rule', async () => {
  const document = z
    .object({
      warnings: z.array(z.string()),
      missingBars: z.number(),
      openPositions: z.array(z.object({ symbol: z.string(), tradable: z.boolean() })),
      trades: z.array(z.object({ symbol: z.string(), exit: z.string(), exitTime: z.string() })),
    })
    .parse(JSON.parse((await run('backtest', '--json')).stdout));
  expect(document.missingBars).toBe(LOST);
  expect(document.warnings).toEqual([expect.stringContaining(SENTENCE) as string]);
  // The last bar opened at 11:00 on the 2nd; at 11:00 on the 4th it was silent for 48 hours, an hour later for longer.
  expect(document.trades).toMatchObject([
    { symbol: 'DEAD/USDT', exit: 'delisted', exitTime: '2024-02-04T12:00:00.000Z' },
  ]);
  expect(document.openPositions).toEqual([
    expect.objectContaining({ symbol: 'AAA/USDT', tradable: true }) as object,
  ]);
});

it('paper trading does the same, and says so', async () => {
  const { status, stdout, stderr } = await run('paper', '--no-exchange', '--fresh');
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toContain(`${SENTENCE}; no signal and no trade there.`);
  expect(stdout).toContain('DEAD/USDT has had no bar since 2024-02-02 11:00');
  expect(stdout).toMatch(/2024-02-04 12:00 .*sold .* DEAD\/USDT .*\(delisted\)/);
});

it('a backtest of a dated universe says who is in it and what a sale at its end fetches', async () => {
  const { status, stdout, stderr } = await run(
    ...['backtest', '--set', 'trading.members={DEAD/USDT: {delisted: 2024-01-25}}'],
    ...['--set', 'trading.delistingHaircutPct=60', '--json'],
  );
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  const text = JSON.stringify(JSON.parse(stdout));
  expect(text).toContain(
    'The universe is dated: DEAD/USDT until 2024-01-25. What is held of a pair at its end is sold at its last close less 60 %',
  );
  expect(text).toContain('"delisted":"2024-01-25T00:00:00.000Z"');
});
