import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { EnsembleChoice } from './combine.ts';
import { shownWeights } from './adaptive.ts';
import { defineMethod, type EnsembleMethod, type MemberFacts, type Shown } from './method.ts';
import { boostedStack, logisticStack, type MetaLearner } from './meta-learners.ts';
import { presetOf } from './presets.ts';
import { batesGranger, caruana, inverseSquaredError, ridgeStack, simplexLeastSquares } from './weights.ts';

const even = ({ voters }: Pick<Shown, 'voters'>): Float64Array =>
  new Float64Array(voters.length).fill(1 / voters.length);
/** Fitted weights need more rows than they have freedom. */
const isShown = ({ realised, voters }: Shown): boolean => realised.length > 10 * voters.length;
const nothing = z.strictObject({});

const GROUPS: Readonly<Record<string, (member: MemberFacts) => boolean>> = {
  agent: ({ kind }) => kind === 'agent',
  trees: ({ id }) => id === 'boosted-trees' || id === 'random-forest',
};

/**
 * The prior's share of each voter; members of a group divide its share. What nobody present holds is divided evenly among all
 * of them: one model with a tenth of a prior is not the whole of it because the others were not trained.
 */
export function priorWeights(
  prior: Readonly<Record<string, number>>,
  voters: readonly MemberFacts[],
): Float64Array {
  const weights = new Float64Array(voters.length);
  let [held, all] = [0, 0];
  for (const [name, share] of Object.entries(prior)) {
    const places = voters.flatMap((voter, m) =>
      (GROUPS[name] ?? (({ id }: MemberFacts) => id === name))(voter) ? [m] : [],
    );
    for (const m of places) weights[m] += share / places.length;
    all += share;
    if (places.length > 0) held += share;
  }
  if (held === 0) return even({ voters });
  return weights.map((weight) => (weight + (all - held) / voters.length) / all);
}

const share = z.number().min(0);
const Enhanced = z.strictObject({
  prior: z
    .record(z.string(), share)
    .default({ agent: 30, tft: 25, 'lstm-cnn': 20, 'mean-reversion': 10, 'momentum-garch': 10, trees: 5 })
    .describe('Shares to begin with, by model, or by `agent` (ppo, dqn) and `trees`; others begin at 0'),
  weights: z
    .enum(['adaptive', 'fixed', 'hedge', 'fixed-share'])
    .default('adaptive')
    .describe('Whether and how weights follow what each model has earned'),
  halfLifeDays: z
    .number()
    .positive()
    .default(10.4)
    .describe('adaptive: how fast results are forgotten; 10.4 days weigh as much as the last 30'),
  rate: z.number().positive().default(0.1).describe('hedge, fixed-share: how fast weights follow losses'),
  share: z.number().min(0).max(1).default(0.01).describe('fixed-share: spread evenly after every bar'),
});

const enhanced = defineMethod<z.output<typeof Enhanced>>({
  id: 'enhanced',
  summary: 'confidence-weighted from a prior, models that say the same share a vote, weights follow skill',
  source: 'prior of the reference system; empirical Bayes: adaptive.ts; hedge.ts',
  params: Enhanced,
  weigh: ({ prior, weights: how, halfLifeDays, rate, share: spread }, { voters, evidence }) => {
    const begin = priorWeights(prior, voters);
    const weights = how === 'adaptive' ? shownWeights(begin, evidence) : begin;
    const common = { weights, byConfidence: true, sharesVotes: true };
    switch (how) {
      case 'fixed':
        return common;
      case 'adaptive':
        return { ...common, follows: { kind: 'sharpe', halfLifeDays } };
      case 'hedge':
        return { ...common, follows: { kind: 'hedge', rate, share: 0 } };
      case 'fixed-share':
        return { ...common, follows: { kind: 'hedge', rate, share: spread } };
    }
  },
});

const equal = defineMethod({
  id: 'equal',
  summary: 'the mean of all voters',
  source: 'DeMiguel, Garlappi & Uppal 2009, Optimal Versus Naive Diversification',
  params: nothing,
  plain: true,
  weigh: (_, seen) => ({ weights: even(seen) }),
});

const voting = defineMethod({
  id: 'voting',
  summary: 'each model has one vote for its side',
  source: 'majority vote',
  params: nothing,
  votes: true,
  weigh: (_, seen) => ({ weights: even(seen) }),
});

const weightedVoting = defineMethod({
  id: 'weighted-voting',
  summary: 'votes count by how often each model named the right side out of sample',
  source: 'weighted majority',
  params: nothing,
  votes: true,
  weigh: (_, seen) => ({
    weights: isShown(seen)
      ? Float64Array.from(seen.stated, (column) => {
          const sides = column.map((value, i) => Math.sign(value * seen.realised[i]));
          const taken = sides.filter((side) => side !== 0);
          return taken.length === 0 ? 0 : taken.filter((side) => side > 0).length / taken.length;
        })
      : even(seen),
  }),
});

