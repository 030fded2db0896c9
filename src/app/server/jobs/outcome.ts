import { z } from 'zod';

const Failed = z.looseObject({
  error: z.object({
    kind: z.enum(['user', 'usage', 'check', 'interrupted', 'bug']),
    message: z.string(),
    hint: z.string().optional(),
  }),
});
export type Failure = z.output<typeof Failed>['error'];

/** What a command printed under `--json`: its document, the reason it failed, or both when its own check failed; neither when it was killed. */
export function answersOf(text: string): {
  readonly document: unknown;
  readonly error: Failure | undefined;
} {
  const printed = parsed(text);
  const failed = Failed.safeParse(printed);
  if (!failed.success) return { document: printed, error: undefined };
  const { error, ...document } = failed.data;
  return { document: Object.keys(document).length === 0 ? undefined : document, error };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
