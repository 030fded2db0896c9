import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../../src/core/foundation/random.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import type { VenuePair } from '../../../src/data/exchange/venue.ts';
import { type Action, ACTIONS, cellOf, type FaultName, FAULTS, SCRIPT } from '../live/cells.ts';
import { expectTruth, lastPrices, loopbackVenue, runScript, startLoopback } from '../live/rig.ts';
import type { LiveWorld } from './live-life.ts';
import { type Answering, someDeath } from './lives.ts';
import type { Round, Survived } from './rounds.ts';

export interface Cell {
  readonly action: Action;
  readonly faults: readonly FaultName[];
}

const NAMES = Object.keys(FAULTS) as FaultName[];
/** Every fault on every action, and then every two faults together, the first of which are a sample of all. */
const matrix = (actions: readonly Action[]): readonly Cell[] => {
  const cellsOf = (faults: readonly FaultName[]): Cell[] => actions.map((action) => ({ action, faults }));
  return [
    ...NAMES.flatMap((one) => cellsOf([one])),
    ...shuffled(NAMES.flatMap((one, i) => NAMES.slice(i + 1).flatMap((other) => cellsOf([one, other])))),
  ];
};
const ALL = Object.keys(ACTIONS) as Action[];
const isOfPair = (action: Action): boolean => action.startsWith('a stop with its target');
/** Those of pairs came later, and stand behind the others: a file of progress names cells by their place. */
export const CELLS: readonly Cell[] = [
  ...matrix(ALL.filter((action) => !isOfPair(action))),
  ...matrix(ALL.filter(isOfPair)),
];
function shuffled(cells: readonly Cell[]): readonly Cell[] {
  const random = createRandom(1);
  return cells
    .map((cell) => ({ cell, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ cell }) => cell);
}
export const cellName = ({ action, faults }: Cell): string =>
  `an order that is ${action}; ${faults.join(', ')}`;

/** A process gets at most so many operations on files done. */
const SPAN = 6;

/**
 * A session under the faults of the cell that the seed names, one life after another, each within its first operations. What is left after
 * the last kill is brought to its end in this process, which sees two more bars: what no life got done is made good there. The
 * executions on record are the exchange's then, one by one, and so are the balances; nothing works and nothing is held.
 */
export async function liveRound({ lives, seed, kills: most }: Round): Promise<Survived> {
  const cell = CELLS[seed % CELLS.length];
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'storm-live-'));
  const exchange = await startLoopback();
  const { faults, session } = cellOf(cell.action, cell.faults);
  const timeoutMs = cell.faults.includes('no answer in time') ? 500 : 10_000;
  const { signal } = new AbortController();
  exchange.setFaults(faults);
  let kills = 0;
  try {
    while (kills < most) {
      const venue = await loopbackVenue(exchange, timeoutMs);
      const answering: Answering = {
        clock: (timeMs: number) => exchange.clock.set(timeMs),
        prices: (symbols: readonly PairSymbol[]) => lastPrices(exchange, symbols),
        submit: (order: Parameters<typeof venue.submit>[0]) => venue.submit(order, signal),
        submitPair: (pair: VenuePair) => venue.submitPair?.(pair, signal),
        cancel: (order: Parameters<typeof venue.cancel>[0]) => venue.cancel(order, signal),
        lookUp: (order: Parameters<typeof venue.lookUp>[0]) => venue.lookUp(order, signal),
        openOrders: (symbols: readonly PairSymbol[]) => venue.openOrders(symbols, signal),
        fills: (symbol: PairSymbol, sinceMs: number) => venue.fills(symbol, sinceMs, signal),
        balances: () => venue.balances(signal),
      };
      const world: LiveWorld = {
        folder,
        action: cell.action,
        url: exchange.url,
        nowMs: exchange.clock.now(),
      };
      if (!(await lives.live('live', world, someDeath(random, SPAN), answering)).killed) break;
      kills++;
    }
    const venue = await loopbackVenue(exchange, timeoutMs);
    const script = [...SCRIPT, [null, null], [null, null]];
    const ledger = await runScript(exchange, script, { folder, venue, session });
    expectTruth(exchange, ledger);
    assert.equal(ledger.state.halt, undefined, 'trading is stopped');
    assert.deepEqual(ledger.state.account.positions(), [], 'something is held in the end');
    const working = exchange.books.orders().filter(({ status }) => /NEW|PARTIALLY/.test(status));
    assert.deepEqual(working, [], 'orders still work in the end');
    return { kills, found: `${cellName(cell)}: ${exchange.books.fills().length} executions` };
  } finally {
    await exchange.close();
    rmSync(folder, { recursive: true });
  }
}
