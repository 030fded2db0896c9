// A process that reads two years of minutes from a store and trades a moving-average cross over them: prints its fills.
import { runBacktest } from '../../dist/core/trading/run.js';
import { SPOT_RULES } from '../../dist/core/trading/rules.js';
import { openStore } from '../../dist/data/store/store.js';

const [dataDir] = process.argv.slice(2);
const [FAST, SLOW] = [100, 500];

const candles = await openStore(dataDir).read({ exchange: 'made', symbol: 'BTC/USDT', timeframe: '1m' });
const { close } = candles;
const target = new Float64Array(close.length).fill(NaN);
let [quick, calm] = [0, 0];
for (let t = 0; t < close.length; t++) {
  quick += close[t] - (t >= FAST ? close[t - FAST] : 0);
  calm += close[t] - (t >= SLOW ? close[t - SLOW] : 0);
  if (t >= SLOW - 1) target[t] = quick / FAST > calm / SLOW ? 1 : 0;
}
const { fills } = runBacktest({
  market: { time: candles.time, barMs: 60_000, candles: [candles] },
  targets: [target],
  instruments: [{ symbol: 'BTC/USDT', amountStep: 1e-5, priceTick: 0.01, minNotional: 5 }],
  rules: { ...SPOT_RULES, stopLossPct: 2, takeProfitPct: 4 },
});
console.log(fills.length);
