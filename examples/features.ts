import { market } from './market.ts';

const { series } = market(['rsi_14', 'volatility_20', 'macd_histogram']);
for (const { symbol, candles, features } of series) {
  const last = candles.time.length - 1;
  const values = features.names.map((name, i) => `${name} ${features.columns[i][last].toFixed(5)}`);
  process.stdout.write(`${symbol} ${new Date(candles.time[last]).toISOString()} ${values.join(', ')}\n`);
}
