import { expect, it } from 'vitest';
import { renderStudyReport } from '../../../src/app/report/study-report.ts';
import { fill, atUnit } from '../../../src/lab/tuning/space.ts';
import type { KeptTrial, StudySettings } from '../../../src/lab/tuning/study-journal.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';

const settings: StudySettings = {
  type: 'study',
  version: 1,
  name: '<script>alert(1)</script>',
  createdAt: '2026-01-01T00:00:00.000Z',
  program: '0',
  seed: 3,
  sampler: 'random',
  pruner: 'none',
  objectives: ['net-return', 'drawdown'],
  steps: 3,
  space: {
    rate: { kind: 'float', low: 0.001, high: 1, log: true },
    depth: { kind: 'int', low: 1, high: 8 },
    kind: { kind: 'categorical', choices: ['a', 'b'] },
    only: { kind: 'float', low: 1, high: 2, when: { kind: ['b'] } },
  },
  task: {},
};

function trialsOf(count: number): readonly KeptTrial[] {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, number): KeptTrial => {
    const params = fill(settings.space, (_name, dimension) => atUnit(dimension, random()));
    const net = 10 - (Math.log10(Number(params['rate'])) + 1) ** 2 + random();
    const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, number + minute)).toISOString();
    const state = number % 5 === 4 ? 'pruned' : 'complete';
    return {
      number,
      params,
      state,
      values: state === 'complete' ? [-net, random() * 20] : [],
      intermediate: [0, 1, 2].slice(0, state === 'pruned' ? 1 : 3).map((step) => [step, -net] as const),
      violation: 0,
      startedAt: at(0),
      endedAt: at(1),
      worker: 'w',
      given: false,
    };
  });
}
const idsOf = (page: string): readonly string[] =>
  [...page.matchAll(/<section id="([\w-]+)"/g)].map(([, id]) => id);
const sectionOf = (page: string, id: string): string =>
  new RegExp(`<section id="${id}".*?</section>`, 's').exec(page)?.[0] ?? '';

it('shows every view of a study in one page that asks for nothing and runs nothing of the study', () => {
  const trials = trialsOf(30);
  const importance = { rate: 0.8, only: 0.1, depth: 0.06, kind: 0.04 };
  const page = renderStudyReport({ settings, trials, importance, notReproduced: [] });
  expect(idsOf(page)).toEqual([
    'history',
    'importance',
    'front',
    'parallel',
    'slices',
    'contour',
    'distribution',
    'steps',
    'timeline',
    'trials',
  ]);
  const main = /<header>.*<\/main>/s.exec(page)?.[0] ?? '';
  expect(main.length).toBeGreaterThan(10_000);
  expect(page.includes('<script>alert')).toBe(false);
  expect(/\b(?:src|href)="(?!#)/.test(main)).toBe(false);
  expect(/NaN|undefined|Infinity/.exec(main)?.[0]).toBe(undefined);
  // 24 complete trials: so many dots; the slice of a conditional parameter has those alone that have it.
  const dots = (html: string): number => [...html.matchAll(/M[\d.-]+ [\d.-]+h0/g)].length;
  expect(dots(sectionOf(page, 'history'))).toBe(24);
  const complete = trials.filter(({ state }) => state === 'complete');
  const withOnly = complete.filter(({ params }) => 'only' in params).length;
  expect(dots(sectionOf(page, 'slices'))).toBe(3 * 24 + withOnly);
  expect(withOnly).toBeLessThan(24);
  // What decides stands first.
  expect(/aria-label="net-return by (\w+) and/.exec(page)?.[1]).toBe('rate');
  expect([...sectionOf(page, 'trials').matchAll(/<tr>/g)].length).toBe(31);
});

it('says so where nothing is known yet', () => {
  const [first] = trialsOf(1);
  const running = { ...first, state: 'running' as const, values: [], intermediate: [] };
  const page = renderStudyReport({ settings, trials: [running], importance: {}, notReproduced: [0] });
  expect(idsOf(page)).toEqual(['importance', 'trials']);
  expect(page.includes('Trials 0 do not follow from the journal')).toBe(true);
  expect(page.includes('Fewer than two complete trials')).toBe(true);
});
