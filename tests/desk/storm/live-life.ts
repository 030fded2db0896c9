import type { Venue } from '../../../src/data/exchange/venue.ts';
import { cellOf, SCRIPT, type Action } from '../live/cells.ts';
import { runScript } from '../live/rig.ts';
import type { Ask } from './life.ts';

export interface LiveWorld {
  readonly folder: string;
  readonly action: Action;
  readonly url: string;
  readonly nowMs: number;
}

/** A session over the script, from where it stands to its end; the exchange and its clock lie in the other process. */
export async function live({ folder, action, url, nowMs }: LiveWorld, ask: Ask): Promise<void> {
  const venue = new Proxy(
    {},
    {
      get: (_, name) =>
        name === 'then' || name === 'deadMan'
          ? undefined
          : (...args: unknown[]) => ask(String(name), ...args.filter((arg) => !(arg instanceof AbortSignal))),
    },
  ) as Venue;
  let here = nowMs;
  const clock = {
    now: () => here,
    set: (timeMs: number) => {
      here = timeMs;
      void ask('clock', timeMs);
    },
    setSpeed: () => undefined,
  };
  await runScript({ url, clock }, SCRIPT, {
    folder,
    venue,
    session: cellOf(action, []).session,
    options: { prices: (symbols) => ask('prices', symbols) as Promise<number[]> },
  });
}
