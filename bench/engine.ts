/**
 * Training and inference against PyTorch, where the Python of `BENCH_PYTHON` has it. Each workload runs in a process
 * of its own on both sides; PyTorch gets the better of 1 and 2 threads.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchRow } from './bench.ts';
import { runPeer } from './peers/run.ts';

interface Figures {
  readonly ms: number;
  readonly peakMb: number;
  readonly openMs: number;
}

const here = import.meta.dirname;
const WORKLOADS = [
  { key: 'mlp', label: 'MLP 20-64-64-1, batch 64, Adam, one step', target: 'peer / 5' },
  { key: 'lstm', label: 'LSTM 2 x 128, 168 steps, batch 128, one step', target: 'peer / 2' },
  { key: 'gru', label: 'GRU 2 x 128, 168 steps, batch 128, one step', target: '< peer' },
  { key: 'transformer', label: 'Transformer encoder d 64, 168 steps, batch 64, one step', target: '< peer' },
  { key: 'lstm-window', label: 'LSTM forecast of one window', target: '<= 5 ms' },
  { key: 'lstm-windows', label: 'LSTM forecast of 17 520 windows', target: 'peer / 2' },
] as const;

/** The products alone of 17 520 windows against those of a training step: 67.4 MFLOP a window, 25.9 GFLOP a step. */
const WINDOWS_PER_STEP = (17_520 * 67.4e6) / 25.9e9;

/** Processes that measure the bound: one alone has run at half the speed of the others. */
const BOUND_RUNS = 3;

export async function run(): Promise<readonly BenchRow[]> {
  const bound = median(Array.from({ length: BOUND_RUNS }, () => ours('products').ms));
  return WORKLOADS.flatMap(({ key, label, target }): BenchRow[] => {
    const own = ours(key);
    const peer = fastest([1, 2].flatMap((threads) => torch(key, threads) ?? []));
    const against = (value: number | undefined): Pick<BenchRow, 'peer'> =>
      value === undefined ? {} : { peer: { name: 'PyTorch', value } };
    const rows: BenchRow[] = [
      { name: label, value: own.ms, unit: 'ms', target, ...against(peer?.ms) },
      {
        name: `${key}: peak memory`,
        value: own.peakMb,
        unit: 'MB',
        target: '<= peer',
        ...against(peer?.peakMb),
      },
      { name: `${key}: trace, compile, open`, value: own.openMs, unit: 'ms', target: '<= 3000 ms' },
    ];
    const products = { lstm: bound, 'lstm-windows': bound * WINDOWS_PER_STEP }[key as string];
    if (products !== undefined)
      rows.push({
        name: `${key} against its products alone`,
        value: own.ms,
        unit: 'ms',
        target: '<= 1.5 x',
        peer: { name: 'GEMM bound', value: products },
      });
    return rows;
  });
}

function ours(workload: string): Figures {
  const script = join(here, 'engine/one.ts');
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, workload], { encoding: 'utf8' });
  return JSON.parse(output) as Figures;
}

function torch(workload: string, threads: number): Pick<Figures, 'ms' | 'peakMb'> | undefined {
  const figures = runPeer('engine_torch.py', [workload, String(threads)]);
  return figures && { ms: figures['ms'], peakMb: figures['peakMb'] };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

const fastest = <T extends { readonly ms: number }>(list: readonly T[]): T | undefined =>
  list.toSorted((a, b) => a.ms - b.ms)[0];
