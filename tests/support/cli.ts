import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const bin = resolve(import.meta.dirname, '../../bin/crypto-trader.js');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program as a user would, in `cwd`, with nothing of this process's environment but PATH. */
export const runCli = (args: readonly string[], options: RunOptions): Promise<Finished> =>
  runCommand(process.execPath, [bin, ...args], options);

interface RunOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Any other program, in the same surroundings. */
export function runCommand(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const env = { PATH: process.env['PATH'], TZ: 'Asia/Kolkata', ...options.environment };
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', fail).once('close', (status) => done({ status, stdout, stderr }));
  });
}
