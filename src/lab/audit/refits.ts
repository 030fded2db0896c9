import { type Panel, panelWithin, selectFeatures } from '../../core/dataset/panel.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { FittedModel } from '../../core/forecast/model.ts';
import { giveWay } from '../../data/turns.ts';
import { artifactHash } from '../../learning/training/artifact-folder.ts';
import type { AuditedMember, Subject } from './subject.ts';

/** A member fitted again, on the bars of its run or on others. */
export interface Refitted {
  readonly member: AuditedMember;
  readonly fitted: FittedModel;
  readonly weightHash: string;
  /** The losses that it reported before its first figure of the validation bars. */
  readonly losses: readonly number[];
}

/** What the checks share: fits are dear, so each is made once. */
export interface Refits {
  /** Members that learn and are fitted fast enough, and those that are not. */
  readonly tried: readonly AuditedMember[];
  readonly tooSlow: readonly AuditedMember[];
  /** As the run fitted it: its bars, its seed. */
  again(member: AuditedMember): Promise<Refitted>;
  /** On another panel or from another seed; `undefined` when it cannot learn there. */
  on(member: AuditedMember, panel: Panel, seed?: number): Promise<Refitted | undefined>;
}

export function createRefits(
  subject: Subject,
  { mostSeconds, onFit }: { readonly mostSeconds: number; readonly onFit?: (id: string) => void },
): Refits {
  const learning = subject.members.filter(({ model }) => model.kind !== 'baseline' && model.kind !== 'rule');
  const known = new Map<AuditedMember, Promise<Refitted>>();
  const bars = { fromMs: subject.fitFromMs ?? -Infinity, untilMs: subject.validateUntilMs };
  const fit = async (member: AuditedMember, panel: Panel, seed: number): Promise<Refitted> => {
    onFit?.(member.id);
    await giveWay(subject.signal);
    const losses: number[] = [];
    let looked = false;
    const fitted = await member.model.fit({
      panel: panelWithin(selectFeatures(panel, member.model.features(member.params)), bars),
      params: member.params,
      trainUntilMs: subject.trainUntilMs,
      seed,
      signal: subject.signal,
      onProgress({ loss, validationLoss, figures = {} }) {
        looked ||=
          validationLoss !== undefined || Object.keys(figures).some((name) => /validation/i.test(name));
        if (!looked && loss !== undefined) losses.push(loss);
      },
    });
    return { member, fitted, weightHash: artifactHash(fitted.save()), losses };
  };
  return {
    tried: learning.filter(({ seconds }) => seconds <= mostSeconds),
    tooSlow: learning.filter(({ seconds }) => seconds > mostSeconds),
    again: (member) => {
      const found = known.get(member) ?? fit(member, subject.panel, member.seed);
      known.set(member, found);
      return found;
    },
    on: async (member, panel, seed = member.seed) => {
      try {
        return await fit(member, panel, seed);
      } catch (error) {
        if (error instanceof UserError && !subject.signal.aborted) return undefined;
        throw error;
      }
    },
  };
}
