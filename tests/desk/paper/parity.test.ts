import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { nodeDisk } from '../../../src/data/files.ts';
import { readLedger } from '../../../src/desk/paper/ledger.ts';
import { compareWithBacktest, type Hindsight, type ParityCause } from '../../../src/desk/paper/parity.ts';
import type { BarRecord } from '../../../src/desk/paper/record.ts';
import { resumeSession, startSession } from '../../../src/desk/paper/session.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { randomWalk, session, type Step, steps } from './walk.ts';

/** The same disk without waiting for it: what is proved here is not durability. */
const hastyDisk = {
  ...nodeDisk,
  open: async (...args: Parameters<typeof nodeDisk.open>) => {
    const handle = await nodeDisk.open(...args);
    handle.datasync = async () => undefined;
    return handle;
  },
};

/** The ledger of a session over `all`, restarted before the bars of `restarts`. */
async function traded(all: readonly Step[], restarts: ReadonlySet<number> = new Set()) {
  const folder = join(temporaryFolder(), 'session');
  let running = await startSession(folder, session, { disk: hastyDisk });
  for (const [i, { bar, decision }] of all.entries()) {
    if (restarts.has(i)) {
      await running.close();
      // Without its snapshot a session comes back as after a kill: by replaying every bar.
      if (i % 2 === 1) rmSync(join(folder, 'snapshot.json'), { force: true });
      const resumed = await resumeSession(folder, { disk: hastyDisk });
      if (resumed === undefined) throw new Error('no session');
      running = resumed;
    }
    await running.process(bar, decision, bar.timeMs);
  }
  await running.close();
  return readLedger(folder);
}

const hindsightOf = (all: readonly Step[]): Hindsight => ({
  bars: all.map(({ bar }) => bar),
  targets: all.map(({ decision }) => decision.targets),
  runId: 'run',
  instruments: session.instruments,
});

describe('a session beside a backtest of its bars', () => {
  it('differs in no trade over 5 000 bars with 40 restarts', async () => {
    const all = steps(randomWalk(5000, 8));
    const random = createRandom(9);
    const restarts = new Set(Array.from({ length: 40 }, () => Math.floor(5000 * random())));
    const { bars } = await traded(all, restarts);
    const parity = compareWithBacktest(session, bars, hindsightOf(all));
    expect(parity.differences).toEqual([]);
    expect(parity.sessionTrades).toBeGreaterThan(200);
    expect(parity.backtestEquity).toBe(parity.sessionEquity);
    expect(Object.values(parity.affectedBars)).toEqual([0, 0, 0, 0, 0, 0]);
  }, 240_000);

  const all = steps(randomWalk(400, 8));
  /** The first bar with an opinion that changes what is held soon after it. */
  const at = all.findIndex(({ decision }) => decision.targets[0] === 1);
  const changed = (change: (step: Step) => Step): readonly Step[] =>
    all.map((step, i) => (i === at ? change(step) : step));
  const decided = (change: Partial<BarRecord>) => (step: Step) => ({
    ...step,
    decision: { ...step.decision, ...change },
  });
  const base = hindsightOf(all);

  const cases: readonly (readonly [ParityCause, readonly Step[], Hindsight])[] = [
    ['missed-bars', changed(decided({ decision: 'missed' })), base],
    ['paused', changed(decided({ decision: 'paused' })), base],
    ['paused', changed(decided({ decision: 'flattened' })), base],
    ['forecasts', changed(decided({ targets: [0.25, null] })), base],
    ['changed-models', changed(decided({ targets: [0.25, null], runId: 'other' })), base],
    [
      'candles',
      all,
      {
        ...base,
        bars: base.bars.map((bar, i) =>
          i === at + 1
            ? { ...bar, candles: bar.candles.map((candle) => candle && candle.map((value) => value * 1.001)) }
            : bar,
        ),
      },
    ],
    [
      'exchange-steps',
      all,
      { ...base, instruments: base.instruments.map((one) => ({ ...one, amountStep: 0.5 })) },
    ],
  ];
  it.each(cases)('names what made a trade come out otherwise: %s', async (cause, seen, hindsight) => {
    const { bars } = await traded(seen);
    const { differences, affectedBars } = compareWithBacktest(session, bars, hindsight);
    expect(differences.length).toBeGreaterThan(0);
    for (const difference of differences) expect(difference.causes).toEqual([cause]);
    const counted = Object.entries(affectedBars).filter(([, count]) => count > 0);
    expect(counted.map(([name]) => name)).toEqual([cause]);
    if (cause !== 'exchange-steps') expect(affectedBars[cause]).toBe(1);
  });

  it('names several causes of one trade, and trades that only one side made', async () => {
    const { bars } = await traded(changed(decided({ decision: 'missed' })));
    const none: Hindsight = { ...base, targets: base.targets.map(() => [null, null]) };
    const { differences, backtestTrades, sessionTrades } = compareWithBacktest(session, bars, none);
    expect(backtestTrades).toBe(0);
    expect(differences).toHaveLength(sessionTrades);
    expect(
      differences.every(({ backtest, session: own }) => backtest === undefined && own !== undefined),
    ).toBe(true);
    // A trade that only the missed bar made is gone with it; all others go with the forecasts.
    expect(new Set(differences.flatMap(({ causes }) => causes))).toEqual(
      new Set(['missed-bars', 'forecasts']),
    );
    expect(differences.some(({ causes }) => causes.length === 2)).toBe(true);
  });
});
