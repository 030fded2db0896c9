import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';

const Figures = z.record(z.string(), z.number());

/**
 * Figures that a script of this folder prints as JSON, or `undefined` when there is no Python with what it
 * imports. `BENCH_PYTHON` names the interpreter, default `python3`.
 */
export function runPeer(script: string, args: readonly string[] = []): z.output<typeof Figures> | undefined {
  const python = process.env['BENCH_PYTHON'] ?? 'python3';
  const { status, stdout } = spawnSync(python, [join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? Figures.parse(JSON.parse(stdout)) : undefined;
}
