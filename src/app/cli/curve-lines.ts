import type { Output } from './output.ts';
import { sparkline } from '../dashboard/sparkline.ts';

/** Equity of a backtest at bar closes. */
export interface Curves {
  readonly initialBalance: number;
  readonly ensemble: ArrayLike<number>;
  readonly benchmark: ArrayLike<number>;
  readonly benchmarkName: string;
}

/**
 * Equity of ensemble and benchmark, on one scale, and how far the ensemble was under its highest, as block characters on a
 * terminal `width` columns wide; on a wide one the ensemble is taller. Nothing where there is too little to draw.
 */
export function curveLines(curves: Curves, width: number): readonly string[] {
  const { initialBalance, benchmarkName } = curves;
  const [own, other] = [curves.ensemble, curves.benchmark].map((values) => Array.from(values));
  if (own.length < 20 || width < 60) return [];
  const names = ['ensemble', benchmarkName, 'drawdown'];
  const room = Math.max(...names.map(({ length }) => length)) + 2;
  const across = width - room - 22;
  let peak = initialBalance;
  const depth = own.map((value) => 100 * (1 - value / (peak = Math.max(peak, value))));
  const deepest = depth.reduce((a, b) => Math.max(a, b), 0);
  const all = [...own, ...other];
  const scale = { low: all.reduce((a, b) => Math.min(a, b)), high: all.reduce((a, b) => Math.max(a, b)) };
  const tall = width >= 110 ? 3 : 2;
  const drawn = (name: string, values: readonly number[], rows: number, range: typeof scale, note: string) =>
    sparkline(values, across, rows, range).map(
      (line, r) =>
        `${(r === rows - 1 ? name : '').padEnd(room)}${line.padEnd(across)}${r === rows - 1 ? `  ${note}` : ''}`,
    );
  const ends = (values: readonly number[]): string =>
    `${money(initialBalance)} -> ${money(values[values.length - 1])}`;
  return [
    ...drawn(names[0], own, tall, scale, ends(own)),
    ...drawn(names[1], other, 1, scale, ends(other)),
    ...drawn(
      names[2],
      depth,
      1,
      { low: 0, high: Math.max(deepest, 1e-9) },
      `deepest -${deepest.toFixed(1)} %`,
    ),
  ].map((line) => line.trimEnd());
}

/** Draws them where a person looks: on a terminal, never on a pipe. */
export function printCurves(
  out: Pick<Output, 'frame'>,
  curves: Curves,
  screen: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout,
): void {
  if (!screen.isTTY) return;
  const lines = curveLines(curves, screen.columns || 80);
  if (lines.length > 0) out.frame(`${lines.join('\n')}\n`);
}

/** Of a table of equity curves as `equity.csv` has them: time, ensemble, others, benchmark, exposure. */
export function curvesOfCsv(text: string, initialBalance: number, benchmarkName: string): Curves {
  const rows = text.trimEnd().split('\n').slice(1);
  const column = (at: number): number[] => rows.map((row) => Number(row.split(',').at(at)));
  return { initialBalance, ensemble: column(1), benchmark: column(-2), benchmarkName };
}

const money = (value: number): string => value.toFixed(Math.abs(value) < 100 ? 2 : 0);
