import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { trainedForecasts } from '../../../src/lab/backtest/trained-source.ts';
import { loadMember } from '../../../src/learning/training/member-folder.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { findRun } from '../../../src/learning/training/run-folder.ts';
import { seedFolder } from '../../../src/learning/training/seeds.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { SETTINGS, surroundings, trainOn, walkStore, weightHashes } from './runs.ts';

const settings = {
  ...SETTINGS,
  seeds: 3,
  models: ['persistence', 'gru'],
  params: { gru: { lookBack: 4, epochs: 2, hidden: 4, batchSize: 16, validationWindows: 64 } },
};

const hashesOf = (path: string): Promise<readonly (string | undefined)[]> =>
  Promise.all(
    [1, 2, 3].map(async (k) => (await loadMember(seedFolder(path, 'gru', k)))?.manifest.weightHash),
  );

describe('a run of several seeds', () => {
  it('trains what draws random numbers from each, the rest once, and forecasts with the first', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    const run = await trainOn(folder, await walkStore(folder), settings);
    expect(new Set(await hashesOf(run.path)).size).toBe(3);
    expect(Object.keys(run.result.seeds ?? {})).toEqual(['gru', 'ensemble']);
    for (const scores of Object.values(run.result.seeds ?? {})) {
      expect(scores).toHaveLength(3);
      // Two seeds that have learned nothing may state the same base rate.
      expect(new Set(scores.map((score) => JSON.stringify(score))).size).toBeGreaterThan(1);
    }

    const single = await trainOn(other, await walkStore(other), { ...settings, seeds: 1 });
    expect(weightHashes(run)).toEqual(weightHashes(single));
    expect(run.result.ensemble).toEqual(single.result.ensemble);
    expect(run.result.seeds?.gru[0]).toEqual(single.members[1].manifest.metrics);
    expect(single.result.seeds).toBeUndefined();
  });

  it('is traded seed by seed, on the bars that none of them has seen', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const run = await trainOn(folder, store, settings);
    const request = {
      store,
      exchange: 'binance',
      timeframe: '1h',
      fromMs: undefined,
      untilMs: undefined,
    } as const;
    const source = await trainedForecasts(join(folder, 'checkpoints'), {
      ...request,
      registry: builtIn,
      models: undefined,
      seeds: true,
    });
    const hashes = await hashesOf(run.path);
    const gru = [source, ...source.otherSeeds].map(({ weights }) => weights.gru);
    expect(gru).toEqual(hashes);
    // What has no chance in it is not repeated, but votes in the ensemble of every seed.
    expect(source.otherSeeds.map(({ members }) => members.map(({ id }) => id))).toEqual([['gru'], ['gru']]);
    const { fromMs } = source.range;
    const from = source.panel.series[0].candles.time.indexOf(fromMs);
    const third = await loadMember(seedFolder(run.path, 'gru', 3));
    const expected = await third?.fitted.forecast(source.panel);
    expect(source.otherSeeds[1].members[0].forecasts[0].probabilityUp?.slice(from)).toEqual(
      expected?.[0].probabilityUp?.slice(from),
    );
  });

  it('is what trading seed by seed needs', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    await trainOn(folder, store, { models: ['persistence'] });
    const request = {
      store,
      exchange: 'binance',
      timeframe: '1h',
      fromMs: undefined,
      untilMs: undefined,
    } as const;
    await expect(
      trainedForecasts(join(folder, 'checkpoints'), {
        ...request,
        registry: builtIn,
        models: undefined,
        seeds: true,
      }),
    ).rejects.toThrow('has one seed only');
  });

  it('goes on inside the seed in which it was stopped, to the same weights', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    const whole = await trainOn(folder, await walkStore(folder), settings);
    const store = await walkStore(other);
    const stop = new AbortController();
    const stopping = surroundings(other, store, {
      signal: stop.signal,
      snapshots: { everyMinutes: 0 },
      onEvent: (event) => {
        if (event.kind === 'snapshot' && event.model === 'gru-seed-2') stop.abort(new Error('Ctrl-C'));
      },
    });
    const started = await startRun(await planRun(store, settings), stopping);
    await expect(finishRun(started, stopping)).rejects.toThrow('Ctrl-C');
    const fromSteps: (number | undefined)[] = [];
    const resumed = await finishRun(
      await findRun(join(other, 'checkpoints'), started.runId),
      surroundings(other, store, {
        onEvent: (event) => {
          if (event.kind === 'model-started') fromSteps.push(event.fromStep);
        },
      }),
    );
    expect(resumed.kept).toEqual(['persistence', 'gru']);
    expect(fromSteps).toEqual([expect.any(Number), undefined]);
    expect(await hashesOf(resumed.path)).toEqual(await hashesOf(whole.path));
    expect(resumed.result.seeds).toEqual(whole.result.seeds);
  });
});
