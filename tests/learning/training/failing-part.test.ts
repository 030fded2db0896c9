import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { planRun } from '../../../src/learning/training/plan.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { add, flat, SETTINGS, surroundings, trainOn, walkStore } from './runs.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Three symbols, of which one never moved: a peg, or a coin that was halted. */
async function storeWithFlat(folder: string) {
  const store = await walkStore(folder);
  await add(store, 'XRP/USDT', flat());
  return store;
}

describe('a symbol that one model cannot learn from', () => {
  const symbols = ['BTC/USDT', 'ETH/USDT', 'XRP/USDT'] as const;

  it('leaves the other symbols of that model, and is named', async () => {
    const folder = temporaryFolder();
    const store = await storeWithFlat(folder);
    const models = ['momentum-garch', 'mean-reversion'];
    const params = { 'mean-reversion': { windowBars: 100, maxLags: 4 } };
    const { members, result } = await trainOn(folder, store, { symbols, models, params });
    expect(members.map(({ id }) => id)).toEqual(models);
    expect(result.skipped).toEqual([]);
    const absent = members.map(({ manifest }) => manifest.absent?.map(({ name }) => name));
    expect(absent).toEqual([['XRP/USDT'], ['BTC/USDT with XRP/USDT', 'ETH/USDT with XRP/USDT']]);
    expect(members[0].manifest.absent?.[0].reason).toContain('returns that vary');
  });

  it('leaves the other models when it is the only one, though they were named', async () => {
    const folder = temporaryFolder();
    const store = await storeWithFlat(folder);
    const { members, result } = await trainOn(folder, store, {
      symbols: ['XRP/USDT'],
      models: ['momentum-garch', 'buy-and-hold'],
    });
    expect(members.map(({ id }) => id)).toEqual(['buy-and-hold']);
    expect(result.skipped).toMatchObject([{ id: 'momentum-garch' }]);
    expect(result.skipped[0].reason).toContain('XRP/USDT: ');
  });
});

describe('a run in which nothing could be trained', () => {
  it('ends with exit code 1 and leaves nothing to resume', async () => {
    const cwd = temporaryFolder();
    await storeWithFlat(cwd);
    const environment = {
      CRYPTO_TRADER_MARKET_SYMBOLS: 'XRP/USDT',
      CRYPTO_TRADER_FEATURES_BENCHMARK: 'XRP/USDT',
    };
    const failed = await runCli(['train', '--models', 'momentum-garch'], { cwd, environment });
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toContain('No model could be trained on these candles.');
    expect(failed.stderr).toContain('momentum-garch: XRP/USDT: ');
    expect(readdirSync(join(cwd, 'checkpoints'))).toEqual([]);
    const resumed = await runCli(['train', '--mode', 'resume'], { cwd, environment });
    expect(resumed.status).toBe(1);
    expect(resumed.stderr).toContain('no training run');
    const signals = await runCli(['signals'], { cwd, environment });
    expect(signals.stderr).toContain('crypto-trader train --mode quick');
    expect(signals.stderr).not.toContain('resume');
  });
});

describe('a disk that fills while a model is in training', () => {
  it('ends the run, which can be resumed: the model is not at fault', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const params = { gru: { lookBack: 4, epochs: 1, hidden: 4, batchSize: 16, validationWindows: 16 } };
    const models = ['buy-and-hold', 'gru'];
    const plan = await planRun(store, { ...SETTINGS, params, models });
    const run = await startRun(plan, surroundings(folder, store));
    const around = surroundings(folder, store, {
      snapshots: { everyMinutes: 0 },
      // A file where the folder of the snapshots is needed: the disk says ENOTDIR, and refuses as a full one does.
      onEvent: (event) => {
        if (event.kind !== 'model-started' || event.model !== 'gru') return;
        mkdirSync(join(run.path, 'snapshots'));
        writeFileSync(join(run.path, 'snapshots', 'gru'), '');
      },
    });
    await expect(finishRun(run, around)).rejects.toThrow(/Cannot (write|make the folder) .*snapshots/);
    expect(existsSync(join(run.path, 'run.json'))).toBe(true);
    expect(existsSync(join(run.path, 'complete.json'))).toBe(false);
  });
});
