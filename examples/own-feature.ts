import { catalogue, computeFeatures, defineFeature, z } from 'crypto-trader';
import { checkFeature } from 'crypto-trader/testing';
import { AwesomeOscillator } from 'technicalindicators';
import { market } from './market.ts';

/** Bill Williams' awesome oscillator, by the package technicalindicators, as a share of the price. */
const awesome = defineFeature({
  name: 'awesome',
  about: 'mean of 5 midpoints less mean of 34, / close',
  source: 'technicalindicators 3.1.0',
  unit: 'fraction',
  inputs: ['high', 'low', 'close'],
  parameters: z.strictObject({ fast: z.int().min(1).default(5), slow: z.int().min(2).default(34) }),
  warmUpBars: ({ slow }) => slow - 1,
  create: ({ parameters: { fast, slow }, memory }) => {
    // The newest `slow` bars, high and low after each other: what the next bar needs lies in `memory`, so that a
    // restart goes on with the same bits. The package is asked for one value of these bars at a time.
    const seen = memory(2 * slow + 1);
    return {
      update: ({ length, high, low, close }, out) => {
        for (let i = 0; i < length; i++) {
          seen.copyWithin(0, 2, 2 * slow);
          seen[2 * slow - 2] = high[i];
          seen[2 * slow - 1] = low[i];
          seen[2 * slow] = Math.min(slow, seen[2 * slow] + 1);
          if (seen[2 * slow] < slow) continue;
          const newest = Array.from({ length: slow }, (_, k) => [seen[2 * k], seen[2 * k + 1]]);
          const [value] = AwesomeOscillator.calculate({
            high: newest.map(([top]) => top),
            low: newest.map(([, bottom]) => bottom),
            fastPeriod: fast,
            slowPeriod: slow,
            format: (number) => number,
          });
          out[i] = value / close[i];
        }
      },
    };
  },
});

let kept = 0;
for await (const verdict of checkFeature(awesome)) {
  if (verdict.kind === 'kept') kept++;
  else process.stdout.write(`BROKEN ${verdict.law}: ${verdict.reason}\n`);
}
const [{ candles }] = market([]).series;
const { columns } = computeFeatures(['rsi_14', 'awesome'], candles, '1h', {}, [...catalogue, awesome]);
process.stdout.write(
  `${kept} laws kept; ${columns[1].filter(Number.isFinite).length} values beside the RSI\n`,
);
