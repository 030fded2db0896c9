import { computeFeatures, type Panel, syntheticCandles } from 'crypto-trader';

/** Made-up hourly candles with the features `names`, for the other examples. */
export function market(names: readonly string[]): Panel {
  const [sinceMs, untilMs] = [Date.UTC(2024, 0, 1), Date.UTC(2024, 5, 1)];
  const series = (['BTC/USDT', 'ETH/USDT'] as const).map((symbol) => {
    const candles = syntheticCandles({ symbol, timeframe: '1h', sinceMs, untilMs, seed: 1 });
    return { symbol, candles, features: computeFeatures(names, candles, '1h') };
  });
  return { timeframe: '1h', series };
}
