import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { estimateAdvantages } from '../../../../src/learning/learners/agent/advantages.ts';

const golden = new URL('../../../golden/nn/layers.json', import.meta.url);
const NAME = 'gae_g.99_l.95_starts_100100_last.25_done0';
const Golden = z.object({ [NAME]: z.object({ adv: z.array(z.number()), ret: z.array(z.number()) }) });

/** The golden file's closed-form numbers: 0.5 sin(1 + 0.37 k + phase). */
const fill = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => 0.5 * Math.sin(1 + 0.37 * k + phase));

function estimate(rewards: Float32Array, values: Float32Array, ended: Uint8Array, lastValues: Float32Array) {
  const advantages = new Float32Array(rewards.length);
  const returns = new Float32Array(rewards.length);
  const rollout = { rewards, values, ended, lastValues, advantages, returns };
  estimateAdvantages(rollout, { gamma: 0.99, gaeLambda: 0.95 });
  return { advantages, returns };
}

describe('generalised advantage estimation', () => {
  it('equals the reference', () => {
    const expected = Golden.parse(JSON.parse(readFileSync(golden, 'utf8')))[NAME];
    // A new episode starts at step 3, so the one before ended at step 2.
    const ended = Uint8Array.of(0, 0, 1, 0, 0, 0);
    const { advantages, returns } = estimate(fill(6, 0.2), fill(6, 0.6), ended, Float32Array.of(0.25));
    expected.adv.forEach((value, t) => expect(advantages[t]).toBeCloseTo(value, 6));
    expected.ret.forEach((value, t) => expect(returns[t]).toBeCloseTo(value, 6));
  });

  it('keeps environments apart', () => {
    const alone = [0.2, 1.4].map((phase) =>
      estimate(fill(4, phase), fill(4, phase + 1), new Uint8Array(4), Float32Array.of(phase)),
    );
    const woven = (columns: readonly Float32Array[]): Float32Array =>
      Float32Array.from({ length: 8 }, (_, at) => columns[at % 2][at >> 1]);
    const together = estimate(
      woven([fill(4, 0.2), fill(4, 1.4)]),
      woven([fill(4, 1.2), fill(4, 2.4)]),
      new Uint8Array(8),
      Float32Array.of(0.2, 1.4),
    );
    expect(together.advantages).toEqual(woven(alone.map(({ advantages }) => advantages)));
  });
});
