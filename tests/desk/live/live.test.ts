import { describe, expect, onTestFinished, test } from 'vitest';
import type { LiveOptions } from '../../../src/desk/live/run.ts';
import type { FaultSpec } from '../../support/exchange/faults.ts';
import { failingDisk } from '../../support/failing-disk.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Action, ACTIONS, CANCEL, cellOf, type FaultName, FAULTS, SCRIPT, SUBMIT } from './cells.ts';
import { expectTruth, HOUR, liveSession, loopbackVenue, runScript, scripted, startLoopback } from './rig.ts';

async function setUp(timeoutMs?: number) {
  const exchange = await startLoopback();
  onTestFinished(() => exchange.close());
  return { exchange, folder: temporaryFolder(), venue: await loopbackVenue(exchange, timeoutMs) };
}

test('buys and sells what is decided, and ends with exchange and ledger equal', async () => {
  const rig = await setUp();
  const ledger = await runScript(rig.exchange, SCRIPT, rig);
  expectTruth(rig.exchange, ledger);
  expect(rig.exchange.books.fills()).toHaveLength(4);
  expect(ledger.state.account.positions()).toEqual([]);
  expect(ledger.state.halt).toBeUndefined();
});

/** Every other cell of the matrix, of pairs every fourth; `npm run storm:faults` takes all. */
const isTaken = (action: string, cell: number): boolean =>
  process.env['FAULTS'] === 'all' || cell % (action.includes('target') ? 4 : 2) === 0;

describe.each(Object.entries(ACTIONS).map(([action, path], row) => ({ action, path, row })))(
  'an order that is $action',
  ({ action, path, row }) => {
    const names = (Object.keys(FAULTS) as FaultName[]).filter((_, column) => isTaken(action, row + column));
    test.each(names)('%s', async (name) => {
      const rig = await setUp(name === 'no answer in time' ? 500 : 10_000);
      const { faults, session } = cellOf(action as Action, [name]);
      rig.exchange.setFaults(faults);
      const ledger = await runScript(rig.exchange, SCRIPT, { ...rig, session });
      expectTruth(rig.exchange, ledger);
      expect(ledger.state.halt).toBeUndefined();
      expect(ledger.state.account.positions()).toEqual([]);
      expect(rig.exchange.books.fills().length).toBeGreaterThan(0);
      // The fault had its chances, and the way it strikes was used.
      if (!('path' in FAULTS[name]))
        expect(rig.exchange.calls.filter((call) => call === path).length).toBeGreaterThan(1);
    });
  },
);

test('an order that is taken after it was given up is found, not doubled in the books', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'arrives-late', path: SUBMIT, times: 1, offsetMs: 60_000 }]);
  const ledger = await runScript(rig.exchange, SCRIPT, rig);
  expectTruth(rig.exchange, ledger);
  expect(ledger.state.account.positions()).toEqual([]);
});

describe('killed at any write, before it reaches the disk or after, and started again', () => {
  const cases = [
    ['nothing goes wrong', []],
    ['answers are lost', [{ kind: 'lost', path: SUBMIT, every: 2 }]],
    ['requests are lost', [{ kind: 'request-lost', path: SUBMIT, every: 2, times: 3 }]],
    ['orders fill in part', [{ kind: 'partial-fill', path: SUBMIT, every: 2 }]],
  ] as const satisfies readonly (readonly [string, readonly FaultSpec[]])[];
  test.each(cases)('%s', async (_, faults) => {
    const template = await setUp();
    const counted = failingDisk(undefined, { kind: 'refuses', code: 'EIO' }, false);
    template.exchange.setFaults(faults);
    await runScript(template.exchange, SCRIPT, { ...template, disk: counted.disk });
    for (let at = 0; at < counted.operations(); at += 11) {
      const rig = await setUp();
      rig.exchange.setFaults(faults);
      const kind = at % 2 === 0 ? 'refuses' : 'does-and-refuses';
      const { disk } = failingDisk(at, { kind, code: 'EIO' }, true);
      await expect(runScript(rig.exchange, SCRIPT, { ...rig, disk })).rejects.toThrow('EIO');
      const ledger = await runScript(rig.exchange, SCRIPT, rig);
      expectTruth(rig.exchange, ledger);
      expect(ledger.state.halt).toBeUndefined();
      expect(ledger.state.account.positions()).toEqual([]);
    }
  });
});

test('coins that nobody sold or bought stop trading, with a sentence, until they are accounted for', async () => {
  const rig = await setUp();
  const halts: (string | undefined)[] = [];
  const options: Partial<LiveOptions> = {
    onBar: ({ timeMs }) => {
      if (timeMs === liveSession.startedAtMs + 31 * 3_600_000) rig.exchange.books.move('BTC', -0.5);
      if (timeMs === liveSession.startedAtMs + 35 * 3_600_000) rig.exchange.books.move('BTC', 0.5);
    },
    onEntry: (entry) => {
      if (entry.kind === 'halt') halts.push(entry.reason);
    },
  };
  const ledger = await runScript(rig.exchange, SCRIPT, { ...rig, options });
  expect(halts).toHaveLength(2);
  expect(halts[0]).toContain('BTC: the exchange holds');
  expect(halts[0]).toContain('crypto-trader live adopt');
  expect(halts[1]).toBeUndefined();
  expectTruth(rig.exchange, ledger);
});

test('while the exchange does not say what is held, nothing is ordered', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'server-error', path: 'GET /api/v3/account' }]);
  const ledger = await runScript(rig.exchange, SCRIPT.slice(0, 2), rig);
  expect(rig.exchange.books.orders()).toEqual([]);
  expect(ledger.state.last?.decision).toBe('unknown');
});

test('the next poll comes when a bar closes, however long the pause between polls', async () => {
  const rig = await setUp();
  const quiet = [null, null];
  const feed = scripted(rig.exchange, [quiet, quiet]);
  const startedMs = performance.now();
  let polls = 0;
  const ledger = await runScript(rig.exchange, [], {
    ...rig,
    feed: {
      look: async (last, signal) => {
        polls++;
        if (last?.timeMs === liveSession.startedAtMs + 31 * HOUR) return { bars: [], ended: true };
        const isDue = last !== undefined && now() >= last.timeMs + 2 * HOUR;
        if (isDue) rig.exchange.clock.set(now());
        return last === undefined || isDue ? feed.look(last, signal) : { bars: [], ended: false };
      },
    },
    // Half a second before the second bar closes, and an hour between polls.
    options: { intervalMs: HOUR, now: () => now() },
  });
  function now(): number {
    return liveSession.startedAtMs + 32 * HOUR - 500 + performance.now() - startedMs;
  }
  expect(ledger.state.bars).toBe(2);
  expect(polls).toBeLessThan(20);
});

test('a rehearsal plans and sends nothing', async () => {
  const rig = await setUp();
  const ledger = await runScript(rig.exchange, SCRIPT, { ...rig, options: { dryRun: true } });
  expect(rig.exchange.calls.filter((call) => call === SUBMIT || call === CANCEL)).toEqual([]);
  expect(ledger.state.orders.size).toBe(0);
});
