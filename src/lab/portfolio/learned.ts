import { type LearnedAllocator, openLearned } from '../../learning/allocators/forward.ts';
import { learn } from '../../learning/allocators/learner.ts';
import type { LearnerState } from '../../learning/allocators/state.ts';
import type { LearnedId, LearnerParams } from '../../learning/allocators/params.ts';
import { allocatorData } from '../../learning/allocators/data.ts';
import { sampleCovariance } from '../../core/portfolio/covariance.ts';
import { isWithin } from '../../core/portfolio/limits.ts';
import { nearest } from '../../core/portfolio/mean-variance.ts';
import { positiveDefinite } from '../../core/portfolio/symmetric.ts';
import type { Allocation } from '../../core/portfolio/allocator.ts';
import { type Decision, type PortfolioStrategy, tableOf, type WalkForwardTask } from './walk-forward.ts';

type Market = Pick<WalkForwardTask, 'members' | 'market'>;

/** A learner as a strategy: trained at the first decision and again every `refitBars`, on what was known by then. */
export function learningStrategy(
  id: LearnedId,
  source: Market,
  options: {
    readonly params: LearnerParams;
    readonly seed: number;
    readonly refitBars: number;
    /** What was trained at which row: strategies that are given the same teach a network once. */
    readonly fits: Map<string, LearnerState>;
    readonly signal?: AbortSignal | undefined;
  },
): PortfolioStrategy {
  const table = tableOf(source);
  const data = allocatorData(table.symbols, table.time, table.closes);
  let open: LearnedAllocator | undefined;
  let fittedAt = -Infinity;
  return {
    id,
    async allocate(decision) {
      if (open === undefined || decision.row - fittedAt >= options.refitBars) {
        await open?.dispose();
        const { params, seed, signal, fits } = options;
        const key = `${id} ${decision.row}`;
        const state =
          fits.get(key) ?? (await learn(id, { data, lastRow: decision.row, params, seed, signal }));
        fits.set(key, state);
        open = await openLearned(id, table.symbols, params, state);
        fittedAt = decision.row;
      }
      return learnedAllocation(open, source, decision);
    },
  };
}

/** What a trained allocator wants at a decision, within its limits where it says the whole of the capital. */
export async function learnedAllocation(
  learned: LearnedAllocator,
  source: Market,
  decision: Decision,
): Promise<Allocation> {
  const { assets, limits, current, returns, symbols } = decision;
  const table = tableOf(source);
  const data = allocatorData(table.symbols, table.time, table.closes);
  const held = new Float64Array(table.symbols.length);
  for (const [at, i] of assets.entries()) held[i] = Math.max(0, current[at]);
  const all = await learned.weightsAt(data, decision.row, held);
  const wanted = Float64Array.from(assets, (i) => all[i]);
  const total = wanted.reduce((sum, weight) => sum + weight, 0);
  const covariance = positiveDefinite(sampleCovariance(returns)).matrix;
  const free = { expected: undefined, notes: [], kkt: undefined, covariance };
  // Limits are about the invested part; what stays in cash was the learner's choice.
  const invested = wanted.map((weight) => weight / total);
  if (!(total > 1e-9) || isWithin(limits, invested, current)) return { ...free, weights: wanted };
  const problem = {
    symbols,
    covariance,
    limits,
    current,
    expected: new Float64Array(assets.length),
    costRate: 0,
  };
  const inside = nearest(problem, invested);
  return {
    ...free,
    weights: inside.weights.map((weight) => weight * total),
    notes: ['it knows no limits: these are the weights inside them that follow it most closely'],
    kkt: inside.kkt,
  };
}
