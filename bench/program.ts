import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a process took from its start to its end. */
export interface Usage {
  readonly peakMb: number;
  readonly cpuSeconds: number;
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts `crypto-trader` as a user would, in `cwd` and a process of its own. */
export function startProgram(args: readonly string[], cwd: string): ChildProcess {
  mkdirSync(cwd, { recursive: true });
  return spawn(process.execPath, ['--import', path('usage.mjs'), path('../bin/crypto-trader.js'), ...args], {
    cwd,
    stdio: 'ignore',
    env: { ...process.env, USAGE_FILE: join(cwd, 'usage.json') },
  });
}

/** Throws when the program fails. */
export async function runProgram(args: readonly string[], cwd: string): Promise<Usage> {
  const child = startProgram(args, cwd);
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${args[0]} ended with exit code ${child.exitCode}`);
  return JSON.parse(readFileSync(join(cwd, 'usage.json'), 'utf8')) as Usage;
}
