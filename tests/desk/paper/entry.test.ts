import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { readLedger } from '../../../src/desk/paper/ledger.ts';
import type { SessionRecord } from '../../../src/desk/paper/record.ts';
import { resumeSession, startSession, verifySession } from '../../../src/desk/paper/session.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { randomWalk, session, steps } from './walk.ts';

const byOrders: SessionRecord = {
  ...session,
  rules: {
    ...session.rules,
    priority: ['ETH/USDT'],
    entry: { kind: 'limit', offsetPct: 0.6, parts: 2, bars: 4, postOnly: true },
  },
};

it('a session that enters by limit orders keeps those that rest over a restart, and does what a backtest does', async () => {
  const walk = randomWalk(120, 5);
  const folder = join(temporaryFolder(), 'session');
  let running = await startSession(folder, byOrders);
  let resting = 0;
  for (const [i, { bar, decision }] of steps(walk).entries()) {
    if (i % 3 === 2) {
      resting += running.account.portfolio.orders.length;
      await running.close();
      const resumed = await resumeSession(folder);
      if (resumed === undefined) throw new Error('no session');
      // The snapshot was taken, orders and all: nothing had to be replayed.
      expect(resumed.recovery.barsReplayed).toBe(0);
      running = resumed;
    }
    await running.process(bar, decision, bar.timeMs);
  }
  await running.close();
  expect(resting).toBeGreaterThan(3);
  const { bars } = await readLedger(folder);
  const fills = bars.flatMap(({ events }) => events).filter(({ kind }) => kind === 'fill');
  const { instruments, rules } = byOrders;
  expect(fills).toEqual(runBacktest({ ...walk, instruments, rules }).fills);
  expect(fills.some((fill) => 'cause' in fill && fill.cause === 'order')).toBe(true);
  expect(await verifySession(folder)).toEqual({ bars: 120, tornBytes: 0 });
});
