import { fundingColumns } from '../../core/trading/accounts/funding.ts';
import { seriesSubject } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { emptyCandles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';
import type { Market } from '../../core/trading/market.ts';
import { describeSeries } from '../../data/store/series-manifest.ts';
import type { Store } from '../../data/store/store.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';

/** What of an account decides which series it needs. */
export type AccountKind =
  | { readonly kind: 'spot' | 'margin' }
  | {
      readonly kind: 'perpetual';
      /** Whether stored funding rates are charged. */
      readonly funding: 'series' | 'waived';
      /** The exchange whose candles are the mark price; `undefined`: the last price counts. */
      readonly markFrom?: string | undefined;
    };

/** What a perpetual account is charged and judged by: beside the market's bars, and where it comes from. */
export interface AccountData {
  readonly beside: Pick<Market, 'funding' | 'mark'>;
  readonly sources: readonly { readonly place: string; readonly sha256: string }[];
}

/**
 * Funding rates and mark prices of a perpetual account from the store, laid beside the bars; nothing for other accounts.
 * Throws `UserError` naming the first rate or mark price that is not there.
 */
export async function loadAccountData(
  store: Store,
  account: AccountKind,
  {
    market,
    symbols,
    timeframe,
    derivatives,
  }: {
    readonly market: AlignedMarket;
    readonly symbols: readonly PairSymbol[];
    readonly timeframe: Timeframe;
    /** Exchange of the perpetuals. */
    readonly derivatives: string;
  },
): Promise<AccountData> {
  if (account.kind !== 'perpetual') return { beside: {}, sources: [] };
  const { markFrom } = account;
  const funding: Awaited<ReturnType<typeof fundingOf>>[] = [];
  const mark: Awaited<ReturnType<typeof markOf>>[] = [];
  // One after the other, so that the symbol that an error names is the first that lacks something.
  for (const symbol of symbols) {
    if (account.funding === 'series') funding.push(await fundingOf(store, market, symbol, derivatives));
    if (markFrom !== undefined)
      mark.push(await markOf(store, market, { exchange: markFrom, symbol, timeframe }));
  }
  return {
    beside: {
      ...(funding.length > 0 && { funding: funding.map(({ columns }) => columns) }),
      ...(mark.length > 0 && { mark: mark.map(({ candles }) => candles) }),
    },
    sources: [...funding, ...mark].map(({ place, sha256 }) => ({ place, sha256 })),
  };
}

async function fundingOf(store: Store, market: AlignedMarket, symbol: PairSymbol, exchange: string) {
  const subject = seriesSubject('funding', { exchange, symbol, asset: '', scorer: '' });
  const key = { name: 'funding' as const, subject };
  const manifest = await store.series.manifest(key);
  if (manifest === undefined)
    throw new UserError(`No funding rates of ${symbol} on ${exchange} are stored.`, {
      hint: `Fetch them: \`crypto-trader fetch --series funding --exchange ${exchange} --symbols ${symbol}\`, or waive funding by name: trading.account.funding: waived.`,
    });
  const { time, columns } = await store.series.read(key);
  const { sha256 } = manifest;
  return {
    columns: fundingColumns(market, { symbol, time, rate: columns['rate'] }),
    place: describeSeries(key),
    sha256,
  };
}

async function markOf(
  store: Store,
  { time }: AlignedMarket,
  key: { readonly exchange: string; readonly symbol: PairSymbol; readonly timeframe: Timeframe },
) {
  const place = `${key.exchange} ${key.symbol} ${key.timeframe}`;
  const hint = 'Fetch or import them, or leave trading.account.markFrom out: then the last price counts.';
  const manifest = await store.manifest(key);
  if (manifest === undefined)
    throw new UserError(`No candles of the mark price are stored: ${place}.`, { hint });
  const stored = await store.read(key);
  const candles = { ...emptyCandles(time.length), time };
  let at = 0;
  for (let row = 0; row < time.length; row++) {
    while (at < stored.time.length && stored.time[at] < time[row]) at++;
    if (stored.time[at] !== time[row])
      throw new UserError(`The mark price lacks the bar of ${formatMinute(time[row])}: ${place}.`, { hint });
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const)
      candles[name][row] = stored[name][at];
  }
  return { candles, place: `mark price ${place}`, sha256: manifest.sha256 };
}
