const TRIES = 5;

/**
 * The least processor time of several runs, in microseconds: what the code takes when nothing else has the processor, on a
 * machine that has other work too.
 */
export function leastMicroseconds(run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

/** The same of what answers later, with all threads that it starts. Twice, for it may take long. */
export async function leastMicrosecondsOf(run: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 2; i++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}
