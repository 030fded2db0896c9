import { readFileSync } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { acquireLock } from '../../../src/data/lock.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import { forecastAll, loadTrained, loadTrainedPanel } from '../../../src/learning/training/checkpoints.ts';
import { scoreForecasts } from '../../../src/learning/validation/score.ts';
import { TrainingRecord } from '../../../src/learning/training/journal.ts';
import { loadMember, saveMember } from '../../../src/learning/training/member-folder.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { findRun, listRuns } from '../../../src/learning/training/run-folder.ts';
import { seal, unseal } from '../../../src/learning/training/sealed-json.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { add, BARS, SETTINGS, START_MS, surroundings, trainOn, walkStore, weightHashes } from './runs.ts';

const HOUR = 3_600_000;

describe('a training run', () => {
  it('has a folder of its own, even when another one starts in the same second', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const plan = await planRun(store, SETTINGS);
    const around = surroundings(folder, store);
    const runs = await Promise.all([startRun(plan, around), startRun(plan, around), startRun(plan, around)]);
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(3);
    expect(await listRuns(join(folder, 'checkpoints'))).toHaveLength(3);
  });

  it('is trained by one process at a time', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const run = await startRun(await planRun(store, SETTINGS), surroundings(folder, store));
    const lock = await acquireLock(join(run.path, '.lock'), { waitMs: 0, purpose: 'training it' });
    await expect(finishRun(run, surroundings(folder, store))).rejects.toThrow(/already training it/);
    await lock.release();
  });

  it('leaves checkpoints that load as the set of models that was trained', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const run = await trainOn(folder, store);
    const trained = await loadTrained(join(folder, 'checkpoints'));
    expect(trained).toMatchObject({
      runId: run.runId,
      exchange: 'binance',
      symbols: ['BTC/USDT', 'ETH/USDT'],
      timeframe: '1h',
      synthetic: false,
      sinceMs: START_MS,
      trainUntilMs: START_MS + 420 * HOUR,
      validateUntilMs: START_MS + 480 * HOUR,
    });
    expect(trained.members.map(({ id }) => id)).toEqual(SETTINGS.models);
    const panel = await loadTrainedPanel(store, trained);
    expect(panel.fingerprint).toBe(trained.dataFingerprint);
    const { members, ensemble } = await forecastAll(trained, panel);
    for (const [i, { forecasts }] of members.entries()) {
      expect(forecasts).toEqual(await run.members[i].fitted.forecast(panel));
    }
    // One long, two against each other: a third long on every bar that has a direction.
    expect(ensemble[0].position[10]).toBeCloseTo(1 / 3, 15);
  });

  it('scores the ensemble as on whole histories, though it keeps the validation bars alone', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    // Over before training ends.
    await add(store, 'SOL/USDT', walk(200, { startMs: START_MS, seed: 3 }));
    const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
    const { result, plan } = await trainOn(folder, store, { symbols, models: ['persistence', 'ridge'] });
    const trained = await loadTrained(join(folder, 'checkpoints'));
    const panel = await loadTrainedPanel(store, trained, { untilMs: plan.validateUntilMs });
    const { ensemble } = await forecastAll(trained, panel);
    const span = { fromMs: plan.trainUntilMs, untilMs: plan.validateUntilMs };
    const { feeBps, slippageBps } = plan;
    expect(result.ensemble.metrics).toEqual(scoreForecasts(panel, ensemble, span, { feeBps, slippageBps }));
  });

  it('writes what happens to its log, line by line', async () => {
    const folder = temporaryFolder();
    const run = await trainOn(folder, await walkStore(folder));
    const lines = readFileSync(join(folder, 'logs/training', `${run.runId}.jsonl`), 'utf8')
      .trim()
      .split('\n');
    const records = lines.map((line) => TrainingRecord.parse(JSON.parse(line)));
    expect(records.map(({ kind }) => kind)).toEqual([
      'run-started',
      ...['buy-and-hold', 'persistence', 'one-bar-reversal'].flatMap(() => [
        'model-started',
        'progress',
        'model-finished',
      ]),
      'model-finished', // the ensemble
      'run-finished',
    ]);
  });

  it('ends with the same weights wherever and however often it is trained', async () => {
    const [one, other] = [temporaryFolder(), temporaryFolder()];
    const first = await trainOn(one, await walkStore(one));
    const second = await trainOn(other, await walkStore(other), { models: ['persistence'] });
    expect(weightHashes(first)).toMatchObject(weightHashes(second));
  });

  it('never lets the test bars touch the weights or the validation scores', async () => {
    const [one, other] = [temporaryFolder(), temporaryFolder()];
    const first = await trainOn(one, await walkStore(one));
    const doubled = ({ open, high, low, close }: Candles): void => {
      for (const column of [open, high, low, close]) for (let row = 480; row < BARS; row++) column[row] *= 2;
    };
    const second = await trainOn(other, await walkStore(other, { change: doubled }));
    expect(second.plan.dataFingerprint).not.toBe(first.plan.dataFingerprint);
    expect(weightHashes(second)).toEqual(weightHashes(first));
    expect(second.result.ensemble).toEqual(first.result.ensemble);
  });

  it('stops between two models when aborted, and resumes to the same weights', async () => {
    const [whole, folder] = [temporaryFolder(), temporaryFolder()];
    const expected = weightHashes(await trainOn(whole, await walkStore(whole)));
    const store = await walkStore(folder);
    const stop = new AbortController();
    const stopping = surroundings(folder, store, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'model-finished') stop.abort(new Error('Ctrl-C'));
      },
    });
    const started = await startRun(await planRun(store, SETTINGS), stopping);
    await expect(finishRun(started, stopping)).rejects.toThrow('Ctrl-C');
    await expect(loadTrained(join(folder, 'checkpoints'))).rejects.toThrow(/is not complete/);

    // Newer candles may arrive in between: the plan says which ones the run is about.
    await add(store, 'BTC/USDT', walk(50, { startMs: START_MS + BARS * HOUR }));
    const resumed = await finishRun(
      await findRun(join(folder, 'checkpoints'), started.runId),
      surroundings(folder, store),
    );
    expect(resumed.kept).toEqual(['buy-and-hold']);
    expect(weightHashes(resumed)).toEqual(expected);
  });

  it('is not resumed on other candles', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder, {
      change: ({ time }) => {
        for (let row = 100; row < BARS; row++) time[row] += HOUR;
      },
    });
    const run = await startRun(await planRun(store, SETTINGS), surroundings(folder, store));
    await add(store, 'BTC/USDT', walk(1, { startMs: START_MS + 100 * HOUR }));
    await expect(finishRun(run, surroundings(folder, store))).rejects.toThrow(/not those that this run/);
  });

  it('measures the pace of each network before a full training, and changes nothing by it', async () => {
    const [quick, full] = [temporaryFolder(), temporaryFolder()];
    const params = {
      gru: { lookBack: 8, epochs: 2, hidden: 4, layers: 1, batchSize: 16, validationWindows: 16 },
    };
    const settings = { models: ['gru'], params };
    const expected = await trainOn(quick, await walkStore(quick), settings);
    const run = await trainOn(full, await walkStore(full), { ...settings, mode: 'full' });
    expect(expected.projections).toEqual([]);
    expect(run.projections).toEqual([
      expect.objectContaining({ model: 'gru', steps: run.members[0].manifest.steps }),
    ]);
    expect(run.projections[0].seconds).toBeGreaterThan(0);
    expect(
      (await trainOn(full, await walkStore(full), { ...settings, mode: 'full' })).members[0].manifest
        .weightHash,
    ).toBe(run.members[0].manifest.weightHash);
  });

  it('says by name what a model was trained without, in its manifest and in the log', async () => {
    const folder = temporaryFolder();
    const params = {
      'late-fusion': { lookBack: 4, epochs: 1, hidden: 4, batchSize: 16, validationWindows: 16 },
    };
    const run = await trainOn(folder, await walkStore(folder), { models: ['late-fusion'], params });
    const absent = ['1m', '5m', '10m', 'text', '1d'];
    expect(run.members[0].manifest.absent?.map(({ name }) => name)).toEqual(absent);
    const log = readFileSync(join(folder, 'logs/training', `${run.runId}.jsonl`), 'utf8');
    expect(log).toContain(
      '{"name":"5m","reason":"finer than the 1h bars of the data, and not stored for every symbol"}',
    );
  });

  it('refuses synthetic candles unless they are asked for, and labels the result', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder, { synthetic: true });
    await expect(trainOn(folder, store)).rejects.toThrow(/synthetic/);
    await trainOn(folder, store, { allowSynthetic: true });
    expect((await loadTrained(join(folder, 'checkpoints'))).synthetic).toBe(true);
  });

  it('refuses unknown models and parameters before it starts', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    await expect(trainOn(folder, store, { models: ['lstn'] })).rejects.toThrow('Unknown model "lstn"');
    await expect(trainOn(folder, store, { params: { lstn: {} } })).rejects.toThrow('unknown model "lstn"');
    const params = { persistence: { horizon: 2 } };
    await expect(trainOn(folder, store, { params })).rejects.toThrow(
      /parameters of "persistence"[^]*"horizon"/,
    );
    expect(await listRuns(join(folder, 'checkpoints'))).toEqual([]);
  });
});

