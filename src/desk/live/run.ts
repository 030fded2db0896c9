import { createRandom } from '../../core/foundation/random.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { SourceUnavailable } from '../../data/source.ts';
import { type Control, heed } from '../paper/controls.ts';
import { pauseUntilDue } from '../paper/due.ts';
import type { Bar } from '../paper/bar.ts';
import type { BarFeed } from '../paper/feed.ts';
import { createHints, type Hints } from '../session/hints.ts';
import { createDeadMan } from './dead-man.ts';
import { decideBar } from './decide.ts';
import type { LiveLedger } from './ledger.ts';
import { reconcile, type Standing, type Surroundings } from './reconcile.ts';
import { isProtective } from './orders.ts';
import { LONGEST_PAUSE_MS } from './pause.ts';
import { protectDue } from './protect.ts';
import type { LiveBar, LiveEntry } from './record.ts';
import { cancelDue, sendDue } from './send.ts';
import { unsettled } from './state.ts';

export interface LiveOptions extends Surroundings {
  /** Longest pause between polls of the feed, a bar that is due is asked for sooner; and between polls of orders that are not over. */
  readonly intervalMs: number;
  readonly pollMs: number;
  /** Looks at the feed after which the run ends. */
  readonly maxCycles: number | undefined;
  /** What the exchange says unasked: the next poll comes at once, and looks at everything. */
  readonly hints?: Hints;
  /** Nothing is sent, whatever else is set. */
  readonly dryRun: boolean;
  readonly control: () => Promise<Control | undefined>;
  /** Last trades; throws `SourceUnavailable`. `undefined` where the exchange gives none. */
  readonly prices: (symbols: readonly PairSymbol[]) => Promise<readonly (number | undefined)[]>;
  /** A price that cannot be true: it was not acted upon. */
  readonly onDoubt: (line: string) => void;
  readonly onBar: (bar: LiveBar) => void;
  /** An entry other than a bar was written. */
  readonly onEntry: (entry: LiveEntry) => void;
  /** After every poll; what it returns is waited for. */
  readonly onStanding: (standing: Standing) => Promise<void> | void;
  readonly onFeed: (fault: string | undefined) => void;
}

/** Balances that differ this many looks in a row are not late: trading stops. */
const LOOKS_BEFORE_HALT = 3;

/**
 * Reconciles, decides on every bar that closes, sends, and reconciles again, until `signal` aborts. Nothing is ordered before the
 * first reconciliation has succeeded, nor while something is unknown. What cannot be reconciled stops trading, not the program,
 * and trading goes on when ledger and exchange agree again.
 */
