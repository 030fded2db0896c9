import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { MOMENTS } from '../../support/killing-disk.ts';
import { type Action, cellOf, type FaultName, SCRIPT } from './cells.ts';
import type { Life } from './life.ts';
import { expectTruth, loopbackVenue, runScript, startLoopback } from './rig.ts';

/** `life.ts` as JavaScript, which starts in a third of the time; whoever asks for it removes its folder. */
export async function bundleLife(): Promise<string> {
  // Below node_modules, where the packages that it imports are found.
  const outDir = join(import.meta.dirname, `../../../node_modules/.cache/live-storm-${process.pid}`);
  await build({
    configFile: false,
    logLevel: 'warn',
    build: { ssr: join(import.meta.dirname, 'life.ts'), outDir, emptyOutDir: true, target: 'node20' },
  });
  return join(outDir, 'life.js');
}

/**
 * One session on the loopback exchange, under the faults of a cell, in processes that are killed with SIGKILL one after another:
 * each at one of its first writes or syncs, before, in the middle of or after it, as the seed says. What is left after `most` kills
 * is brought to its end in this process, which sees two more bars: what no life got done is made good there. Throws when ledger and exchange differ then; returns how often it was killed.
 */
export async function killThrough(of: {
  readonly action: Action;
  readonly faults: readonly FaultName[];
  readonly seed: number;
  readonly most: number;
  /** A process gets at most this many of them done. */
  readonly operations: number;
  /** From `bundleLife`. */
  readonly life: string;
}): Promise<{ readonly kills: number; readonly fills: number }> {
  const random = createRandom(of.seed);
  const folder = mkdtempSync(join(tmpdir(), 'live-storm-'));
  const exchange = await startLoopback();
  const { faults, session } = cellOf(of.action, of.faults);
  const timeoutMs = of.faults.includes('no answer in time') ? 500 : 10_000;
  exchange.setFaults(faults);
  let kills = 0;
  const begin = (): ChildProcess => fork(of.life, { execArgv: [] });
  // The next process loads while one runs.
  let next = begin();
  try {
    while (kills < of.most) {
      const child = next;
      next = begin();
      const life: Life = {
        url: exchange.url,
        folder,
        action: of.action,
        timeoutMs,
        fatal: Math.floor(of.operations * random()),
        moment: MOMENTS[Math.floor(3 * random())],
      };
      const ended = new Promise<[number | null, string | null]>((resolve) =>
        child.once('exit', (...how) => resolve(how)),
      );
      child.send(life);
      const [code, signal] = await ended;
      if (code === 0) break;
      if (signal !== 'SIGKILL') throw new Error(`a life after ${kills} kills ended with ${code}`);
      kills++;
    }
    const venue = await loopbackVenue(exchange, timeoutMs);
    const ledger = await runScript(exchange, [...SCRIPT, [null, null], [null, null]], {
      folder,
      venue,
      session,
    });
    expectTruth(exchange, ledger);
    if (ledger.state.halt !== undefined) throw new Error(`trading is stopped: ${ledger.state.halt}`);
    if (ledger.state.account.positions().length > 0) throw new Error('something is held in the end');
    const working = exchange.books.orders().filter(({ status }) => /NEW|PARTIALLY/.test(status));
    if (working.length > 0) throw new Error(`${working.length} orders still work in the end`);
    return { kills, fills: exchange.books.fills().length };
  } finally {
    next.kill('SIGKILL');
    await exchange.close();
    rmSync(folder, { recursive: true });
  }
}
