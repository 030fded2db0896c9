import { formatMinute } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { type EndedHistory, endedHistories } from '../../core/market/history-end.ts';
import type { SessionTerms } from '../../desk/paper/outlook.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExchangeClient } from '../../data/exchange/client.ts';
import type { Store } from '../../data/store/store.ts';
import { createExchangeFeed } from '../../desk/paper/exchange-feed.ts';
import type { BarFeed } from '../../desk/paper/feed.ts';
import { createStoredFeed } from '../../desk/paper/stored-feed.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';

/** Where the bars of a paper session come from, once it is known what decides on them. */
export interface PaperFeed {
  readonly createFeed: (terms: SessionTerms) => BarFeed;
  /** Steps and least values of orders, those of the exchange where it was asked. */
  readonly instruments: () => Promise<readonly Instrument[]>;
}

/** What a session trades, with the models that it trades it by. */
interface Traded {
  readonly store: Store;
  readonly trained: TrainedSet;
  readonly symbols: readonly PairSymbol[];
  /** Instruments where nobody is asked. */
  readonly configured: readonly Instrument[];
}

/** Stored bars that training has not seen: all, or a range of them. Throws `UserError` for a range that it has. */
export function openStoredFeed(
  { store, trained, symbols, configured }: Traded,
  { since, until }: { readonly since?: number | undefined; readonly until?: number | undefined } = {},
): PaperFeed {
  if (since !== undefined && since < trained.validateUntilMs)
    throw new UserError(
      `${formatMinute(since)} lies in what training has seen, which ends at ${formatMinute(trained.validateUntilMs)}.`,
      { hint: 'Choose a later time, or leave --since out.' },
    );
  const range = {
    ...(since !== undefined && { sinceMs: since }),
    ...(until !== undefined && { untilMs: until }),
  };
  return {
    createFeed: (terms) => createStoredFeed({ store, trained, traded: symbols, terms, ...range }),
    instruments: async () => configured,
  };
}

/** Bars as they close on the exchange. Throws `UserError` where it should go on with synthetic candles. */
export async function openLiveFeed(
  { store, trained, symbols, configured }: Traded,
  from: { readonly open: () => Promise<ExchangeClient>; readonly log: Log; readonly signal: AbortSignal },
): Promise<PaperFeed> {
  if (trained.synthetic) {
    throw new UserError(`The models of "${trained.runId}" were trained on synthetic candles.`, {
      hint: 'No exchange continues those: use `paper --no-exchange`, or fetch real candles and train on them.',
    });
  }
  const { log, signal } = from;
  const source = await from.open();
  return {
    createFeed: (terms) =>
      createExchangeFeed({ store, trained, traded: symbols, terms, source, log, now: Date.now }),
    instruments: () => exchangeInstruments(source, configured, signal),
  };
}

/** Steps and least values of orders as the exchange says them, those of the settings where it does not. */
export async function exchangeInstruments(
  source: ExchangeClient,
  configured: readonly Instrument[],
  signal: AbortSignal,
): Promise<readonly Instrument[]> {
  const facts = await source.instruments(
    configured.map(({ symbol }) => symbol),
    signal,
  );
  return configured.map(({ symbol, amountStep, priceTick, minNotional }, s) => ({
    symbol,
    amountStep: facts[s].amountStep ?? amountStep,
    priceTick: facts[s].priceTick ?? priceTick,
    minNotional: facts[s].minNotional ?? minNotional,
  }));
}

/** Pairs whose stored bars end before those of the others. */
export async function endedPairs(
  store: Store,
  { exchange, symbols, timeframe }: Pick<TrainedSet, 'exchange' | 'symbols' | 'timeframe'>,
): Promise<readonly EndedHistory[]> {
  const found = await Promise.all(symbols.map((symbol) => store.manifest({ exchange, symbol, timeframe })));
  return endedHistories(
    found.filter((manifest) => manifest !== undefined),
    timeframe,
  );
}
