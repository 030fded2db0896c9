import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  activateRun,
  activeRunId,
  rollbackRun,
  runInUse,
} from '../../../src/learning/training/active-run.ts';
import { loadTrained, symbolsOfRun } from '../../../src/learning/training/checkpoints.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { findRun } from '../../../src/learning/training/run-folder.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { deletedRuns, deleteRun, restoreRun } from '../../../src/learning/training/trash.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { SETTINGS, surroundings, walkStore } from './runs.ts';

/** A project with a run of each name, finished one after another. */
async function project(...names: readonly string[]) {
  const folder = temporaryFolder();
  const around = surroundings(folder, await walkStore(folder));
  const { checkpointDir } = around;
  const train = async (name: string) =>
    finishRun(await startRun(await planRun(around.store, SETTINGS), around, name), around);
  for (const name of names) await train(name);
  const activate = async (name: string) =>
    activateRun(checkpointDir, await findRun(checkpointDir, name), async () => {});
  const used = async () => (await loadTrained(checkpointDir)).runId;
  return { around, checkpointDir, train, activate, used };
}

describe('the active run', () => {
  it('is the first finished one, and no later training replaces it', async () => {
    const { train, used, checkpointDir } = await project();
    expect((await train('first')).active).toBe(true);
    expect((await train('second')).active).toBe(false);
    expect(await used()).toBe('first');
    expect((await loadTrained(checkpointDir, { runId: 'second' })).runId).toBe('second');
  });

  it('changes by being promoted, and goes back the way it came', async () => {
    const { activate, used, checkpointDir } = await project('a', 'b', 'c');
    expect(await activate('b')).toEqual({ before: 'a' });
    expect(await activate('c')).toEqual({ before: 'b' });
    expect(await used()).toBe('c');
    expect(await rollbackRun(checkpointDir)).toEqual({ from: 'c', to: 'b' });
    expect(await rollbackRun(checkpointDir)).toEqual({ from: 'b', to: 'a' });
    await expect(rollbackRun(checkpointDir)).rejects.toThrow('No other run was active');
    expect(await used()).toBe('a');
  });

  it('is not promoted when a check of its files fails, or when it is not complete', async () => {
    const { around, checkpointDir, used } = await project('a', 'b');
    const b = await findRun(checkpointDir, 'b');
    const check = () => Promise.reject(new Error('damaged'));
    await expect(activateRun(checkpointDir, b, check)).rejects.toThrow('damaged');
    const started = await startRun(await planRun(around.store, SETTINGS), around, 'half');
    await expect(activateRun(checkpointDir, started, async () => {})).rejects.toThrow('is not complete');
    expect(await used()).toBe('a');
  });

  it('is asked for where several runs are complete and none was promoted', async () => {
    const { checkpointDir } = await project('a', 'b');
    writeFileSync(join(checkpointDir, 'active.json'), '{');
    await expect(runInUse(checkpointDir)).rejects.toThrow(/active.json" is damaged/);
    rmSync(join(checkpointDir, 'active.json'));
    await expect(runInUse(checkpointDir)).rejects.toMatchObject({
      message: '2 runs are complete, and none is active.',
      hint: expect.stringContaining('models activate') as string,
    });
    rmSync(join(checkpointDir, 'b'), { recursive: true });
    expect((await runInUse(checkpointDir)).runId).toBe('a');
  });

  it('that is gone is said, and the next finished run takes its place', async () => {
    const { checkpointDir, train } = await project('a');
    rmSync(join(checkpointDir, 'a'), { recursive: true });
    await expect(runInUse(checkpointDir)).rejects.toThrow('The active run "a" is not in');
    expect((await train('b')).active).toBe(true);
    expect(await activeRunId(checkpointDir)).toBe('b');
  });
});

describe('the name of a run', () => {
  it.each(['../x', '.hidden', 'a/b', '', 'a b', 'x'.repeat(65)])('cannot be %j', async (name) => {
    const { train } = await project();
    await expect(train(name)).rejects.toThrow('cannot be the name of a run');
  });

  it('is taken once', async () => {
    const { train } = await project('a');
    await expect(train('a')).rejects.toThrow('There is a run "a" already.');
  });
});

describe('a deleted run', () => {
  it('lies in the trash, is offered nowhere, and comes back whole', async () => {
    const { checkpointDir } = await project('a', 'b');
    await deleteRun(checkpointDir, 'b');
    expect(existsSync(join(checkpointDir, 'b'))).toBe(false);
    expect(await deletedRuns(checkpointDir)).toEqual(['b']);
    await expect(loadTrained(checkpointDir, { runId: 'b' })).rejects.toThrow('is not a training run');
    await restoreRun(checkpointDir, 'b');
    expect((await loadTrained(checkpointDir, { runId: 'b' })).runId).toBe('b');
    await expect(restoreRun(checkpointDir, 'b')).rejects.toThrow('no deleted run "b"');
  });

  it('is never the active one', async () => {
    const { checkpointDir } = await project('a');
    await expect(deleteRun(checkpointDir, 'a')).rejects.toThrow('The run "a" is active');
  });
});

describe('the symbols of a run', () => {
  it('are those that are wanted; one that was named and never trained on is refused', async () => {
    const { checkpointDir } = await project('a');
    const trained = await loadTrained(checkpointDir);
    const of = (list: readonly ('BTC/USDT' | 'ETH/USDT' | 'SOL/USDT')[], named: boolean) => () =>
      symbolsOfRun(trained, { list, named });
    expect(symbolsOfRun(trained, undefined).symbols).toEqual(['BTC/USDT', 'ETH/USDT']);
    expect(of(['ETH/USDT'], true)()).toEqual({ symbols: ['ETH/USDT'], untrained: [] });
    expect(of(['ETH/USDT', 'SOL/USDT'], false)()).toEqual({
      symbols: ['ETH/USDT'],
      untrained: ['SOL/USDT'],
    });
    expect(of(['ETH/USDT', 'SOL/USDT'], true)).toThrow('was not trained on SOL/USDT');
    expect(of(['SOL/USDT'], false)).toThrow('was not trained on SOL/USDT');
  });
});
