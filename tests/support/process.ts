import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

const bin = resolve(import.meta.dirname, '../../bin/crypto-trader.js');

/** A process of the program, and what it prints as it comes. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** The first group of the first match in what it told on stderr, or the whole match; rejects when it ends without one. */
  says(pattern: RegExp): Promise<string>;
  told(): string;
  printed(): string;
}

/** Starts the program in `folder` with nothing in its environment but PATH and `environment`. */
export function startProgram(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Running {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [told, printed] = ['', ''];
  const looks = new Set<() => void>();
  const look = (): void => looks.forEach((one) => one());
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    look();
  });
  const ended = new Promise<number | null>((done) =>
    child.once('close', (status) => {
      look();
      done(status);
    }),
  );
  const says = (pattern: RegExp): Promise<string> =>
    new Promise((found, never) => {
      const one = (): void => {
        const match = pattern.exec(told);
        if (match !== null) found(match[1] ?? match[0]);
        else if (child.exitCode !== null || child.signalCode !== null)
          never(new Error(`ended without ${pattern}: ${told}`));
        else return;
        looks.delete(one);
      };
      looks.add(one);
      one();
    });
  return { child, ended, says, told: () => told, printed: () => printed };
}
