import { CommanderError } from 'commander';
import { CheckFailed, UserError } from '../../core/foundation/errors.ts';
import { explainSystemError } from '../../data/file-errors.ts';

/** The reason that the signal of a command carries after Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** An option's value that cannot be right: the command line, not the world, has to change (exit code 2). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Failure {
  readonly exitCode: number;
  readonly kind: 'user' | 'usage' | 'check' | 'interrupted' | 'bug';
  readonly message: string;
  readonly hint?: string;
}

/** What an error means to the caller of the program: docs/cli.md lists the exit codes. */
export function classify(error: unknown): Failure {
  if (error instanceof UserError)
    return { exitCode: 1, kind: 'user', message: error.message, hint: error.hint };
  if (error instanceof UsageError) {
    return { exitCode: 2, kind: 'usage', message: error.message, hint: 'See --help of the command.' };
  }
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? 0 : 2, kind: 'usage', message: error.message };
  if (error instanceof CheckFailed) return { exitCode: 3, kind: 'check', message: error.message };
  if (error instanceof Interrupted) return { exitCode: 130, kind: 'interrupted', message: 'Interrupted.' };
  // The last net: a file that cannot be read or written is never a fault of the program.
  const unreachable = explainSystemError(error);
  if (unreachable !== undefined)
    return { exitCode: 1, kind: 'user', message: unreachable.message, hint: unreachable.hint };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: 70,
    kind: 'bug',
    message: stack,
    hint: 'This is a bug in crypto-trader, not something you did. Please report it with the lines above.',
  };
}
