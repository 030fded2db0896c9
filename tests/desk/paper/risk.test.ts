import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { readLedger } from '../../../src/desk/paper/ledger.ts';
import type { SessionRecord } from '../../../src/desk/paper/record.ts';
import { resumeSession, startSession, verifySession } from '../../../src/desk/paper/session.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { randomWalk, session, steps } from './walk.ts';

const limited: SessionRecord = {
  ...session,
  risk: {
    maxDrawdownPct: 12,
    maxDailyLossPct: 1.5,
    maxTradePct: 20,
    maxOrdersPerMinute: 1,
    priceCollarPct: 0.4,
    minBalance: 500,
    protections: [
      { kind: 'cooldown', stopBars: 2 },
      {
        kind: 'stop-loss-guard',
        lookbackBars: 24,
        tradeLimit: 2,
        stopBars: 6,
        requiredProfitPct: 0,
        onlyPerSymbol: true,
        onlyPerSide: false,
      },
    ],
  },
};

describe('a session under risk rules', () => {
  it('records their verdicts, and comes to the same after restarts and in a backtest', async () => {
    const walk = randomWalk(400, 3);
    const folder = join(temporaryFolder(), 'session');
    let running = await startSession(folder, limited);
    for (const [i, { bar, decision }] of steps(walk).entries()) {
      if (i % 90 === 89) {
        await running.close();
        if (i % 180 === 89) rmSync(join(folder, 'snapshot.json'));
        const resumed = await resumeSession(folder);
        if (resumed === undefined) throw new Error('no session');
        running = resumed;
      }
      await running.process(bar, decision, bar.timeMs);
    }
    await running.close();
    const { bars } = await readLedger(folder);
    const rules = new Set(bars.flatMap(({ verdicts = [] }) => verdicts.map(({ rule }) => rule)));
    for (const rule of ['trade-size', 'price-collar', 'cooldown', 'orders-per-minute'])
      expect([...rules]).toContain(rule);
    expect(await verifySession(folder)).toEqual({ bars: 400, tornBytes: 0 });

    const { instruments, rules: execution, risk } = limited;
    const backtest = runBacktest({ ...walk, instruments, rules: execution, risk });
    const fills = bars.flatMap(({ events }) => events).filter(({ kind }) => kind === 'fill');
    expect(fills).toEqual(backtest.fills);
    expect(bars.map(({ equity }) => equity)).toEqual([...backtest.equity]);
    expect(fills.length).toBeGreaterThan(20);
    const free = runBacktest({ ...walk, instruments, rules: execution });
    expect(backtest.fills).not.toEqual(free.fills);
  });
});
