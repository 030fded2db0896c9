import { resumeSession, startSession } from '../../../src/desk/paper/session.ts';
import { randomWalk, session, steps } from '../paper/walk.ts';

export interface PaperWorld {
  readonly folder: string;
  readonly bars: number;
  readonly seed: number;
}

/** A session over a walk, from where it stands to its end. */
export async function live({ folder, bars, seed }: PaperWorld): Promise<void> {
  const options = { snapshotEveryBars: 5 };
  const running = (await resumeSession(folder, options)) ?? (await startSession(folder, session, options));
  for (const { bar, decision } of steps(randomWalk(bars, seed)))
    await running.process(bar, decision, bar.timeMs);
  await running.close();
}
