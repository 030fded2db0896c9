import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchRow, medianMs } from './bench.ts';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
/** Whole-process times, as a user at a prompt feels them. */
export async function run(): Promise<readonly BenchRow[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'bench-cli-'));
  const cli = (...args: string[]): unknown =>
    execFileSync(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  const fetchUntil = (until: string): unknown =>
    cli('fetch', '--source', 'synthetic', '--since', '2024-02-15', '--until', until);
  try {
    writeFileSync(join(cwd, 'config.yaml'), 'exchange: { id: synthetic }\n');
    fetchUntil('2026-02-13T00:00:00Z');
    cli('train', '--mode', 'quick', '--allow-synthetic');
    const bare = await medianMs(() => execFileSync(process.execPath, ['-e', '0']));
    const help = await medianMs(() => cli('--help'));
    const signals = (): Promise<number> => timedMs(() => cli('signals'));
    const first = await signals();
    const again = await medianMs(() => cli('signals'));
    const later: number[] = [];
    for (let hour = 1; hour <= 5; hour++) {
      fetchUntil(`2026-02-13T0${hour}:00:00Z`);
      later.push(await signals());
    }
    later.sort((a, b) => a - b);
    const empty = { name: 'an empty Node process', value: bare / 1000 };
    const bars = '3 x 17 500 stored bars, quickly trained models of every kind';
    return [
      { name: 'crypto-trader --help', value: help / 1000, unit: 's', target: '<= 0.1 s', peer: empty },
      {
        name: 'signals of all models, the first time',
        value: first / 1000,
        unit: 's',
        peer: empty,
        note: `${bars}; every validation bar is forecast`,
      },
      {
        name: 'signals of all models, cold, nothing new',
        value: again / 1000,
        unit: 's',
        target: '<= 0.6 s',
        peer: empty,
        note: bars,
      },
      {
        name: 'signals of all models, cold, one bar later',
        value: later[2] / 1000,
        unit: 's',
        target: '<= 0.6 s',
        peer: empty,
        note: `median of 5 bars; every model is opened and asked for one bar`,
      },
    ];
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

async function timedMs(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
