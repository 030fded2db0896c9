/**
 * Something the user can fix. The command line prints `message` and `hint` and exits with 1.
 * `message` says what was found and what was expected (values in double quotes), `hint` what to do.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly hint: string;

  constructor(message: string, options: { readonly hint: string; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** A run that finished but failed its own check (a damaged store, a leaking feature): exit code 3. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/** Throws our own bug, with its stack, when a law of the program does not hold. */
export function invariant(condition: boolean, law: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${law}`);
}
