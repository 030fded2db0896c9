import { seriesKind, type SeriesName } from '../market/series-kinds.ts';
import { type PairSymbol, symbolFolder } from '../market/symbol.ts';
import type { TimedSeries } from '../market/timed-series.ts';

/** Another market's bars of the same length, or a timed series. */
export type InputName = CandleInput | SeriesName | 'other-funding';
export type CandleInput = 'benchmark' | 'cross-pair' | 'other-exchange' | 'perpetual';

export type InputColumn = `${InputName}.${string}`;

/** What a symbol's features are given beside its own candles. One that is not stored is left out. */
export type FeatureInputs = { readonly [Name in InputName]?: TimedSeries };

/** Which markets the inputs are taken from. */
export interface InputSources {
  /** The pair that others are compared with; its base asset is the one whose network is looked at. */
  readonly benchmark: PairSymbol;
  /** Where the perpetuals of the pairs trade. */
  readonly derivatives: string;
  /** A second spot exchange, and a second one of perpetuals. */
  readonly otherExchange: string;
  readonly otherDerivatives: string;
  /** Whose view of texts the news features read. */
  readonly textScorer: string;
}

export const DEFAULT_SOURCES: InputSources = {
  benchmark: 'BTC/USDT',
  derivatives: 'binanceusdm',
  otherExchange: 'okx',
  otherDerivatives: 'bybit',
  textScorer: 'lexicon-1',
};

/** Where an input lies in the store. */
export type InputPlace =
  | { readonly kind: 'candles'; readonly exchange: string; readonly symbol: PairSymbol }
  | { readonly kind: 'series'; readonly name: SeriesName; readonly subject: string };

/**
 * The place of an input for `symbol` on `exchange`; `undefined` where it makes no sense: the benchmark is not
 * priced in itself.
 */
export function inputPlace(
  input: InputName,
  { exchange, symbol, sources }: { exchange: string; symbol: PairSymbol; sources: InputSources },
): InputPlace | undefined {
  const [base] = symbol.split('/');
  const [benchmarkBase] = sources.benchmark.split('/');
  const candles = (from: string, pair: PairSymbol): InputPlace => ({
    kind: 'candles',
    exchange: from,
    symbol: pair,
  });
  const series = (name: SeriesName, from: string): InputPlace => ({
    kind: 'series',
    name,
    subject: seriesSubject(name, {
      exchange: from,
      symbol,
      asset: benchmarkBase,
      scorer: sources.textScorer,
    }),
  });
  switch (input) {
    case 'benchmark':
      return candles(exchange, sources.benchmark);
    case 'cross-pair':
      return base === benchmarkBase ? undefined : candles(exchange, `${base}/${benchmarkBase}`);
    case 'other-exchange':
      return candles(sources.otherExchange, symbol);
    case 'perpetual':
      return candles(sources.derivatives, symbol);
    case 'other-funding':
      return series('funding', sources.otherDerivatives);
    case 'order-book':
      return series(input, exchange);
    default:
      return series(input, sources.derivatives);
  }
}

/** What a series belongs to, as the store names it: `binanceusdm/BTC-USDT`, `BTC`, `lexicon-1/ETH`, or nothing for the world. */
export function seriesSubject(
  name: SeriesName,
  of: {
    readonly exchange: string;
    readonly symbol: PairSymbol;
    readonly asset: string;
    readonly scorer: string;
  },
): string {
  switch (seriesKind(name).subject) {
    case 'market':
      return `${of.exchange}/${symbolFolder(of.symbol)}`;
    case 'asset':
      return of.asset;
    case 'scored':
      return `${of.scorer}/${of.symbol.split('/')[0]}`;
    case 'world':
      return '';
  }
}

/** How long after it became known a row of an input still counts: bars of other markets at their close only. */
export function staleAfterMs(input: InputName): number {
  switch (input) {
    case 'benchmark':
    case 'cross-pair':
    case 'other-exchange':
    case 'perpetual':
      return 0;
    case 'other-funding':
      return seriesKind('funding').staleMs;
    default:
      return seriesKind(input).staleMs;
  }
}
