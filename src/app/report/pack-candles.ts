import type { AlignedMarket } from '../../core/trading/align.ts';

/** Candles of one symbol as text of about ten bytes a bar; `browser/candles.ts` unpacks it. */
export interface PackedCandles {
  readonly symbol: string;
  /** Prices are whole multiples of this. */
  readonly tick: number;
  /** Bars, each of `barMs`, from `startMs` on; `data` says where some are missing. */
  readonly bars: number;
  readonly startMs: number;
  readonly barMs: number;
  /** How many bars of the backtest one of these is made of: 1 unless there are too many for one file. */
  readonly merged: number;
  /** Base64 of varints, per bar: bars left out before it, then open (from the last close), high, low and close, zigzag. */
  readonly data: string;
}

/** Of all symbols together; more are merged, so that a report stays a few megabytes. */
const MOST_BARS = 180_000;

export function packCandles(symbols: readonly string[], market: AlignedMarket): readonly PackedCandles[] {
  const total = market.time.length * symbols.length;
  const merged = Math.max(1, Math.ceil(total / MOST_BARS));
  return symbols.map((symbol, s) => packOne(symbol, market, s, merged));
}

function packOne(
  symbol: string,
  { time, candles, barMs }: AlignedMarket,
  s: number,
  merged: number,
): PackedCandles {
  const { open, high, low, close } = candles[s];
  const tick = tickOf(close);
  const step = merged * barMs;
  const bytes: number[] = [];
  let bars = 0;
  let startMs = NaN;
  let last = 0;
  let lastSlot = -1;
  for (let row = 0; row < time.length;) {
    const slotMs = Math.floor(time[row] / step) * step;
    const bar = { open: NaN, high: -Infinity, low: Infinity, close: NaN };
    for (; row < time.length && time[row] < slotMs + step; row++) {
      if (Number.isNaN(close[row])) continue;
      if (Number.isNaN(bar.open)) bar.open = open[row];
      bar.high = Math.max(bar.high, high[row]);
      bar.low = Math.min(bar.low, low[row]);
      bar.close = close[row];
    }
    if (Number.isNaN(bar.close)) continue;
    if (Number.isNaN(startMs)) startMs = slotMs;
    const slot = Math.round((slotMs - startMs) / step);
    const ticks = (price: number): number => Math.round(price / tick);
    const [o, h, l, c] = [bar.open, bar.high, bar.low, bar.close].map(ticks);
    varint(bytes, slot - lastSlot - 1);
    for (const delta of [o - last, h - Math.max(o, c), Math.min(o, c) - l, c - o])
      varint(bytes, zigzag(delta));
    last = c;
    lastSlot = slot;
    bars++;
  }
  const data = Buffer.from(bytes).toString('base64');
  return { symbol, tick, bars, startMs, barMs: step, merged, data };
}

/** The grid that prices stand on, where it has at most seven digits of the largest; else seven of its digits. */
function tickOf(close: Float64Array): number {
  const largest = close.reduce((most, price) => (price > most ? price : most), 0);
  if (largest === 0) return 1;
  const finest = Math.floor(Math.log10(largest)) - 6;
  for (let power = 0; power > finest; power--) {
    const scale = 10 ** -power;
    if (
      close.every(
        (price) => Number.isNaN(price) || Math.abs(price * scale - Math.round(price * scale)) < 1e-6,
      )
    )
      return 10 ** power;
  }
  return 10 ** finest;
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varint(bytes: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
