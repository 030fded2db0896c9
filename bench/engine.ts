/**
 * Training and inference against PyTorch. The peer runs when a Python with torch is found: `TORCH_PYTHON`, else
 * `python3`. Each workload runs in a process of its own on both sides; PyTorch gets the better of 1 and 2 threads.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchRow } from './bench.ts';

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

export async function run(): Promise<readonly BenchRow[]> {
  const python = torchPython();
  const bound = ours('gemm').ms;
  return WORKLOADS.flatMap(({ key, label, target }): BenchRow[] => {
    const own = ours(key);
    const peer =
      python === undefined ? undefined : fastest([1, 2].map((threads) => torch(python, key, threads)));
    const rows: BenchRow[] = [
      {
        name: label,
        value: own.ms,
        unit: 'ms',
        target,
        ...(peer ? { peer: { name: 'PyTorch', value: peer.ms } } : {}),
      },
      {
        name: `${key}: peak memory`,
        value: own.peakMb,
        unit: 'MB',
        target: '<= peer',
        ...(peer ? { peer: { name: 'PyTorch', value: peer.peakMb } } : {}),
      },
    ];
    if (key === 'lstm')
      rows.push(
        {
          name: 'LSTM step against its GEMMs',
          value: own.ms,
          unit: 'ms',
          target: '<= 1.5 x',
          peer: { name: 'GEMM bound', value: bound },
        },
        { name: 'LSTM: trace, compile, open', value: own.openMs, unit: 'ms', target: '<= 3000 ms' },
      );
    return rows;
  });
}

function ours(workload: string): Figures {
  const script = join(here, 'engine/one.ts');
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, workload], { encoding: 'utf8' });
  return JSON.parse(output) as Figures;
}

function torch(python: string, workload: string, threads: number): Figures {
  const script = join(here, 'peers/engine_torch.py');
  return JSON.parse(
    execFileSync(python, [script, workload, String(threads)], { encoding: 'utf8' }),
  ) as Figures;
}

const fastest = (list: readonly Figures[]): Figures =>
  list.reduce((best, one) => (one.ms < best.ms ? one : best));

function torchPython(): string | undefined {
  const python = process.env.TORCH_PYTHON ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    return python;
  } catch {
    return undefined;
  }
}
