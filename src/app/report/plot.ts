import { escapeHtml } from './page.ts';

const WIDTH = 400;
const HEIGHT = 250;
const LEFT = 52;
const BOTTOM = 38;
const TOP = 8;
const RIGHT = 10;

interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  /** A tick's text; default: the number. */
  readonly format?: (value: number) => string;
}

/** Places on the drawing of values of the axes. */
export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

interface Plot {
  /** What it shows, in words, for those who cannot see it. */
  readonly about: string;
  readonly x: Axis;
  readonly y: Axis;
  /** SVG. */
  readonly draw: (scales: Scales) => string;
}

/** A small chart as SVG: no script draws it, and it prints. */
export function renderPlot({ about, x, y, draw }: Plot): string {
  const across = LEFT + RIGHT;
  const scales: Scales = {
    x: (value) => round(LEFT + ((value - x.low) / (x.high - x.low)) * (WIDTH - across)),
    y: (value) => round(HEIGHT - BOTTOM - ((value - y.low) / (y.high - y.low)) * (HEIGHT - BOTTOM - TOP)),
  };
  const text = (at: Axis, value: number): string => escapeHtml(at.format?.(value) ?? String(value));
  const columns = ticks(x.low, x.high, 5).map(
    (value) =>
      `<path class="grid" d="M${scales.x(value)} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${scales.x(value)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${text(x, value)}</text>`,
  );
  const rows = ticks(y.low, y.high, 5).map(
    (value) =>
      `<path class="grid" d="M${LEFT} ${scales.y(value)}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${scales.y(value) + 4}" text-anchor="end">${text(y, value)}</text>`,
  );
  return `<svg class="static" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(about)}">${columns.join('')}${rows.join('')}${draw(scales)}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 5}" text-anchor="middle">${escapeHtml(x.label)}</text><text transform="rotate(-90)" x="${-(HEIGHT - BOTTOM) / 2}" y="11" text-anchor="middle">${escapeHtml(y.label)}</text></svg>`;
}

/** A path through points in the order given; those that are not finite interrupt it. */
export function linePath(points: readonly (readonly [x: number, y: number])[], { x, y }: Scales): string {
  let path = '';
  let pen = 'M';
  for (const [at, value] of points) {
    if (!Number.isFinite(at) || !Number.isFinite(value)) pen = 'M';
    else {
      path += `${pen}${x(at)} ${y(value)}`;
      pen = 'L';
    }
  }
  return path;
}

/** Points as one path of dots, which takes a dozen bytes each. */
export const dotsPath = (points: readonly (readonly [x: number, y: number])[], { x, y }: Scales): string =>
  points.map(([at, value]) => `M${x(at)} ${y(value)}h0`).join('');

/** Low and high of an axis that shows all values, with a little air; at least `least` apart. */
export function range(values: readonly number[], least = 1e-9): readonly [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) return [0, 1];
  const air = Math.max((high - low) * 0.04, (least - (high - low)) / 2, 0);
  return [low - air, high + air];
}

/** Round numbers between low and high, about `wanted` of them (Heckbert 1990, "Nice numbers for graph labels"). */
export function ticks(low: number, high: number, wanted: number): readonly number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

const round = (value: number): number => Math.round(value * 10) / 10;
