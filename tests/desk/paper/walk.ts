import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { type Bar, barAt } from '../../../src/desk/paper/bar.ts';
import type { Decision } from '../../../src/desk/paper/step.ts';
import type { SessionRecord } from '../../../src/desk/paper/record.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';

export const HOUR = TIMEFRAME_MS['1h'];
const START = Date.UTC(2025, 0, 1);

export const session: SessionRecord = {
  kind: 'session',
  version: 1,
  sessionId: 'test-1h',
  startedAtMs: START,
  feed: 'stored',
  exchange: 'test',
  timeframe: '1h',
  synthetic: true,
  runId: undefined,
  instruments: [
    { symbol: 'BTC/USDT', amountStep: 0.001, priceTick: 0.01, minNotional: 5 },
    { symbol: 'ETH/USDT', amountStep: 0.01, priceTick: 0.01, minNotional: 5 },
  ],
  strategy: undefined,
  ensemble: undefined,
  risk: undefined,
  rules: {
    ...SPOT_RULES,
    maxPositionPct: 50,
    stopLossPct: 2,
    takeProfitPct: 3,
    exits: {
      atrBars: 5,
      stopLossAtr: 2,
      takeProfitAtr: undefined,
      trailingStopAtr: 3,
      breakEven: { triggerPct: 1.5, lockPct: 0.2 },
      maxBars: 30,
      maxHeldMs: undefined,
      partialTargets: [{ atPct: 1, sharePct: 40 }],
      timedTargets: [{ afterMs: 10 * HOUR, pct: 0.5 }],
    },
  },
};

/** Random walks of two symbols, the second without a bar now and then, and targets that keep changing. */
export function randomWalk(bars: number, seed: number): { market: Market; targets: readonly Float64Array[] } {
  const random = createRandom(seed);
  const time = Float64Array.from({ length: bars }, (_, i) => START + i * HOUR);
  const candles = [100, 40].map((start, s) => {
    const columns = { ...emptyCandles(bars), time };
    let price = start;
    for (let i = 0; i < bars; i++) {
      const open = price * (1 + 0.002 * normal(random));
      const close = open * (1 + 0.01 * normal(random));
      columns.open[i] = open;
      columns.close[i] = close;
      columns.high[i] = Math.max(open, close) * (1 + 0.004 * random());
      columns.low[i] = Math.min(open, close) * (1 - 0.004 * random());
      columns.volume[i] = 1000 * random();
      price = close;
      if (s === 1 && random() < 0.05)
        for (const column of ['open', 'high', 'low', 'close', 'volume'] as const) columns[column][i] = NaN;
    }
    return columns;
  });
  const targets = candles.map(() =>
    Float64Array.from({ length: bars }, () => (random() < 0.7 ? NaN : Math.round(4 * random()) / 4)),
  );
  return { market: { time, barMs: HOUR, candles }, targets };
}

export interface Step {
  readonly bar: Bar;
  readonly decision: Decision;
}

/** The same walk as a paper session sees it. */
export function steps({ market, targets }: ReturnType<typeof randomWalk>): readonly Step[] {
  return Array.from(market.time, (_, row) => ({
    bar: barAt(market, row),
    decision: {
      runId: 'run',
      decision: 'placed' as const,
      targets: targets.map((column) => (Number.isNaN(column[row]) ? null : column[row])),
      models: {},
    },
  }));
}
