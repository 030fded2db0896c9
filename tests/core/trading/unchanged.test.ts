import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRandom, type Random } from '../../../src/core/foundation/random.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { anyAmount, type Bar, freeRules, marketOf, NO_BAR } from './market-of.ts';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;

/**
 * Taken from the core before it knew exits in steps, modelled slippage, orders and leveraged accounts: a run that asks for
 * none of them keeps every bit of its fills, trades, rejections and equity.
 */
const BEFORE = 'cef55a561552e92d24bd2af49711bc4c5e942fc38cac5c3471e5d124ffc366f2';

test('2 000 random runs under the first set of rules come out as they always did, bit for bit', () => {
  const hash = createHash('sha256');
  const random = createRandom(20261129);
  for (let i = 0; i < 2000; i++) {
    const symbols = 1 + Math.floor(3 * random());
    const bars = 2 + Math.floor(60 * random());
    const market = marketOf(...Array.from({ length: symbols }, (_, s) => walk(random, bars, 10 ** (4 - s))));
    const targets = Array.from({ length: symbols }, () =>
      Float64Array.from({ length: bars }, () => {
        const draw = random();
        return draw < 0.45 ? NaN : draw < 0.7 ? pick(random, [-1, 0, 1]) : 2.4 * random() - 1.2;
      }),
    );
    const instruments = SYMBOLS.slice(0, symbols).map((symbol) => ({
      ...anyAmount(symbol),
      amountStep: pick(random, [0, 1e-5, 0.01]),
      priceTick: pick(random, [0, 0.01, 0.5]),
      minNotional: pick(random, [0, 5]),
    }));
    const run = runBacktest({ market, targets, instruments, rules: rulesOf(random) });
    const { fills, trades, rejections, ruin, equity, exposure } = run;
    hash.update(JSON.stringify([fills, trades, rejections, ruin]));
    hash.update(new Uint8Array(equity.buffer)).update(new Uint8Array(exposure.buffer));
  }
  expect(hash.digest('hex')).toBe(BEFORE);
});

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(values.length * random())];

function rulesOf(random: Random): ExecutionRules {
  const percent = (): number => 0.2 + 9.8 * random();
  return freeRules({
    feeBps: pick(random, [0, 1, 10, 40]),
    slippageBps: pick(random, [0, 2, 15]),
    maxPositionPct: pick(random, [20, 60, 100]),
    maxExposurePct: pick(random, [50, 100]),
    allowShort: random() < 0.5,
    rebalanceBandPct: pick(random, [0, 1, 5]),
    maxVolumeSharePct: pick(random, [undefined, 1, 20]),
    stopLossPct: random() < 0.5 ? percent() : undefined,
    takeProfitPct: random() < 0.5 ? percent() : undefined,
    trailingStop:
      random() < 0.5
        ? undefined
        : {
            distancePct: percent(),
            activationPct: pick(random, [0, 2]),
            from: pick(random, ['extreme', 'close']),
            ratchet: pick(random, ['next-bar', 'same-bar']),
          },
    intrabarOrder: pick(random, ['stop-first', 'target-first', 'nearest-first']),
    takeProfitFill: pick(random, ['beyond', 'touch']),
    // A target under `level-if-touched` that the whole bar lies beyond is freqtrade's own affair.
    gapFill: 'open',
    protectEntryBar: random() < 0.5,
    reentry: pick(random, ['new-signal', 'next-bar']),
    delistedAfterMs: pick(random, [undefined, 1, 3 * 3_600_000]),
  });
}

function walk(random: Random, bars: number, start: number): readonly Bar[] {
  let last = start;
  return Array.from({ length: bars }, (): Bar => {
    if (random() < 0.05) return NO_BAR;
    const open = last * (1 + 0.16 * (random() - 0.5));
    const high = open * (1 + 0.08 * random());
    const low = open * (1 - 0.08 * random());
    last = low + random() * (high - low);
    return [open, high, low, last, 500 * random()];
  });
}
