import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { candleChart, candlesIn, together } from '../candle-chart.ts';
import type { Controls } from '../controls.ts';
import { percent, price } from '../format.ts';
import { bold, dim, gain, type Line, plain, type Room, table } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { DashboardView, MarketView } from '../view.ts';

const NO_CANDLES = 'No candles are stored: run `crypto-trader fetch`.';
const READING = 'Reading the candles ...';
const DAY_MS = 86_400_000;

const chosen = ({ markets }: DashboardView, { symbol }: Controls): MarketView | undefined =>
  markets === undefined || markets.length === 0 ? undefined : markets[symbol % markets.length];

export const chartPane: Pane = {
  id: 'chart',
  title: (view, controls) => {
    const market = chosen(view, controls);
    if (market === undefined) return 'Candles';
    const { symbol, timeframe, source, forecast } = market;
    const zoom = controls.zoom === 1 ? '' : ` x ${controls.zoom}`;
    const from = source === 'session' ? ', as the session saw them' : '';
    const fan = forecast === undefined ? '' : `, fan of ${forecast.model} over ${forecast.horizonBars} bars`;
    return `${symbol} ${timeframe}${zoom}${from}${fan}`;
  },
  least: 8,
  anchor: 'top',
  lines: (view, room, controls) => {
    if (view.markets === undefined) return [[dim(READING)]];
    const market = chosen(view, controls);
    if (market === undefined || market.candles.length === 0) return [[dim(NO_CANDLES)]];
    return room.spoken ? [spokenChart(market)] : drawn(market, room, controls);
  },
};

function drawn(market: MarketView, room: Room, { zoom, back }: Controls): readonly Line[] {
  const barMs = TIMEFRAME_MS[market.timeframe];
  const all = together(market.candles, zoom, barMs);
  const forecast = back === 0 ? market.forecast : undefined;
  const places = candlesIn(room.width, forecast);
  const end = Math.max(Math.min(all.length, places), all.length - Math.floor(back / zoom));
  const candles = all.slice(Math.max(0, end - places), end);
  return candleChart({ candles, fills: market.fills, forecast, candleMs: zoom * barMs }, room);
}

function spokenChart({ symbol, candles, fills }: MarketView): Line {
  const last = candles[candles.length - 1];
  const high = Math.max(...candles.map((bar) => bar.high));
  const low = Math.min(...candles.map((bar) => bar.low));
  return [
    plain(
      `${symbol} ${price(last.close)}, between ${price(low)} and ${price(high)} in ${candles.length} bars, ${fills.length} fills`,
    ),
  ];
}

export const symbolsPane: Pane = {
  id: 'symbols',
  title: 'Markets',
  least: 4,
  anchor: 'top',
  head: 1,
  lines: ({ markets }, room, { symbol }) => {
    if (markets === undefined) return [[dim(READING)]];
    if (markets.length === 0) return [[dim(NO_CANDLES)]];
    const rows = markets.map((market) => {
      const last = market.candles.at(-1);
      const change = changeOver(market, DAY_MS);
      const [high, low] = rangeOver(market, DAY_MS);
      return [
        bold(market.symbol),
        plain(last === undefined ? 'none' : price(last.close)),
        change === undefined ? plain('') : gain(change, percent(change)),
        plain(high === undefined ? '' : price(high)),
        plain(low === undefined ? '' : price(low)),
        plain(String(market.fills.length)),
        plain(last === undefined ? '' : new Date(last.timeMs).toISOString().slice(0, 16).replace('T', ' ')),
      ];
    });
    const head = ['symbol', 'last', '24 h', 'high', 'low', 'fills', 'newest bar'];
    return table(head, rows, room, symbol % markets.length);
  },
};

const newest = ({ candles }: MarketView, spanMs: number) => {
  const endMs = candles.at(-1)?.timeMs ?? NaN;
  return candles.filter(({ timeMs }) => timeMs > endMs - spanMs);
};

function changeOver(market: MarketView, spanMs: number): number | undefined {
  const bars = newest(market, spanMs);
  const [first, last] = [bars.at(0), bars.at(-1)];
  return first === undefined || last === undefined ? undefined : 100 * (last.close / first.open - 1);
}

function rangeOver(market: MarketView, spanMs: number): readonly [number | undefined, number | undefined] {
  const bars = newest(market, spanMs);
  if (bars.length === 0) return [undefined, undefined];
  return [Math.max(...bars.map(({ high }) => high)), Math.min(...bars.map(({ low }) => low))];
}
