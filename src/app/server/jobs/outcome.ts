import { z } from 'zod';

const Failure = z.object({
  error: z.object({
    kind: z.enum(['user', 'usage', 'check', 'interrupted', 'bug']),
    message: z.string(),
    hint: z.string().optional(),
  }),
});
export type Failure = z.output<typeof Failure>['error'];

/**
 * What a command printed under `--json`: its document, the reason it failed, or first the one and then the other when its own
 * check failed; neither when it was killed.
 */
export function answersOf(text: string): {
  readonly document: unknown;
  readonly error: Failure | undefined;
} {
  let document: unknown;
  let error: Failure | undefined;
  // Documents are indented: only their first and last lines begin with a bracket.
  for (const part of text.split(/(?<=^[\]}])\n(?=[[{])/m)) {
    const value = parsed(part);
    const failure = Failure.safeParse(value);
    if (failure.success) error = failure.data.error;
    else if (value !== undefined) document = value;
  }
  return { document, error };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
