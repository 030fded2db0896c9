import { type SyntheticRow, smoteSteps } from '../../../core/dataset/smote.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createRandom } from '../../../core/foundation/random.ts';
import { inTurns } from '../../../data/turns.ts';
import type { ClassBalance, ClassQuestion, Head } from './architecture.ts';
import type { ClassParams } from './class-params.ts';
import { type Examples, windowCount } from './examples.ts';
import type { SeriesInputs } from './inputs.ts';

/** Of a head that names no classes: whether its first target is positive. */
const SIGN: ClassQuestion = { classes: 2, of: (targets, at) => (targets[at] > 0 ? 1 : 0) };

/** What the loss weighs classes by: how often each occurs in the training windows, or all the same. */
export function classBalance(
  head: Pick<Head, 'questions'>,
  examples: Examples,
  { classWeights = 'balanced' }: ClassParams,
): ClassBalance {
  const shares = (question: ClassQuestion): readonly number[] =>
    classWeights === 'none'
      ? Array.from({ length: question.classes }, () => 1 / question.classes)
      : classShares(question, examples);
  return {
    positiveShare: shares(SIGN)[1],
    ...(head.questions && { shares: head.questions.map(shares) }),
  };
}

/** One of each class added: one that never occurs must not weigh infinitely. */
function classShares(question: ClassQuestion, examples: Examples): readonly number[] {
  const { count, targets, weights } = examples;
  const width = targets.length / count;
  const seen = new Float64Array(question.classes).fill(1);
  for (let i = 0; i < count; i++) if (weights?.[i] !== 0) seen[question.of(targets, i * width)]++;
  return Array.from(seen, (times) => times / (windowCount(examples) + question.classes));
}

/**
 * The training windows with synthetic ones behind them (SMOTE, by the classes of the head's first question). Near are
 * windows whose newest bars are alike. Throws `UserError` for a model whose symbols stand together.
 */
export async function oversampled(
  { smote = 0 }: ClassParams,
  { questions }: Pick<Head, 'questions'>,
  examples: Examples,
  of: { readonly inputs: readonly SeriesInputs[]; readonly seed: number; readonly signal: AbortSignal },
): Promise<Examples> {
  if (smote === 0) return examples;
  if (examples.group > 1)
    throw new UserError('smote was asked for of a model whose symbols stand together.', {
      hint: 'Leave it at 0: a synthetic window of one symbol has no place beside the others.',
    });
  const { count, series, row, targets } = examples;
  const width = targets.length / count;
  const question = questions?.[0] ?? SIGN;
  const classes = Int32Array.from(row, (_, i) => question.of(targets, i * width));
  const newest = newestBars(examples, of.inputs);
  const steps = smoteSteps(
    { points: newest, width: newest.length / count, classes },
    { share: smote, random: createRandom(of.seed) },
  );
  const made = await inTurns(steps, of.signal);
  if (made.length === 0) return examples;
  return withSynthetic({ ...examples, series, row }, made);
}

/** [count, features] of the first branch. */
function newestBars({ count, series, row }: Examples, inputs: readonly SeriesInputs[]): Float32Array {
  const { values, last } = inputs[0].branches[0];
  const features = values.length / last.length;
  const points = new Float32Array(count * features);
  for (let i = 0; i < count; i++) {
    const branch = inputs[series[i]].branches[0];
    const from = branch.last[row[i]] * features;
    points.set(branch.values.subarray(from, from + features), i * features);
  }
  return points;
}

function withSynthetic(examples: Examples, made: readonly SyntheticRow[]): Examples {
  const { count, series, row, targets } = examples;
  const width = targets.length / count;
  const all = {
    count: count + made.length,
    series: new Int32Array(count + made.length),
    row: new Int32Array(count + made.length),
    targets: new Float32Array((count + made.length) * width),
    mate: new Int32Array(count + made.length).fill(-1),
    share: new Float32Array(count + made.length),
  };
  all.series.set(series);
  all.row.set(row);
  all.targets.set(targets);
  made.forEach(({ base, mate, share }, i) => {
    const at = count + i;
    all.series[at] = series[base];
    all.row[at] = row[base];
    // Of the class of its base, in every question.
    all.targets.set(targets.subarray(base * width, (base + 1) * width), at * width);
    all.mate[at] = mate;
    all.share[at] = share;
  });
  const { mate, share, ...rest } = all;
  return { ...rest, group: 1, synthetic: { real: count, mate, share } };
}
