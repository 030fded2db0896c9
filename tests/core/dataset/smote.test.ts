import fc from 'fast-check';
import { expect, it } from 'vitest';
import { smoteSteps } from '../../../src/core/dataset/smote.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { inTurns } from '../../../src/data/turns.ts';

const make = (points: readonly number[], classes: readonly number[], share: number, neighbours?: number) =>
  inTurns(
    smoteSteps(
      {
        points: Float64Array.from(points),
        width: points.length / classes.length,
        classes: Int32Array.from(classes),
      },
      { share, random: createRandom(3), ...(neighbours !== undefined && { neighbours }) },
    ),
  );

it('fills the rarer class up to the share of the larger one, between neighbours of its own', async () => {
  // The rare class stands at 0, 1 and 10: with one neighbour 0 and 1 are each other's, and that of 10 is 1.
  const points = [0, 1, 10, 50, 51, 52, 53, 54, 55, 56, 57, 58];
  const made = await make(points, [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.8, 1);
  expect(made).toHaveLength(4); // .8 x 9 = 7.2: seven, of which three are there
  for (const { base, mate, share } of made) {
    expect([base, mate]).toSatisfy(([a, b]: number[]) => b === { 0: 1, 1: 0, 2: 1 }[a]);
    expect(share).toSatisfy((s: number) => s >= 0 && s < 1);
  }
});

it('ignores a coordinate that is missing in either row', async () => {
  // By the first coordinate alone row 1 is nearest to row 0; row 2 is nearer in the second, which row 0 lacks.
  const points = [0, NaN, 1, 99, 5, 0, 90, 0, 91, 0, 92, 0, 93, 0];
  const made = await make(points, [1, 1, 1, 0, 0, 0, 0], 1, 1);
  for (const { base, mate } of made) if (base === 0) expect(mate).toBe(1);
});

it('stays inside the rows it is given and their classes, and leaves balanced classes and single rows alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.integer({ min: 0, max: 2 })), {
        minLength: 1,
        maxLength: 40,
      }),
      async (rows) => {
        const classes = rows.map(([, one]) => one);
        const made = await make(rows.map(([x]) => x), classes, 1); // prettier-ignore
        for (const { base, mate } of made) {
          expect(mate).not.toBe(base);
          expect(classes[mate]).toBe(classes[base]);
        }
        const counts = [0, 1, 2].map((one) => classes.filter((other) => other === one).length);
        const wanted = counts.map((count) => (count < 2 ? 0 : Math.max(...counts) - count));
        expect(made).toHaveLength(wanted.reduce((sum, count) => sum + count, 0));
      },
    ),
  );
});
