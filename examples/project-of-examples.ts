import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProject, type Project, type ProjectSettings } from 'crypto-trader';
import { market } from './market.ts';

/** A project in a new folder, with made-up candles that are labelled so: `crypto-trader fetch` brings real ones. */
export async function openExample(
  more: Partial<ProjectSettings> = {},
): Promise<{ readonly project: Project; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-example-'));
  const project = openProject({
    dataDir: join(folder, 'data'),
    checkpointDir: join(folder, 'checkpoints'),
    logDir: join(folder, 'logs'),
    exchange: 'synthetic',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    timeframe: '1h',
    ...more,
  });
  for (const { symbol, candles } of market([]).series) {
    const key = { exchange: 'synthetic', symbol, timeframe: '1h' as const };
    await project.store.merge(key, candles, { source: 'example', synthetic: true });
  }
  return { project, remove: () => rmSync(folder, { recursive: true }) };
}
