import { bootstrapIntervals, bootstrapMean } from '../src/core/evaluation/bootstrap.ts';
import { createRandom, normal, type Random } from '../src/core/foundation/random.ts';
import type { BenchRow } from './bench.ts';

/** Draws of each process and length; `COVERAGE_DRAWS` for fewer. */
const DRAWS = Number(process.env['COVERAGE_DRAWS'] ?? 1000);

/** How often the 95 % intervals of mean and Sharpe ratio hold the true value, on returns whose truth is known. */
export async function run(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const bars of [500, 4000])
    for (const { name, draw, mean, sharpe } of PROCESSES) {
      let [ofMean, ofSharpe] = [0, 0];
      for (let seed = 0; seed < DRAWS; seed++) {
        const returns = draw(bars, createRandom(1000 + seed));
        const interval = bootstrapMean(returns, createRandom(seed));
        const ratio = bootstrapIntervals(returns, createRandom(seed))?.barSharpe;
        if (interval && interval.low <= mean && mean <= interval.high) ofMean++;
        if (ratio && ratio.low <= sharpe && sharpe <= ratio.high) ofSharpe++;
      }
      const target = bars === 4000 ? '93 .. 97 %' : '> 92 %';
      const note = `${DRAWS} draws, 1 000 resamples`;
      rows.push(
        { name: `mean, ${name}, n = ${bars}`, value: (100 * ofMean) / DRAWS, unit: '%', target, note },
        { name: `Sharpe, ${name}, n = ${bars}`, value: (100 * ofSharpe) / DRAWS, unit: '%', target, note },
      );
    }
  return rows;
}

const BURN_IN = 500;

const PROCESSES = [
  {
    name: 'AR(1) .3',
    mean: 0.0002,
    sharpe: 0.02 * Math.sqrt(1 - 0.09),
    draw: (bars: number, random: Random): Float64Array => {
      let last = 0;
      const next = (): number => 0.0002 + 0.01 * (last = 0.3 * last + normal(random));
      for (let i = 0; i < BURN_IN; i++) next();
      return Float64Array.from({ length: bars }, next);
    },
  },
  {
    name: 'GARCH .1 .85',
    mean: 0.0005,
    sharpe: 0.05,
    draw: (bars: number, random: Random): Float64Array => {
      let [variance, shock] = [1, 0];
      const next = (): number => {
        variance = 0.05 + 0.1 * shock * shock + 0.85 * variance;
        shock = Math.sqrt(variance) * normal(random);
        return 0.0005 + 0.01 * shock;
      };
      for (let i = 0; i < BURN_IN; i++) next();
      return Float64Array.from({ length: bars }, next);
    },
  },
];
