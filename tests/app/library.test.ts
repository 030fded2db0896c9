import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openProject } from '../../src/app/project.ts';
import { walk } from '../support/candles.ts';
import { temporaryFolder } from '../support/folder.ts';

it('a project adapts the networks of its run, and goes on from them', { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const project = openProject({
    dataDir: join(folder, 'data'),
    checkpointDir: join(folder, 'checkpoints'),
    logDir: join(folder, 'logs'),
    exchange: 'binance',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    timeframe: '1h',
    params: {
      gru: {
        features: ['rsi_14'],
        lookBack: 4,
        hidden: 4,
        layers: 1,
        horizonBars: 1,
        batchSize: 32,
        epochs: 2,
      },
    },
  });
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries())
    await project.store.merge(
      { exchange: 'binance', symbol, timeframe: '1h' },
      walk(900, { startMs: Date.UTC(2024, 1, 15), seed: i + 1 }),
      { source: 'test', synthetic: true },
    );
  const first = await project.train({ name: 'first', models: ['gru'], allowSynthetic: true });
  expect(first.active).toBe(true);

  const adapted = await project.adapt({ steps: 2, rate: 0.05, name: 'second' });
  expect(adapted.base).toBe('first');
  expect(adapted.models.map(({ id }) => id)).toEqual(['gru']);
  const [{ lossBefore, lossAfter, kept }] = adapted.models;
  expect(kept).toBe(lossAfter < lossBefore);
  expect(adapted.runId).toBe(kept ? 'second' : undefined);
  expect(adapted.activated).toBe(false);

  const further = await project.train({ name: 'third', from: 'first', allowSynthetic: true });
  expect(further.plan.from?.run).toBe('first');
  expect(further.plan.models).toEqual(first.plan.models);
  await expect(project.train({ from: 'nobody' })).rejects.toThrow('"nobody" is not a training run.');
  await project.close();
  for (const { fitted } of [...first.members, ...further.members]) fitted.dispose?.();
});