const stacking = defineMethod<{ readonly penalty: number }>({
  id: 'stacking',
  summary: 'ridge regression of what happened on what the models stated out of sample',
  source: 'Breiman 1996, Stacked Regressions; penalty towards equal weights',
  params: z.strictObject({
    penalty: z.number().positive().default(1).describe('Weight of the distance from equal weights'),
  }),
  weigh: ({ penalty }, seen) =>
    isShown(seen)
      ? { weights: ridgeStack(seen.stated, seen.realised, penalty), asFitted: true }
      : { weights: even(seen) },
});

const logistic = defineMethod<{ readonly penalty: number }>({
  id: 'logistic-stacking',
  summary: 'logistic regression of the side on what the models stated out of sample',
  source: 'Wolpert 1992, Stacked Generalization',
  params: z.strictObject({
    penalty: z.number().positive().default(0.1).describe('Weight of the squared coefficients'),
  }),
  weigh: ({ penalty }, seen) =>
    isShown(seen) && seen.realised.length >= LEAST_ROWS
      ? stacked(logisticStack(seen.stated, seen.realised, penalty))
      : { weights: even(seen) },
});

const boosted = defineMethod<{ readonly rounds: number; readonly learningRate: number }>({
  id: 'boosted-stacking',
  summary: 'boosted trees on what the models stated out of sample',
  source: 'Wolpert 1992, Stacked Generalization; Chen & Guestrin 2016, XGBoost',
  params: z.strictObject({
    rounds: z.int().min(1).max(1000).default(30).describe('Trees of depth 2'),
    learningRate: z.number().positive().max(1).default(0.1).describe('Part of each tree that counts'),
  }),
  weigh: (params, seen) =>
    isShown(seen) && seen.realised.length >= LEAST_ROWS
      ? stacked(boostedStack(seen.stated, seen.realised, params))
      : { weights: even(seen) },
});

/** Fewer rows teach no classifier anything about returns. */
const LEAST_ROWS = 200;

const stacked = (meta: MetaLearner) => ({ weights: meta.weights, meta });

const blending = defineMethod({
  id: 'blending',
  summary: 'weights of at least 0 that sum to 1 with the least squared error out of sample',
  source: 'simplex-constrained least squares',
  params: nothing,
  weigh: (_, seen) => ({
    weights: isShown(seen) ? simplexLeastSquares(seen.stated, seen.realised) : even(seen),
  }),
});

const selection = defineMethod<{ readonly rounds: number }>({
  id: 'caruana',
  summary: 'greedy selection with replacement by the error of the mean of those taken',
  source: 'Caruana et al. 2004, Ensemble Selection from Libraries of Models',
  params: z.strictObject({ rounds: z.int().min(1).max(1000).default(50).describe('Picks') }),
  weigh: ({ rounds }, seen) => ({
    weights: isShown(seen) ? caruana(seen.stated, seen.realised, rounds).weights : even(seen),
  }),
});

const granger = defineMethod<{ readonly covariance: 'full' | 'diagonal' }>({
  id: 'bates-granger',
  summary: 'the least variance of the combined error, weights of at least 0',
  source: 'Bates & Granger 1969, The Combination of Forecasts',
  params: z.strictObject({
    covariance: z.enum(['full', 'diagonal']).default('full').describe('diagonal: errors taken as unrelated'),
  }),
  weigh: ({ covariance }, seen) => ({
    weights: !isShown(seen)
      ? even(seen)
      : covariance === 'full'
        ? batesGranger(seen.stated, seen.realised, { constrained: true })
        : inverseSquaredError(seen.stated, seen.realised),
  }),
});

/** Every way of combining, the default first. */
export const ensembles: readonly EnsembleMethod[] = [
  enhanced,
  equal,
  voting,
  weightedVoting,
  stacking,
  logistic,
  boosted,
  blending,
  selection,
  granger,
];

/** The default. */
export const ENHANCED: EnsembleChoice = { method: enhanced, params: Enhanced.parse({}) };

/** A way of combining, or a preset (presets.ts), with its parameters, absent ones by default. Throws `UserError` for what it does not take. */
export function chooseEnsemble(id: string, params: Readonly<Record<string, unknown>>): EnsembleChoice {
  const preset = presetOf(id, params);
  if (preset !== undefined) {
    const inner = chooseEnsemble(preset.by, preset.own);
    const { summary, members, named } = preset;
    return {
      method: { ...inner.method, id, summary, members },
      params: { ...Object(inner.params), ...named },
    };
  }
  const method = ensembles.find((one) => one.id === id);
  if (method === undefined)
    throw new UserError(`Unknown ensemble "${id}".`, {
      hint: suggest(
        id,
        ensembles.map((one) => one.id),
      ),
    });
  const parsed = method.params.safeParse(params);
  if (parsed.success) return { method, params: parsed.data };
  throw new UserError(
    `The parameters of the ensemble "${id}" are not valid.\n${issueLines(parsed.error).join('; ')}`,
    {
      hint: `Correct ensembles.${id} in config.yaml.`,
    },
  );
}
