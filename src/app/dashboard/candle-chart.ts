import { price } from './format.ts';
import { dim, type Line, type Span } from './lines.ts';
import type { CandleView, FillView, ForecastView } from './view.ts';

interface Chart {
  /** The oldest first, none without a bar. */
  readonly candles: readonly CandleView[];
  readonly fills: readonly FillView[];
  readonly forecast: ForecastView | undefined;
  /** How long one candle of the chart is. */
  readonly candleMs: number;
}

/** Columns of the prices at the right. */
const AXIS = 12;
/** How many columns a forecast takes at most. */
const FAN = 12;

/** How many candles there is room for. */
export const candlesIn = (width: number, forecast: ForecastView | undefined): number =>
  Math.max(1, width - AXIS - (forecast === undefined ? 0 : FAN + 1));

/** Several bars as one. */
export function together(
  candles: readonly CandleView[],
  every: number,
  barMs: number,
): readonly CandleView[] {
  if (every === 1) return candles;
  const groups = new Map<number, CandleView>();
  for (const bar of candles) {
    // Aligned to the clock, so that a candle stays what it is when another bar arrives.
    const timeMs = Math.floor(bar.timeMs / (every * barMs)) * every * barMs;
    const group = groups.get(timeMs);
    groups.set(
      timeMs,
      group === undefined
        ? { ...bar, timeMs }
        : {
            timeMs,
            open: group.open,
            high: Math.max(group.high, bar.high),
            low: Math.min(group.low, bar.low),
            close: bar.close,
          },
    );
  }
  return [...groups.values()];
}

type Cell = Span | undefined;

/**
 * Candles as characters, one a column, `rows` lines with a line of times below them. A body is `█` where the price rose and `▒`
 * where it fell; `▲` bought, `▼` sold, at the price of the fill. A forecast opens to the right of the bar it was made at: the
 * quantiles at its horizon, on the way there growing with the square root of time.
 */
export function candleChart(chart: Chart, { width, rows }: { width: number; rows: number }): readonly Line[] {
  const { candles } = chart;
  const height = Math.max(2, rows - 1);
  const fan = fanOf(chart);
  const prices = [
    ...candles.flatMap(({ high, low }) => [high, low]),
    ...fan.flatMap(({ low, high }) => [low, high]),
  ];
  const top = Math.max(...prices);
  const bottom = Math.min(...prices);
  /** Half rows from the top. */
  const half = (value: number): number =>
    top === bottom
      ? height
      : Math.min(
          2 * height - 1,
          Math.max(0, Math.round(((top - value) / (top - bottom)) * (2 * height - 1))),
        );
  const grid: Cell[][] = Array.from({ length: height }, () => []);
  candles.forEach((candle, column) => drawCandle(grid, column, candle, half));
  drawFills(grid, chart, half);
  fan.forEach(({ low, high, middle }, i) => {
    const column = candles.length + 1 + i;
    for (let row = half(high) >> 1; row <= half(low) >> 1; row++)
      grid[row][column] = { text: '░', colour: 'accent' };
    grid[half(middle) >> 1][column] = { text: '·', colour: 'accent', bold: true };
  });
  const used = candles.length + (fan.length === 0 ? 0 : fan.length + 1);
  const every = Math.max(2, Math.round(height / 5));
  const lines = grid.map((cells, row): Line => {
    const at = top - ((2 * row + 0.5) / (2 * height - 1)) * (top - bottom);
    const label = row % every === 0 || row === height - 1 ? ` ${price(at)}` : '';
    return [...spansOf(cells, used), dim(label)];
  });
  return [...lines, [dim(timeAxis(candles, width))]];
}

function drawCandle(
  grid: Cell[][],
  column: number,
  candle: CandleView,
  half: (value: number) => number,
): void {
  const { open, high, low, close } = candle;
  const rises = close >= open;
  const colour = rises ? 'good' : 'bad';
  const [bodyTop, bodyEnd] = [half(Math.max(open, close)), half(Math.min(open, close))];
  const [wickTop, wickEnd] = [half(high), half(low)];
  for (let row = wickTop >> 1; row <= wickEnd >> 1; row++) {
    const upper = 2 * row >= bodyTop && 2 * row <= bodyEnd;
    const lower = 2 * row + 1 >= bodyTop && 2 * row + 1 <= bodyEnd;
    const text = upper && lower ? (rises ? '█' : '▒') : upper ? '▀' : lower ? '▄' : '│';
    grid[row][column] = { text, colour };
  }
}

function drawFills(
  grid: Cell[][],
  { candles, fills, candleMs }: Chart,
  half: (value: number) => number,
): void {
  const columns = new Map(candles.map(({ timeMs }, column) => [timeMs, column]));
  for (const { timeMs, side, price: at } of fills) {
    const column = columns.get(Math.floor(timeMs / candleMs) * candleMs);
    if (column === undefined) continue;
    grid[half(at) >> 1][column] = { text: side === 'buy' ? '▲' : '▼', colour: 'accent', bold: true };
  }
}

interface Opening {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Nothing where the forecast is not of the newest candle shown. */
function fanOf({ candles, forecast, candleMs }: Chart): readonly Opening[] {
  const last = candles.at(-1);
  if (forecast === undefined || last === undefined) return [];
  const isOfLast = Math.floor(forecast.timeMs / candleMs) * candleMs === last.timeMs;
  if (!isOfLast || forecast.quantiles.length < 2) return [];
  const returns = forecast.quantiles.map(({ returnPct }) => returnPct / 100);
  const middle = forecast.quantiles.reduce((best, one) =>
    Math.abs(one.level - 0.5) < Math.abs(best.level - 0.5) ? one : best,
  );
  return Array.from({ length: FAN }, (_, i) => {
    const grown = Math.sqrt((i + 1) / FAN);
    const at = (value: number): number => last.close * (1 + value * grown);
    return {
      low: at(Math.min(...returns)),
      high: at(Math.max(...returns)),
      middle: at(middle.returnPct / 100),
    };
  });
}

/** Neighbours of one colour as one span. */
function spansOf(cells: readonly Cell[], width: number): readonly Span[] {
  const spans: Span[] = [];
  for (let column = 0; column < width; column++) {
    const cell = cells[column] ?? { text: ' ' };
    const before = spans.at(-1);
    if (before !== undefined && before.colour === cell.colour && before.bold === cell.bold)
      spans[spans.length - 1] = { ...before, text: before.text + cell.text };
    else spans.push(cell);
  }
  return spans;
}

/** A time below every so many candles, as far as it fits. */
function timeAxis(candles: readonly CandleView[], width: number): string {
  const every = 24;
  let line = '';
  for (let column = 0; column < candles.length; column += every) {
    const text = new Date(candles[column].timeMs).toISOString().slice(5, 16).replace('T', ' ');
    if (column + text.length + 1 > width) break;
    line = `${line.padEnd(column)}└${text}`;
  }
  return line;
}
