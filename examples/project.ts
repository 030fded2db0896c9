import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProject } from 'crypto-trader';
import { market } from './market.ts';

const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-example-'));
const project = openProject({
  dataDir: join(folder, 'data'),
  checkpointDir: join(folder, 'checkpoints'),
  logDir: join(folder, 'logs'),
  exchange: 'synthetic',
  symbols: ['BTC/USDT', 'ETH/USDT'],
  timeframe: '1h',
});
// `crypto-trader fetch` fills a store with real candles; here they are made up, and labelled so.
for (const { symbol, candles } of market([]).series) {
  const key = { exchange: 'synthetic', symbol, timeframe: '1h' as const };
  await project.store.merge(key, candles, { source: 'example', synthetic: true });
}
const run = await project.train({ models: ['ridge', 'momentum-garch'], allowSynthetic: true });
const signal = await project.signal('BTC/USDT', { minConfidence: 0 });
const backtest = await project.backtest();
process.stdout.write(
  `${run.members.length} models; BTC/USDT: ${signal?.action ?? 'no opinion'}; ${backtest.about.trials.count} trials; report of ${project.report(backtest).length > 1000 ? 'one page' : 'nothing'}\n`,
);
project.close();
rmSync(folder, { recursive: true });
