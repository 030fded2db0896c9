import { createAdwin } from '../../src/core/evaluation/drift/adwin.ts';
import type { DriftDetector } from '../../src/core/evaluation/drift/detector.ts';
import { createDdm, createEddm } from '../../src/core/evaluation/drift/error-rate.ts';
import { createHddmA, createHddmW } from '../../src/core/evaluation/drift/hddm.ts';
import { createKswin } from '../../src/core/evaluation/drift/kswin.ts';
import { createPageHinkley } from '../../src/core/evaluation/drift/page-hinkley.ts';
import { createRandom } from '../../src/core/foundation/random.ts';
import type { BenchRow } from '../bench.ts';
import { runPeer } from '../peers/run.ts';

/** River's names; those of the second group see errors, 0 or 1. */
const DETECTORS: readonly (readonly [name: string, create: () => DriftDetector, errors: boolean])[] = [
  ['ADWIN', createAdwin, false],
  ['PageHinkley', createPageHinkley, false],
  ['KSWIN', () => createKswin({ random: createRandom(1) }), false],
  ['DDM', createDdm, true],
  ['EDDM', createEddm, true],
  ['HDDM_A', createHddmA, true],
  ['HDDM_W', createHddmW, true],
];
const COUNT = 200_000;

/** Values a second that each detector takes, of a stream that never drifts. */
export function detectorRows(): readonly BenchRow[] {
  const peer = runPeer('drift_river.py');
  return DETECTORS.map(([name, create, errors]) => {
    const random = createRandom(1);
    const values = Float64Array.from({ length: COUNT }, () => (errors ? Number(random() < 0.2) : random()));
    const pass = (): number => {
      const detector = create();
      const started = performance.now();
      for (const value of values) detector.update(value);
      return performance.now() - started;
    };
    pass();
    const ms = Math.min(pass(), pass(), pass());
    return {
      name: `${name}, values a second`,
      value: COUNT / ms / 1000,
      unit: 'M/s',
      target: '>= 1',
      ...(peer === undefined
        ? { note: 'no Python with river here' }
        : { peer: { name: 'river', value: peer[name] } }),
    };
  });
}
