import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { searchRanges } from '../../../src/core/forecast/search-range.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { SAMPLERS } from '../../../src/lab/tuning/methods.ts';
import { narrowedSpace, spaceOfModel } from '../../../src/lab/tuning/model-space.ts';
import { createJournal } from '../../../src/data/journal/json-lines.ts';
import type { Params } from '../../../src/lab/tuning/space.ts';
import { createStudy, openStudy, type Study } from '../../../src/lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../../src/lab/tuning/study-journal.ts';
import { judgeStudy } from '../../../src/lab/tuning/verdict.ts';
import { temporaryFolder } from '../../support/folder.ts';

const settings = (sampler: StudySettings['sampler'] = 'tpe'): StudySettings => ({
  type: 'study',
  version: 1,
  name: 'planted',
  createdAt: '2026-01-01T00:00:00.000Z',
  program: '0',
  seed: 3,
  sampler,
  pruner: 'none',
  objectives: ['log-loss'],
  steps: 1,
  space: {
    x: { kind: 'float', low: -2, high: 2 },
    kind: { kind: 'categorical', choices: ['a', 'b'] },
    n: { kind: 'int', low: 1, high: 9, when: { kind: ['b'] } },
  },
  task: {},
});
const loss = ({ x, n = 5 }: Params): number => (Number(x) - 1) ** 2 + Math.abs(Number(n) - 3) / 10;
const answer = (trial: KeptTrial) => ({
  state: 'complete' as const,
  values: [loss(trial.params)],
  violation: 0,
});

async function workOn(study: Study, most: number): Promise<void> {
  for (let trial = await study.ask(most); trial !== undefined; trial = await study.ask(most)) {
    await study.report(trial.number, 0, loss(trial.params));
    await study.tell(trial.number, answer(trial));
  }
}

