import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

const PAIRS = ['AAA/USDT', 'BBB/USDT', 'CCC/USDT', 'NEW/USDT'] as const;
const BARS = 260;

let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'portfolio-'));
  writeFileSync(join(cwd, 'config.yaml'), 'exchange: { id: x }\n');
  const store = openStore(join(cwd, 'data'));
  for (const [i, symbol] of PAIRS.entries()) {
    const all = walk(BARS, { startMs: Date.UTC(2024, 0, 1), seed: i + 1, timeframe: '1d' });
    // NEW was listed yesterday.
    const candles = symbol === 'NEW/USDT' ? sliceCandles(all, BARS - 1) : all;
    await store.merge({ exchange: 'x', symbol, timeframe: '1d' }, candles, {
      source: 'csv',
      synthetic: false,
    });
  }
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (...args: readonly string[]) => runCli(['portfolio', ...args], { cwd });
const SYMBOLS = ['--symbols', PAIRS.slice(0, 3).join(',')];
const WINDOW = ['--window', '60'];

it('optimise gives weights, amounts and the orders from what is held', async () => {
  const { status, stdout } = await run(
    'optimise',
    ...SYMBOLS,
    ...WINDOW,
    '--strategy',
    'risk-parity',
    '--held',
    'AAA/USDT=1',
    '--cash',
    '5000',
    '--json',
  );
  expect(status).toBe(0);
  const weight = z.object({
    symbol: z.string(),
    weightPct: z.number(),
    riskPct: z.number(),
    baseAmount: z.number(),
  });
  const found = z
    .object({
      weights: z.array(weight),
      orders: z.array(
        z.object({ symbol: z.string(), side: z.enum(['buy', 'sell']), baseAmount: z.number() }),
      ),
    })
    .parse(JSON.parse(stdout));
  for (const { riskPct } of found.weights) expect(riskPct).toBeCloseTo(100 / 3, 6);
  expect(found.weights.reduce((sum, { weightPct }) => sum + weightPct, 0)).toBeCloseTo(100, 9);
  for (const { symbol, side, baseAmount } of found.orders) {
    const own = found.weights.find((one) => one.symbol === symbol)?.baseAmount ?? NaN;
    const held = symbol === 'AAA/USDT' ? 1 : 0;
    expect(baseAmount).toBeCloseTo(Math.abs(own - held), 9);
    expect(side).toBe(own > held ? 'buy' : 'sell');
  }
});

it('names who is left out, and needs somebody', async () => {
  const with4 = await run('optimise', '--symbols', PAIRS.join(','), ...WINDOW);
  expect(with4.status).toBe(0);
  expect(with4.stdout).toContain('Left out: NEW/USDT: 0 of 60 returns: first candle on 2024-09-16.');
  const alone = await run('optimise', '--symbols', 'NEW/USDT', ...WINDOW);
  expect(alone.status).toBe(1);
  expect(alone.stderr).toContain(
    'No symbol has the 60 returns that weights are chosen on (NEW/USDT: 0 of 60 returns',
  );
});

it('one asset gets everything', async () => {
  const { status, stdout } = await run(
    'optimise',
    '--symbols',
    'AAA/USDT',
    ...WINDOW,
    '--strategy',
    'hrp',
    '--json',
  );
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ weights: [{ symbol: 'AAA/USDT', weightPct: 100 }] });
});

