import { expect, it } from 'vitest';
import { createAdwin } from '../../../src/core/evaluation/drift/adwin.ts';
import type { DriftDetector } from '../../../src/core/evaluation/drift/detector.ts';
import { createDdm, createEddm } from '../../../src/core/evaluation/drift/error-rate.ts';
import { createHddmA, createHddmW } from '../../../src/core/evaluation/drift/hddm.ts';
import { createKswin } from '../../../src/core/evaluation/drift/kswin.ts';
import { createPageHinkley } from '../../../src/core/evaluation/drift/page-hinkley.ts';
import { stabilityIndex } from '../../../src/core/evaluation/drift/stability-index.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

// Closed forms that river 0.26.1 was run on; its alarms are the expected values below.
const shifts = Array.from({ length: 2000 }, (_, k) => {
  const level = 0.5 + 0.3 * Math.sin(1 + 0.37 * k) + 0.1 * Math.cos(0.013 * k ** 1.3);
  return Number((level + (k >= 700 ? 0.6 : 0) - (k >= 1400 ? 0.9 : 0)).toFixed(6));
});
const errors = Array.from({ length: 2000 }, (_, k) => {
  const product = Math.sin(12.9898 * (k + 1)) * 43758.5453;
  return product - Math.floor(product) < (k < 1000 ? 0.1 : 0.35) ? 1 : 0;
});

function alarms(detector: DriftDetector, values: readonly number[]): { drift: number[]; warnings: number[] } {
  const said = values.map((value) => detector.update(value));
  const at = (state: string): number[] => said.flatMap((s, k) => (s === state ? [k] : []));
  return { drift: at('drift'), warnings: at('warning') };
}

it('makes the series that the reference was run on', () => {
  expect(shifts.slice(0, 5)).toEqual([0.852441, 0.893964, 0.895665, 0.857288, 0.784002]);
  expect(errors.reduce<number>((sum, error) => sum + error, 0)).toBe(435);
});

it.each<[string, DriftDetector, readonly number[], readonly number[]]>([
  ['ADWIN', createAdwin(), shifts, [735, 1439]],
  ['ADWIN that checks at every value', createAdwin({ clock: 1 }), shifts, [722, 1413]],
  ['ADWIN on errors', createAdwin(), errors, [1055]],
  ['Page-Hinkley', createPageHinkley(), shifts, [786, 1455]],
  ['Page-Hinkley, quick', createPageHinkley({ threshold: 20, delta: 0.01 }), shifts, [732, 1420]],
  ['Page-Hinkley, up', createPageHinkley({ mode: 'up' }), shifts, [786]],
  ['Page-Hinkley, down', createPageHinkley({ mode: 'down' }), shifts, [1483]],
  [
    'Page-Hinkley on errors',
    createPageHinkley({ threshold: 10 }),
    errors,
    [361, 1012, 1241, 1384, 1523, 1662],
  ],
  ['DDM', createDdm(), errors, [63, 1030, 1246]],
  ['EDDM', createEddm(), errors, [380, 779, 1015, 1127, 1213, 1327, 1441, 1519, 1657, 1763, 1859, 1953]],
  ['HDDM-A', createHddmA(), errors, [1009]],
  ['HDDM-W', createHddmW(), errors, [1017, 1657]],
])('raises the alarms of river 0.26.1: %s', (_name, detector, values, expected) => {
  expect(alarms(detector, values).drift).toEqual(expected);
});

it('warns where river 0.26.1 does', () => {
  const ddm = alarms(createDdm(), errors).warnings;
  expect([ddm.length, ...ddm.slice(0, 5)]).toEqual([185, 62, 836, 837, 838, 839]);
  const eddm = alarms(createEddm(), errors).warnings;
  // River counts 60: it leaves the warning up on some of its alarms.
  expect(eddm.slice(0, 5)).toEqual([763, 764, 765, 766, 767]);
  expect(alarms(createHddmA(), errors).warnings).toEqual([1005, 1006, 1007, 1008, 1657]);
  const hddmW = alarms(createHddmW(), errors).warnings;
  expect([hddmW.length, ...hddmW.slice(0, 5)]).toEqual([12, 1012, 1013, 1014, 1015, 1016]);
});

it('leaves the window and mean that river 0.26.1 leaves', () => {
  const adwin = createAdwin();
  for (const value of shifts) adwin.update(value);
  expect(adwin.width).toBe(560);
  expect(adwin.mean).toBeCloseTo(0.19965342678571427, 12);
});

it('sees a change of shape by KSWIN within 60 values of river 0.26.1, whatever is drawn', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { drift } = alarms(createKswin({ random: createRandom(seed) }), shifts);
    expect(Math.abs(drift[0] - 706)).toBeLessThanOrEqual(60);
    expect(drift.some((k) => Math.abs(k - 1413) <= 60)).toBe(true);
  }
});

it('raises fewer than one alarm in 5 000 values on a stream that does not change', () => {
  const random = createRandom(7);
  const stable = Array.from({ length: 20_000 }, () => (random() < 0.45 ? 1 : 0));
  for (const detector of [createAdwin(), createHddmA(), createPageHinkley()])
    expect(alarms(detector, stable).drift.length).toBeLessThanOrEqual(3);
});

it('computes the population stability index of a hand-worked table', () => {
  // Ten bins of ten values, and five move from the highest to the lowest: .05 ln 1.5 - .05 ln .5.
  const before = Float64Array.from({ length: 100 }, (_, k) => k);
  const after = before.map((value) => (value >= 95 ? 5 : value));
  expect(stabilityIndex(before, after)).toBeCloseTo(0.05 * Math.log(1.5) - 0.05 * Math.log(0.5), 12);
  expect(stabilityIndex(before, before)).toBe(0);
  expect(stabilityIndex(before, before.slice(0, 5))).toBeUndefined();
  const random = createRandom(3);
  const draw = (shift: number): Float64Array =>
    Float64Array.from({ length: 5000 }, () => normal(random) + shift);
  expect(stabilityIndex(draw(0), draw(0))).toBeLessThan(0.02);
  expect(stabilityIndex(draw(0), draw(1))).toBeGreaterThan(0.25);
});

it('counts what is missing now as a shift of its own', () => {
  const values = Float64Array.from({ length: 100 }, (_, k) => k);
  const gone = values.map((value, k) => (k % 2 === 0 ? NaN : value));
  expect(stabilityIndex(values, gone)).toBeGreaterThan(0.25);
});
