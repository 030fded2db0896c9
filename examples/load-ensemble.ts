import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnsemble, sliceCandles } from 'crypto-trader';
import { market } from './market.ts';

// An ensemble over candles of one's own: fit, then signals whenever new bars have closed.
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-example-'));
const ensemble = await loadEnsemble({
  dataDir: join(folder, 'data'),
  checkpointDir: join(folder, 'checkpoints'),
  logDir: join(folder, 'logs'),
  exchange: 'made',
  symbols: ['BTC/USDT', 'ETH/USDT'],
  timeframe: '1h',
  train: ['ridge', 'logistic', 'momentum-garch'],
  ensemble: { id: 'enhanced' },
  strategy: { id: 'cost-aware' },
  synthetic: true,
});
const [known, later] = [3000, 3001].map((bars) =>
  Object.fromEntries(
    market([]).series.map(({ symbol, candles }) => [
      symbol,
      sliceCandles(candles, bars === 3000 ? 0 : 3000, bars),
    ]),
  ),
);
await ensemble.fit(known);
const before = await ensemble.signals();
const after = await ensemble.signals(later);
const of = (signals: typeof after) => signals.filter(({ model }) => model === 'ensemble');
for (const { symbol, sentence } of of(after)) process.stdout.write(`${symbol}: ${sentence}\n`);
await ensemble.close();
rmSync(folder, { recursive: true });
const hours = (Date.parse(of(after)[0].time) - Date.parse(of(before)[0].time)) / 3_600_000;
process.stdout.write(`${after.length} signals of ${of(after).length} pairs, ${hours} hour later\n`);