it.each([
  [
    1,
    ['optimise', ...SYMBOLS, ...WINDOW, '--max', '30'],
    'These limits cannot hold together: the weights sum to 1; AAA/USDT, BBB/USDT, CCC/USDT at most 30 %.',
  ],
  [
    1,
    ['backtest', ...SYMBOLS, ...WINDOW, '--max', '30', '--report', 'no.html'],
    'These limits cannot hold together',
  ],
  [1, ['optimise', '--symbols', 'ZZZ/USDT'], 'ZZZ/USDT'],
  [1, ['optimise'], 'The store holds no 1d candles of x for this universe.'],
  [1, ['optimise', '--universe', 'absent.yaml'], 'There is no universe file "absent.yaml".'],
  [
    2,
    ['optimise', ...SYMBOLS, '--strategy', 'max-sharp'],
    '--strategy cannot be "max-sharp". Did you mean "max-sharpe"?',
  ],
  [
    2,
    ['optimise', ...SYMBOLS, '--window', '3'],
    '--window cannot be "3": expected a whole number, 10 or more.',
  ],
  [2, ['backtest', ...SYMBOLS, '--rebalance', 'often'], '--rebalance cannot be "often"'],
  [2, ['optimise', ...SYMBOLS, '--group', 'x=QQQ/USDT:0..1'], '--group: QQQ/USDT is not in the universe.'],
  [2, ['optimise', ...SYMBOLS, '--limit', 'AAA/USDT=40..10'], '--limit cannot end in "40..10"'],
  [2, ['optimise', ...SYMBOLS, '--cash', '5'], '--cash does nothing without --held.'],
] as const)('exit %i: %j', async (code, args, message) => {
  const { status, stderr, stdout } = await run(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(code);
  expect(stdout).toBe('');
  expect(existsSync(join(cwd, 'no.html'))).toBe(false);
  expect(readdirSync(join(cwd, 'data')).toSorted()).toEqual(['ohlcv']);
});

it('frontier, correlation and compare answer in JSON', async () => {
  for (const command of ['frontier', 'correlation', 'compare']) {
    const { status, stdout } = await run(command, ...SYMBOLS, ...WINDOW, '--json');
    expect(status, command).toBe(0);
    expect(JSON.parse(stdout), command).toMatchObject({ windowBars: 60, synthetic: false });
  }
});

it('backtest compares strategies with equal weights, counts them as tried and reports', async () => {
  writeFileSync(
    join(cwd, 'dated.yaml'),
    '- symbol: AAA/USDT\n- symbol: BBB/USDT\n- { symbol: CCC/USDT, delisted: 2024-06-01, haircutPct: 10 }\n',
  );
  const { status, stdout } = await run(
    'backtest',
    '--universe',
    'dated.yaml',
    ...WINDOW,
    '--strategies',
    'min-variance,hrp',
    '--json',
    '--report',
    'report.html',
  );
  expect(status).toBe(0);
  const found = z
    .object({
      trials: z.number(),
      bars: z.number(),
      strategies: z.array(z.object({ strategy: z.string(), sharpe: z.number() })),
    })
    .parse(JSON.parse(stdout));
  expect(found.strategies.map(({ strategy }) => strategy)).toEqual(['equal-weight', 'min-variance', 'hrp']);
  expect(found).toMatchObject({ trials: 2, bars: BARS - 61 });
  const ledger = readFileSync(join(cwd, 'data', 'trials.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(ledger).toHaveLength(2);
  expect(readFileSync(join(cwd, 'report.html'), 'utf8')).toContain('min-variance');
});

it('a policy is taught, resumed and blended with those that are trained, by name', async () => {
  const none = await run('optimise', ...SYMBOLS, ...WINDOW, '--strategy', 'hybrid');
  expect(none.status).toBe(1);
  expect(none.stderr).toContain('None of deep, rl, ppo is trained');
  const train = (...args: readonly string[]) =>
    run('train', '--allocator', 'ppo', ...SYMBOLS, '--json', ...args);
  expect((await train('--steps', '2')).status).toBe(0);
  const resumed = await train('--steps', '3', '--resume');
  expect(JSON.parse(resumed.stdout)).toMatchObject({ allocator: 'ppo', steps: 3 });
  const hybrid = await run('optimise', ...SYMBOLS, ...WINDOW, '--strategy', 'hybrid');
  expect(hybrid.status).toBe(0);
  expect(hybrid.stdout).toContain('equal parts of ppo, min-variance; not trained: deep, rl');
});
