import { selectFeatures } from '../../core/dataset/panel.ts';
import type { Adapted } from '../../core/forecast/model.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { giveWay } from '../../data/turns.ts';
import type { Store } from '../../data/store/store.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { activateRun, runInUse } from '../../learning/training/active-run.ts';
import { saveAdaptedRun } from '../../learning/training/adapted-run.ts';
import { loadTrained, loadTrainedPanel } from '../../learning/training/checkpoints.ts';
import { findRun, requireRunName } from '../../learning/training/run-folder.ts';

/** What adapting came to for one model. */
export interface AdaptedModel {
  readonly id: string;
  readonly supportWindows: number;
  readonly queryWindows: number;
  /** Mean losses of windows that it did not learn from: before, and after all steps. */
  readonly lossBefore: number;
  readonly lossAfter: number;
  /** The later loss is the lower one: it is in the new run as it is now, else as it was. */
  readonly kept: boolean;
}

/** A run adapted to its newest bars: what became of each of its models. */
export interface AdaptedRun {
  readonly base: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly synthetic: boolean;
  readonly models: readonly AdaptedModel[];
  /** Models that cannot adapt, and why. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  /** Name of the new run; `undefined` when no model was better. */
  readonly runId: string | undefined;
  readonly activated: boolean;
}

/**
 * Adapts the networks of a run to its newest bars, a few steps on a few windows each, and keeps those that are better on the
 * windows after them as a new run. Throws `UserError` when none can be adapted, and `signal.reason` when aborted.
 */
export async function adaptRun(options: {
  readonly checkpointDir: string;
  readonly store: Store;
  readonly registry: Registry;
  /** Name or folder; default: the active one. */
  readonly run?: string | undefined;
  /** How far back the bars to adapt to reach. */
  readonly spanMs: number;
  readonly steps?: number | undefined;
  readonly rate?: number | undefined;
  /** Of the new run; default: made of the base and the time. */
  readonly name?: string | undefined;
  /** Make the new run the active one. */
  readonly activate: boolean;
  readonly signal: AbortSignal;
}): Promise<AdaptedRun> {
  const { checkpointDir, store, registry, signal, steps, rate } = options;
  if (options.name !== undefined) requireRunName(options.name);
  const base = await runInUse(checkpointDir, options.run);
  const trained = await loadTrained(checkpointDir, { runId: base.path, registry });
  const panel = await loadTrainedPanel(store, trained);
  const sinceMs = panel.untilMs - options.spanMs;
  const adapted = new Map<string, Adapted>();
  const models: AdaptedModel[] = [];
  const skipped: { id: string; reason: string }[] = [];
  try {
    for (const { id, model, fitted, manifest } of trained.members) {
      if (model.adapt === undefined) continue;
      await giveWay(signal);
      try {
        const own = selectFeatures(panel, manifest.features);
        const result = await model.adapt(fitted.save(), { panel: own, sinceMs, steps, rate, signal });
        const [lossBefore, lossAfter] = [result.queryLosses[0], result.queryLosses.at(-1) ?? NaN];
        const { supportWindows, queryWindows } = result;
        const kept = lossAfter < lossBefore;
        models.push({ id, supportWindows, queryWindows, lossBefore, lossAfter, kept });
        if (kept) adapted.set(id, result);
        else result.fitted.dispose?.();
      } catch (error) {
        if (!(error instanceof UserError) || signal.aborted) throw error;
        skipped.push({ id, reason: error.message });
      }
    }
    if (models.length === 0)
      throw new UserError(`No model of the run "${base.runId}" could be adapted.`, {
        hint:
          skipped.map(({ id, reason }) => `${id}: ${reason}`).join('\n') ||
          'Networks adapt: train one first, such as crypto-trader train --models gru.',
      });
    const about = {
      base: base.runId,
      sinceMs,
      untilMs: panel.untilMs,
      synthetic: panel.synthetic,
      models,
      skipped,
    };
    if (adapted.size === 0) return { ...about, runId: undefined, activated: false };
    const name =
      options.name ?? `${base.runId}-adapted-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
    requireRunName(name);
    const { runId } = await saveAdaptedRun(base, trained, adapted, { checkpointDir, name, panel, signal });
    if (options.activate)
      await activateRun(checkpointDir, await findRun(checkpointDir, runId), async () => {});
    return { ...about, runId, activated: options.activate };
  } finally {
    for (const { fitted } of [...trained.members, ...adapted.values()]) fitted.dispose?.();
  }
}
