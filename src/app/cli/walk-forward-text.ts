import { duration } from '../../core/foundation/duration.ts';
import type { WalkForwardCost } from '../../learning/validation/walk-forward.ts';

/** What a walk-forward will take, before it begins: nothing where all of its folds are there. */
export function walkForwardLines({ folds, kept, slow, unmeasured }: WalkForwardCost): readonly string[] {
  if (kept === folds) return [`All ${folds} folds were finished before: nothing is fitted again.`];
  const seconds = slow.reduce((sum, one) => sum + one.seconds, 0);
  const each = slow.map((one) => `${one.id} ${duration(one.seconds)}`);
  const others = unmeasured.reduce((sum, one) => sum + one.folds, 0);
  return [
    `${folds - kept} of ${folds} folds to fit${kept > 0 ? `, ${kept} were finished before` : ''}.`,
    ...(slow.length > 0 ? [`At the measured pace about ${duration(seconds)}: ${each.join(', ')}.`] : []),
    ...(others > 0 && slow.length > 0 ? [`${others} folds of other models: seconds each.`] : []),
    ...(slow.length > 0
      ? ['Each finished fold is kept: stop with Ctrl-C, and the same command resumes behind it.']
      : []),
  ];
}
