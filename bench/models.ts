/**
 * Every deep model at the size of `train --mode full`: training, forecasts, memory, and how long a whole training takes.
 * Each runs in a process of its own; PyTorch, where the Python of `BENCH_PYTHON` has it, gets the better of 1 and 2 threads.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { models } from '../src/learning/models/registry.ts';
import type { BenchRow } from './bench.ts';
import { runPeer } from './peers/run.ts';

/** Three symbols of 17 520 hourly bars. */
const REFERENCE_BARS = 3 * 17_520;
/** Of these the first 70 % are trained on, as the default split does. */
const TRAINED_SHARE = 0.7;

const Figures = z.object({
  samplesPerSecond: z.number(),
  openMs: z.number(),
  firstStepMs: z.number(),
  forecastMs: z.number(),
  windows: z.number(),
  peakMb: z.number(),
});

/** Networks that bench/peers/models_torch.py has too. */
const TARGETS: Readonly<Record<string, { readonly training: string; readonly forecasts: string }>> = {
  tft: { training: '>= 3.5 x peer', forecasts: '<= 60 s' },
  'lstm-cnn': { training: '>= 2 x peer', forecasts: '<= 20 s' },
};

export async function run(): Promise<readonly BenchRow[]> {
  return models.filter(({ kind }) => kind === 'deep').flatMap(({ id, params }) => measure(id, params));
}

function measure(id: string, params: z.ZodType): BenchRow[] {
  const script = join(import.meta.dirname, 'models/one.ts');
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, id], { encoding: 'utf8' });
  const own = Figures.parse(JSON.parse(output));
  const target = TARGETS[id];
  const [peer] = (target ? [1, 2] : [])
    .map((threads) => runPeer('models_torch.py', [id, String(threads)]))
    .filter((figures) => figures !== undefined)
    .toSorted((a, b) => b['samplesPerSecond'] - a['samplesPerSecond']);
  const beside = (figure: string): Pick<BenchRow, 'peer'> =>
    peer ? { peer: { name: 'PyTorch', value: peer[figure] } } : {};
  const { epochs } = z.object({ epochs: z.number() }).parse(params.parse({}));
  const hours = (epochs * REFERENCE_BARS * TRAINED_SHARE) / own.samplesPerSecond / 3600;
  return [
    {
      name: `${id}: training`,
      value: own.samplesPerSecond,
      unit: 'windows/s',
      ...(target && { target: target.training }),
      ...beside('samplesPerSecond'),
    },
    {
      name: `${id}: peak memory of training`,
      value: own.peakMb,
      unit: 'MB',
      ...(peer && { target: '<= peer' }),
      ...beside('peakMb'),
    },
    {
      name: `${id}: until the first step`,
      value: own.openMs,
      unit: 'ms',
      target: '<= 3 s (session creation)',
      note: `windows, trace, compile, open; the step itself ${own.firstStepMs.toFixed(0)} ms`,
    },
    {
      name: `${id}: full training on 3 x 17 520 bars`,
      value: hours,
      unit: 'h',
      note: `projected: ${epochs} epochs, validation and early stopping left out`,
    },
    {
      name: `${id}: forecasts of 3 x 17 520 bars`,
      value: own.forecastMs / 1000,
      unit: 's',
      note: `${own.windows} windows`,
      ...(target && { target: target.forecasts }),
    },
  ];
}