describe('a checkpoint', () => {
  const trainedFolder = async () => {
    const folder = temporaryFolder();
    const run = await trainOn(folder, await walkStore(folder));
    const load = () => loadTrained(join(folder, 'checkpoints'));
    return { load, member: join(run.path, 'persistence'), path: run.path };
  };
  const edit = async (file: string, change: (text: string) => string): Promise<void> =>
    writeFile(file, change(await readFile(file, 'utf8')));
  /** A change under a seal of its own: it is not the hash that refuses it. */
  const forge = (file: string, change: (text: string) => string): Promise<void> =>
    edit(file, (text) => {
      const value: unknown = JSON.parse(change(JSON.stringify(unseal(text)?.value)));
      return seal(z.looseObject({}).parse(value)).text;
    });

  it('that was changed on disk is refused', async () => {
    const { load, member } = await trainedFolder();
    await appendFile(join(member, 'model.json'), ' ');
    await expect(load()).rejects.toThrow(/persistence" is damaged: "model.json" does not match its SHA-256/);
  });

  it('of a network from an earlier version says to train again', async () => {
    const folder = temporaryFolder();
    const params = { gru: { lookBack: 4, epochs: 1, hidden: 4, batchSize: 16, validationWindows: 16 } };
    const run = await trainOn(folder, await walkStore(folder), { models: ['gru'], params });
    const [{ fitted, manifest }] = run.members;
    const { json, blobs } = fitted.save();
    const old = join(folder, 'old');
    const { version: _v, files: _f, weightHash: _w, ...about } = manifest;
    await saveMember(old, { json: { ...Object(json), version: 1 }, blobs }, about);
    await expect(loadMember(old)).rejects.toThrow(
      expect.objectContaining({
        name: 'UserError',
        message: expect.stringContaining('it has version 1, version 3 is read') as string,
        hint: expect.stringContaining('Train again') as string,
      }),
    );
  });

  it('that lacks a file is refused', async () => {
    const { load, member } = await trainedFolder();
    await rm(join(member, 'model.json'));
    await expect(load()).rejects.toThrow(/damaged: "model.json" is missing/);
  });

  it('whose manifest is cut off is refused', async () => {
    const { load, member } = await trainedFolder();
    await edit(join(member, 'manifest.json'), (text) => text.slice(0, 200));
    await expect(load()).rejects.toThrow(/manifest.json" is damaged/);
  });

  it('whose manifest points outside its folder is refused', async () => {
    const { load, member } = await trainedFolder();
    await forge(join(member, 'manifest.json'), (text) => text.replace('"model.json"', '"../run.json"'));
    await expect(load()).rejects.toThrow(/manifest.json" is damaged/);
  });

  it('of a model that reads other features now is refused', async () => {
    const { load, member } = await trainedFolder();
    await forge(join(member, 'manifest.json'), (text) =>
      text.replace('"features":[]', '"features":["rsi14"]'),
    );
    await expect(load()).rejects.toThrow(/is of another "persistence": it reads other features/);
  });

  it('with parameters that the model does not know is refused', async () => {
    const { load, member } = await trainedFolder();
    await forge(join(member, 'manifest.json'), (text) => text.replace('"horizonBars":1', '"layers":3'));
    await expect(load()).rejects.toThrow(/is of another "persistence"/);
  });

  it('that is missing from its run is trained again by a resume', async () => {
    const folder = temporaryFolder();
    const store = await walkStore(folder);
    const run = await trainOn(folder, store);
    await rm(join(run.path, 'persistence'), { recursive: true });
    await expect(loadTrained(join(folder, 'checkpoints'))).rejects.toThrow(/has no model "persistence"/);
    const again = await finishRun(await findRun(folder, run.path), surroundings(folder, store));
    expect(weightHashes(again)).toEqual(weightHashes(run));
  });

  it('is asked for in vain where nothing was trained', async () => {
    await expect(loadTrained(temporaryFolder())).rejects.toThrow(/No trained models/);
  });
});
