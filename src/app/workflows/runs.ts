import { formatTime } from '../../core/foundation/time.ts';
import type { RunFolder } from '../../learning/training/run-folder.ts';

/** A training run as `models list --json` shows it; `active`: the id of the run in use. */
export const describeRun = ({ runId, path, plan, result }: RunFolder, active: string | undefined) => ({
  runId,
  checkpoint: path,
  active: runId === active,
  mode: plan.mode,
  seed: plan.seed,
  exchange: plan.exchange,
  symbols: plan.symbols,
  timeframe: plan.timeframe,
  synthetic: plan.synthetic,
  trainUntil: formatTime(plan.trainUntilMs),
  validateUntil: formatTime(plan.validateUntilMs),
  complete: result !== undefined,
  models: result?.models,
  ensemble: result?.ensemble,
  noSkill: result?.noSkill,
  baselines: result?.baselines,
});