describe('a study', () => {
  it.each(SAMPLERS)(
    'is gone on with from its journal alone, and every suggestion can be made again: %s',
    async (sampler) => {
      const folders = [temporaryFolder(), temporaryFolder()];
      const whole = await createStudy(folders[0], settings(sampler));
      await workOn(whole, 16);
      await workOn(await createStudy(folders[1], settings(sampler)), 6);
      const later = await openStudy(folders[1]);
      await workOn(later, 16);
      const params = (study: Study): readonly Params[] => study.trials().map((trial) => trial.params);
      expect(params(later)).toEqual(params(whole));
      expect(await later.verify()).toEqual([]);
    },
  );

  it('names the trials that do not follow from what was known before them', async () => {
    const folder = temporaryFolder();
    const study = await createStudy(folder, settings(), [{ x: 0.5, kind: 'a' }]);
    await workOn(study, 14);
    // What a person named is no suggestion; what follows it is.
    expect(study.trials()[0]).toMatchObject({ given: true, params: { x: 0.5, kind: 'a' } });
    expect(await study.verify()).toEqual([]);
    // The same journal under another seed.
    const other = temporaryFolder();
    const [, ...entries] = readFileSync(join(folder, 'study.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const file = { path: join(other, 'study.jsonl'), name: '', hint: '' };
    const journal = await createJournal(file, [{ ...settings(), seed: 4 }]);
    for (const { hash: _, ...entry } of entries) await journal.append(entry);
    await journal.close();
    expect((await (await openStudy(other)).verify()).slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('is shared by workers: every trial once, whoever asks', async () => {
    const folder = temporaryFolder();
    await createStudy(folder, settings());
    const workers = await Promise.all([1, 2, 3].map(() => openStudy(folder)));
    await Promise.all(workers.map((study) => workOn(study, 30)));
    const study = await openStudy(folder);
    await study.refresh();
    expect(study.trials().map(({ number, state }) => [number, state])).toEqual(
      Array.from({ length: 30 }, (_, number) => [number, 'complete']),
    );
    expect(await study.verify()).toEqual([]);
  });

  it('does a trial again whose worker is gone, and takes the first answer about each', async () => {
    const folder = temporaryFolder();
    const first = await createStudy(folder, settings());
    const lost = await first.ask(5);
    await first.close();
    const second = await openStudy(folder);
    await workOn(second, 5);
    const trials = second.trials();
    expect(trials[0]).toMatchObject({ state: 'failed', reason: 'its worker ended before it did' });
    expect(trials[1]).toMatchObject({ state: 'complete', given: true, params: lost?.params });
    expect(trials.filter(({ state }) => state === 'complete').length).toBe(5);
    // The worker was only slow: what it says now comes too late.
    await first.tell(0, { state: 'complete', values: [-1], violation: 0 });
    await second.refresh();
    expect(second.trials()[0].state).toBe('failed');
  });

  it('goes on behind a line that a crash cut short, and refuses one that was changed', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'study.jsonl');
    await workOn(await createStudy(folder, settings()), 4);
    appendFileSync(file, '{"type":"start","num');
    const study = await openStudy(folder);
    await workOn(study, 6);
    expect(study.trials().length).toBe(6);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"state":"complete"', '"state":"pruned"'));
    const changed = await openStudy(folder);
    await expect(changed.refresh()).rejects.toThrow('journal of the study is damaged');
  });

  it('is not started twice', async () => {
    const folder = temporaryFolder();
    await createStudy(folder, settings());
    await expect(createStudy(folder, settings())).rejects.toThrow('There is a study "planted" already.');
  });
});

it('finds nothing in trials without skill, in at least 19 of 20 studies, and finds what is there', () => {
  const study = (seed: number, edge: number): readonly KeptTrial[] => {
    const random = createRandom(seed);
    return Array.from({ length: 40 }, (_, number): KeptTrial => {
      const drift = number === 17 ? edge : 0;
      const sums = Array.from({ length: 400 }, () => 0.01 * normal(random) + drift);
      const sharpe = sums.reduce((sum, value) => sum + value, 0);
      const details = { fills: 50, figures: {}, returns: { width: 1, sums } };
      const state = 'complete' as const;
      const kept = { worker: 'w', given: false, startedAt: '', details };
      return { number, state, params: {}, values: [-sharpe], intermediate: [], violation: 0, ...kept };
    });
  };
  const verdict = (trials: readonly KeptTrial[]) => {
    const best = trials.reduce((winner, one) => (one.values[0] < winner.values[0] ? one : winner));
    return judgeStudy(trials, best, { barsPerYear: 365, seed: 1 });
  };
  const lucky = Array.from({ length: 20 }, (_, seed) => verdict(study(seed, 0)));
  expect(lucky.filter(({ deflatedSharpe }) => (deflatedSharpe ?? 0) >= 0.95).length).toBeLessThanOrEqual(1);
  expect(lucky.filter(({ spaPValue }) => (spaPValue ?? 1) < 0.05).length).toBeLessThanOrEqual(3);
  // A planted edge of .4 deviations a bar: Sharpe ratio 7.6 a year.
  const real = verdict(study(99, 0.004));
  expect(real.deflatedSharpe).toBeGreaterThan(0.95);
  expect(real.spaPValue).toBeLessThan(0.05);
});

describe('the space of a model', () => {
  const params = z.strictObject({
    rate: z.number().positive().default(0.1).register(searchRanges, { low: 0.01, high: 1, log: true }),
    depth: z.int().min(1).max(8).default(3).register(searchRanges, { low: 2, high: 8 }),
    dual: z
      .boolean()
      .default(true)
      .register(searchRanges, { choices: [true, false] }),
    features: z.array(z.string()).default(['a']),
  });

  it('lies between the bounds of a schema that names no range', () => {
    const own = z.strictObject({
      neighbours: z.int().min(1).max(200).default(25).describe('bars of the past that are asked'),
      weight: z.number().min(0.5).max(2).default(1),
      kind: z.enum(['near', 'far']).default('near'),
      strict: z.boolean().default(false),
      horizonBars: z.int().min(1).default(4),
      features: z.array(z.string()).default([]),
    });
    expect(spaceOfModel(own)).toEqual({
      neighbours: { kind: 'int', low: 1, high: 200 },
      weight: { kind: 'float', low: 0.5, high: 2 },
      kind: { kind: 'categorical', choices: ['near', 'far'] },
      strict: { kind: 'categorical', choices: [false, true] },
    });
  });

  it('has the parameters with a range, whole numbers as whole numbers', () => {
    expect(spaceOfModel(params)).toEqual({
      rate: { kind: 'float', low: 0.01, high: 1, log: true },
      depth: { kind: 'int', low: 2, high: 8 },
      dual: { kind: 'categorical', choices: [true, false] },
    });
  });

  it('is narrowed by a file, which may fix values and make conditions', () => {
    const file = {
      dual: { choices: [true, false] },
      depth: { low: 1, high: 4, when: { dual: [true] } },
      rate: 0.5,
    };
    expect(narrowedSpace(params, file)).toEqual({
      space: {
        dual: { kind: 'categorical', choices: [true, false] },
        depth: { kind: 'int', low: 1, high: 4, when: { dual: [true] } },
      },
      fixed: { rate: 0.5 },
    });
  });

  it.each([
    [{ rat: 0.5 }, 'The model has no parameter "rat".'],
    [{ depth: { low: 1, high: 20 } }, '"depth" cannot be 20'],
    [{ rate: { low: 1, high: 0.1 } }, '"rate" in the space has a low above its high.'],
    [{ depth: { low: 1, high: 4, when: { dual: [true] } } }, 'depends on "dual"'],
  ])('refuses %j', (file, message) => {
    expect(() => narrowedSpace(params, file)).toThrow(message);
  });
});
