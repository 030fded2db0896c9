import { UserError } from '../../core/foundation/errors.ts';
import type { BarFeed } from '../../desk/paper/feed.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';

/** The models of a session and the feed that decides by them. */
interface Decided {
  readonly trained: TrainedSet;
  readonly feed: BarFeed;
}

/**
 * Decides by whichever run is active when a bar closes: a run that was promoted or rolled back takes over between two bars, without
 * a restart. One that cannot (other pairs, another bar length, damaged) is named once, and the session goes on with what it has.
 */
export function followActive(
  first: Decided,
  {
    active,
    open,
    onChange,
    onRefused,
  }: {
    /** The run that is active now. */
    readonly active: () => Promise<string | undefined>;
    /** Throws `UserError` when the run cannot decide in this session. */
    readonly open: (runId: string) => Promise<Decided>;
    readonly onChange: (runId: string) => void;
    readonly onRefused: (runId: string, why: UserError) => void;
  },
): BarFeed & { readonly trained: TrainedSet; dispose(): void } {
  let current = first;
  let refused: string | undefined;
  const dispose = (): void => {
    for (const { fitted } of current.trained.members) fitted.dispose?.();
  };
  return {
    /** The models that decide now. */
    get trained() {
      return current.trained;
    },
    look: async (last, signal) => {
      const now = await active();
      if (now !== undefined && now !== current.trained.runId && now !== refused) {
        try {
          const next = await open(now);
          dispose();
          current = next;
          refused = undefined;
          onChange(now);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refused = now;
          onRefused(now, error);
        }
      }
      return current.feed.look(last, signal);
    },
    dispose,
  };
}
