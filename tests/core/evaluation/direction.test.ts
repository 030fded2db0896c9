import { describe, expect, it } from 'vitest';
import { directionInterval, wilson } from '../../../src/core/evaluation/direction.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';

const HOUR = 3_600_000;

/** Coin flips of five symbols that all do what the first does with probability `alike`. */
function flips(seed: number, times: number, alike: number) {
  const random = createRandom(seed);
  const tally = new Map<number, { hits: number; samples: number }>();
  for (let i = 0; i < times; i++) {
    const first = random() < 0.5 ? 1 : 0;
    let hits = first;
    for (let s = 1; s < 5; s++) hits += random() < alike ? first : random() < 0.5 ? 1 : 0;
    tally.set(i * HOUR, { hits, samples: 5 });
  }
  return tally;
}

describe('the interval of a hit rate', () => {
  it('holds the truth in 95 % of draws though symbols move together, where Wilson misses four times as often', () => {
    const draws = 300;
    let [missed, wilsonMissed] = [0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const tally = flips(draw, 200, 0.6);
      const hits = [...tally.values()].reduce((sum, row) => sum + row.hits, 0);
      const [low, high] = directionInterval(tally, 1, createRandom(draw)) ?? [NaN, NaN];
      if (!(low <= 50 && 50 <= high)) missed++;
      const [wilsonLow, wilsonHigh] = wilson(hits / 1000, 1000);
      if (wilsonLow > 50 || wilsonHigh < 50) wilsonMissed++;
    }
    // Of 300 draws at 5 %: 15 +- 3.8.
    expect(missed / draws).toBeLessThan(0.09);
    expect(missed / draws).toBeGreaterThan(0.01);
    expect(wilsonMissed / draws).toBeGreaterThan(0.15);
  });

  it("is Wilson's on the times that do not overlap where there are few, or all is a hit", () => {
    const few = new Map([
      [0, { hits: 5, samples: 5 }],
      [HOUR, { hits: 0, samples: 5 }],
    ]);
    expect(directionInterval(few, 1, createRandom(1))).toEqual(wilson(0.5, 2));
    const all = new Map(Array.from({ length: 40 }, (_, i) => [i * HOUR, { hits: 3, samples: 3 }]));
    expect(directionInterval(all, 4, createRandom(1))).toEqual(wilson(1, 10));
    expect(directionInterval(new Map(), 1, createRandom(1))).toBeUndefined();
  });

  it("is R's prop.test(8, 10, correct = FALSE) for eight of ten", () => {
    const [low, high] = wilson(0.8, 10);
    expect(low).toBeCloseTo(49.01625, 4);
    expect(high).toBeCloseTo(94.33178, 4);
  });
});
