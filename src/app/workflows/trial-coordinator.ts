import type { z } from 'zod';
import type { Study } from '../../lab/tuning/study.ts';
import type { KeptTrial } from '../../lab/tuning/study-journal.ts';
import { type DeskRequest, giveWork, inTurn, Refused } from './work-desk.ts';
import { EndReport, StepReport } from './work-protocol.ts';

interface CoordinatorTask extends DeskRequest {
  readonly study: Study;
  /** Folder of the study: one coordinator at a time. */
  readonly folder: string;
  /** Stop when so many trials have been started. */
  readonly trials: number;
  readonly onTrial: (trial: KeptTrial) => void;
}

/**
 * Lets workers on any machine measure the trials of a study: what is found out goes into the journal, which alone counts. Returns when
 * the study has its trials; throws `signal.reason`.
 */
export async function coordinateTrials(task: CoordinatorTask): Promise<void> {
  const { study, folder, trials } = task;
  /** Of each open trial, what was answered about its steps. */
  const steps = new Map<number, Map<number, boolean>>();
  const turn = inTurn();
  const stepsOf = (number: number): Map<number, boolean> => {
    const known = steps.get(number);
    if (known === undefined) throw new Refused(410, `trial ${number} is not wanted any more`);
    return known;
  };
  const takeStep = async (number: number, { step, value }: z.output<typeof StepReport>) => {
    const known = stepsOf(number);
    const before = known.get(step);
    if (before !== undefined) return { prune: before };
    const { prune } = await study.report(number, step, value ?? NaN);
    known.set(step, prune);
    return { prune };
  };
  let more = true;
  await giveWork({
    ...task,
    lock: { folder, purpose: 'giving the trials of this study to workers' },
    name: study.settings.name,
    work: { kind: 'trials', settings: study.settings },
    async next() {
      const trial = more ? await study.ask(trials) : undefined;
      if (trial === undefined) {
        more = false;
        return undefined;
      }
      steps.set(trial.number, new Map());
      return String(trial.number);
    },
    async answer({ method, kind, id, what, body }, open) {
      if (kind !== 'trials' || !/^\d{1,9}$/.test(id)) return undefined;
      const number = Number(id);
      if (method === 'GET' && what === undefined) {
        stepsOf(number);
        return { number, params: study.trials()[number].params };
      }
      if (method === 'POST' && what === 'steps') {
        const report = await body(StepReport);
        return turn(() => takeStep(number, report));
      }
      if (method !== 'POST' || what !== 'end') return undefined;
      const { worker: _, reason, ...outcome } = await body(EndReport);
      return turn(async () => {
        // A second answer about the same trial is thanked for and forgotten.
        if (!steps.has(number)) return {};
        await study.tell(number, { ...outcome, ...(reason !== undefined && { reason }) });
        steps.delete(number);
        task.onTrial(study.trials()[number]);
        open.close(id);
        return {};
      });
    },
  });
}
