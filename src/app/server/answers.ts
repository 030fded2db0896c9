import type { Context } from 'hono';
import { UserError } from '../../core/foundation/errors.ts';
import { explainSystemError } from '../../data/file-errors.ts';

/** What was asked for does not exist: 404. */
export class NotFound extends UserError {}

/** It exists and cannot be had now: 409. */
export class Conflict extends UserError {}

export interface Fault {
  readonly kind: 'user' | 'usage' | 'check' | 'interrupted' | 'bug' | 'refused';
  readonly message: string;
  readonly hint?: string | undefined;
}

type RefusalStatus = 400 | 401 | 403 | 404 | 408 | 413 | 415 | 421 | 429 | 500 | 503;

/** An error as the documents of `--json` have it. */
export const refusal = (
  c: Context,
  status: RefusalStatus,
  message: string,
  hint: string,
  headers: Readonly<Record<string, string>> = {},
): Response => c.json({ error: { kind: 'refused', message, hint } satisfies Fault }, status, headers);

/** What an error of the work behind a route means over HTTP; `undefined`: a bug of ours. */
export function faultOf(
  error: unknown,
): { readonly status: 400 | 404 | 409; readonly fault: Fault } | undefined {
  const explained = error instanceof UserError ? error : explainSystemError(error);
  if (explained === undefined) return undefined;
  const status = error instanceof NotFound ? 404 : error instanceof Conflict ? 409 : 400;
  return { status, fault: { kind: 'user', message: explained.message, hint: explained.hint } };
}
