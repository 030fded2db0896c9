import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { type BenchRow, medianMs } from './bench.ts';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');

/** Whole-process times, as a user at a prompt feels them. */
export async function run(): Promise<readonly BenchRow[]> {
  const bare = await medianMs(() => execFileSync(process.execPath, ['-e', '0']));
  const help = await medianMs(() => execFileSync(process.execPath, [bin, '--help']));
  return [
    {
      name: 'crypto-trader --help',
      value: help / 1000,
      unit: 's',
      target: '<= 0.2 s',
      peer: { name: 'an empty Node process', value: bare / 1000 },
    },
  ];
}