export async function runLive(ledger: LiveLedger, feed: BarFeed, options: LiveOptions): Promise<number> {
  const { signal, hints = createHints() } = options;
  const { state } = ledger;
  let cycles = 0;
  let failures = 0;
  let differs = 0;
  let fully = true;
  /** Polls since a bar was due that brought none. */
  let vain = 0;
  const random = createRandom(process.pid);
  const watched: LiveLedger = {
    ...ledger,
    write: async (entry) => {
      await ledger.write(entry);
      if (entry.kind === 'bar') options.onBar(entry);
      else options.onEntry(entry);
    },
  };
  const deadMan = createDeadMan(state, options);
  const barMs = TIMEFRAME_MS[state.session.timeframe];
  const isBarDue = (): boolean => state.last !== undefined && options.now() >= state.last.timeMs + 2 * barMs;
  const priceOf = async (symbol: PairSymbol): Promise<number | undefined> => {
    const [price] = (await options.prices([symbol]).catch(unlessSilent)) ?? [];
    const s = state.session.instruments.findIndex((one) => one.symbol === symbol);
    return believed(price, state.account.portfolio.columns.mark[s], { symbol, onDoubt: options.onDoubt });
  };
  while (!signal.aborted && cycles < (options.maxCycles ?? Infinity)) {
    await ledger.assertStanding();
    const found = await reconcile(watched, options, { fully });
    if (signal.aborted) break;
    differs = found.kind === 'other' ? differs + 1 : 0;
    if (found.kind === 'other' && differs >= LOOKS_BEFORE_HALT && state.halt === undefined)
      await watched.write({ kind: 'halt', atMs: options.now(), reason: found.reason });
    if (found.kind === 'known' && state.halt !== undefined)
      await watched.write({ kind: 'halt', atMs: options.now(), reason: undefined });
    await options.onStanding(found);
    // After a silence, and while trading is stopped, everything is looked at, not only what is in question.
    fully = found.kind !== 'known';
    await deadMan.tend();
    let acted = await cancelDue(watched, options);
    if (found.kind === 'known' && !options.dryRun) {
      acted += await sendDue(watched, options, priceOf);
      if (acted === 0) acted = await protectDue(watched, options, priceOf);
    }
    // A request that finds no answer keeps no bar waiting.
    if (acted > 0 && !isBarDue()) {
      fully = (await hints.pause(options.pollMs, signal)) || fully;
      continue;
    }
    cycles++;
    try {
      const look = await feed.look(state.last, signal);
      for (const { bar, decision } of look.bars) {
        if (signal.aborted) break;
        if (state.last !== undefined && bar.timeMs <= state.last.timeMs) continue;
        const heeded = heed(decision, await options.control());
        const prices =
          heeded.decision === 'missed' ? undefined : await pricesOf(state.session.instruments, bar, options);
        // Money that moved without us is noticed before it is spent.
        const standing = await reconcile(watched, options, { fully: true });
        await decideBar(watched, bar, heeded, {
          standing,
          prices,
          dryRun: options.dryRun,
          nowMs: options.now(),
        });
      }
      failures = 0;
      options.onFeed(undefined);
      if (look.ended) break;
      if (look.bars.length > 0) {
        vain = 0;
        continue;
      }
    } catch (error) {
      await ledger.assertStanding();
      if (signal.aborted) break;
      if (!(error instanceof SourceUnavailable)) throw error;
      failures++;
      options.onFeed(error.message);
    }
    const lastMs = state.last?.timeMs;
    const nowMs = options.now();
    vain = isBarDue() ? vain + 1 : 0;
    const due = { intervalMs: options.intervalMs, lastMs, barMs, nowMs, vain: Math.max(0, vain - 1), random };
    const pauseMs = Math.min(LONGEST_PAUSE_MS, failures === 0 ? 0 : 1000 * 2 ** (failures - 1));
    const waitMs =
      unsettled(state).some((order) => !isProtective(order)) || found.kind !== 'known'
        ? options.pollMs
        : pauseUntilDue(due);
    fully = (await hints.pause(Math.max(pauseMs, waitMs), signal)) || fully;
  }
  return cycles;
}

async function pricesOf(
  instruments: LiveLedger['state']['session']['instruments'],
  { candles }: Bar,
  { prices, onDoubt }: LiveOptions,
): Promise<Float64Array | undefined> {
  const said = await prices(instruments.map(({ symbol }) => symbol)).catch(unlessSilent);
  return (
    said &&
    Float64Array.from(
      instruments,
      ({ symbol }, s) => believed(said[s], candles[s]?.[3], { symbol, onDoubt }) ?? NaN,
    )
  );
}

/** Sizes, limits and stops follow from prices: one this far from the last close is a mistake, or a market to stay out of. */
const MOST_BELIEVED = 1.5;

/** `price`, unless it is too far from the last close to be acted upon. */
function believed(
  price: number | undefined,
  close: number | undefined,
  { symbol, onDoubt }: { readonly symbol: PairSymbol; readonly onDoubt: LiveOptions['onDoubt'] },
): number | undefined {
  if (price === undefined || close === undefined || Number.isNaN(close)) return price;
  if (price <= close * MOST_BELIEVED && price >= close / MOST_BELIEVED) return price;
  onDoubt(
    `${symbol}: the exchange says ${price}, and the last bar closed at ${close}: not believed, nothing is ordered there.`,
  );
  return undefined;
}

/** An exchange that gives no price now: nothing is planned. */
function unlessSilent(error: unknown): undefined {
  if (error instanceof SourceUnavailable) return undefined;
  throw error;
}
