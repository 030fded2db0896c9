import { z } from 'zod';
import { nodeDisk } from '../../../src/data/files.ts';
import { killingDisk, MOMENTS } from '../../support/killing-disk.ts';
import { type Action, ACTIONS, cellOf, SCRIPT } from './cells.ts';
import { lastPrices, loopbackVenue, runScript } from './rig.ts';

/** What a parent tells this process to do: one life of a live session, up to its end or to operation number `fatal` on the disk. */
export const Life = z.object({
  url: z.string(),
  folder: z.string(),
  action: z.custom<Action>((name) => typeof name === 'string' && name in ACTIONS),
  timeoutMs: z.number(),
  fatal: z.number().optional(),
  moment: z.enum(MOMENTS),
});
export type Life = z.output<typeof Life>;

/** The clock of an exchange in another process: moved here, and there before anything else is asked of it. */
async function remoteClock(url: string) {
  const order = async (body: string): Promise<number> => {
    const answer = await fetch(`${url}/__clock`, { method: 'POST', body });
    return z.object({ nowMs: z.number() }).parse(await answer.json()).nowMs;
  };
  let nowMs = await order('');
  let told: Promise<unknown> = Promise.resolve();
  return {
    clock: {
      now: () => nowMs,
      set: (timeMs: number) => {
        nowMs = timeMs;
        told = told.then(() => order(JSON.stringify({ nowMs: timeMs })));
      },
      setSpeed: () => undefined,
    },
    told: () => told,
  };
}

async function live({ url, folder, action, timeoutMs, fatal, moment }: Life): Promise<void> {
  const { clock, told } = await remoteClock(url);
  const venue = await loopbackVenue({ url }, timeoutMs);
  const patient = new Proxy(venue, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await told();
        return Reflect.apply(method, target, args);
      };
    },
  });
  await runScript({ url, clock }, SCRIPT, {
    folder,
    venue: patient,
    session: cellOf(action, []).session,
    disk: fatal === undefined ? nodeDisk : killingDisk(fatal, moment),
    options: {
      prices: async (symbols) => {
        await told();
        return lastPrices({ url }, symbols);
      },
    },
  });
}

process.once('message', (asked) => {
  live(Life.parse(asked)).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
