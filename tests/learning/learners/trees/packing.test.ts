import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packDerivatives, unpack } from '../../../../src/learning/learners/trees/packing.ts';

const row = fc.tuple(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: 1e-6, max: 0.25, noNaN: true }),
);

it('keeps the sums of both derivatives, in any order and exactly under subtraction', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 300 }), fc.nat(), (rows, cut) => {
      const gradients = Float64Array.from(rows, ([gradient]) => gradient);
      const hessians = Float64Array.from(rows, ([, hessian]) => hessian);
      const sample = Int32Array.from(rows, (_, index) => index);
      const packing = packDerivatives({ gradients, hessians }, sample, new Float64Array(rows.length));
      const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
      const size = total(gradients.map(Math.abs));
      const [gradient, hessian] = unpack(total(packing.packed), packing);
      expect(Math.abs(gradient - total(gradients))).toBeLessThanOrEqual(1e-5 * size + 1e-12);
      expect(Math.abs(hessian - total(hessians))).toBeLessThanOrEqual(1e-5 * total(hessians));

      const whole = total(packing.packed);
      expect(total(Float64Array.from(packing.packed).reverse())).toBe(whole);
      const left = total(packing.packed.subarray(0, cut % rows.length));
      expect(whole - left).toBe(total(packing.packed.subarray(cut % rows.length)));
    }),
    {
      examples: [
        [[[5e-324, 0.000001]], 0],
        [[[0, 0.25]], 0],
      ],
    },
  );
});
