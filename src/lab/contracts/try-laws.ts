import { setImmediate } from 'node:timers/promises';
import type { Verdict } from './verdict.ts';

/** Law after law, whether it holds; throws `signal.reason` between two of them when aborted. */
export async function* tryLaws<Subject>(
  laws: Readonly<Record<string, (subject: Subject) => Promise<void>>>,
  subject: Subject,
  { signal }: { readonly signal?: AbortSignal },
): AsyncGenerator<Verdict> {
  for (const [law, holds] of Object.entries(laws)) {
    await setImmediate();
    signal?.throwIfAborted();
    yield await holds(subject).then(
      (): Verdict => ({ law, kind: 'kept' }),
      (error: unknown): Verdict => ({
        law,
        kind: 'broken',
        reason: error instanceof Error ? error.message : String(error),
      }),
    );
  }
}
