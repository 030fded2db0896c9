import { parentPort, workerData } from 'node:worker_threads';
import type { Candles } from '../../src/core/market/candles.ts';
import { runBacktest } from '../../src/core/trading/run.ts';
import { SPOT_RULES } from '../../src/core/trading/rules.ts';
import { crossings, MINUTE_MS } from './minutes.ts';

const { candles, pairs } = workerData as {
  readonly candles: Candles;
  readonly pairs: readonly (readonly [fast: number, slow: number])[];
};

const finals = pairs.map(([fast, slow]) => {
  const { equity } = runBacktest({
    market: { time: candles.time, barMs: MINUTE_MS, candles: [candles] },
    targets: [crossings(candles.close, fast, slow, false)],
    instruments: [{ symbol: 'BTC/USDT', amountStep: 1e-5, priceTick: 0.01, minNotional: 5 }],
    rules: SPOT_RULES,
  });
  return equity[equity.length - 1];
});
parentPort?.postMessage(finals);
