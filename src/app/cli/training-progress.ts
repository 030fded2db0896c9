import type { TrainingEvent } from '../../learning/training/journal.ts';
import type { ProgressTask } from './output.ts';

/** A bar a model: its steps, with loss and pace. */
export function showProgress(
  task: (label: string, total: number) => ProgressTask,
): (event: TrainingEvent) => void {
  const bars = new Map<
    string,
    { readonly bar: ProgressTask; readonly steps: number; readonly last: string }
  >();
  return (event) => {
    if (event.kind === 'progress') {
      const bar = bars.get(event.model)?.bar ?? task(event.model, event.steps);
      const last = notes(event);
      bars.set(event.model, { bar, steps: event.steps, last });
      // The last step is said once, when the model is finished.
      if (event.step < event.steps) bar.update(event.step, last, event.etaSeconds);
    } else if (event.kind === 'model-finished') {
      const started = bars.get(event.model);
      const done = `done in ${event.seconds.toFixed(1)} s`;
      started?.bar.update(started.steps, started.last === '' ? done : `${done}, ${started.last}`);
    }
  };
}

function notes(event: Extract<TrainingEvent, { kind: 'progress' }>): string {
  const parts: string[] = [];
  if (event.epoch !== undefined) parts.push(`epoch ${event.epoch}`);
  if (event.loss !== undefined) parts.push(`loss ${event.loss.toPrecision(4)}`);
  if (event.validationLoss !== undefined) parts.push(`validation ${event.validationLoss.toPrecision(4)}`);
  if (event.learningRate !== undefined) parts.push(`rate ${event.learningRate.toExponential(1)}`);
  if (event.samplesPerSecond !== undefined) parts.push(`${Math.round(event.samplesPerSecond)} samples/s`);
  for (const [name, value] of Object.entries(event.figures ?? {}))
    parts.push(`${name} ${Number.isInteger(value) ? value : value.toPrecision(3)}`);
  return parts.join(', ');
}
