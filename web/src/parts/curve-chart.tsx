import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, look } from '../theme.ts';

export interface Curve {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** One of the colours of the style sheet; default: the next of the series. */
  readonly colour?: string;
  /** Filled down to zero. */
  readonly filled?: boolean;
  readonly dashed?: boolean;
  readonly points?: boolean;
}

/** Ticks in the order of ISO 8601, as precise as they stand apart. */
const days = (_: uPlot, ticks: readonly number[], __: number, ___: number, step: number): string[] =>
  ticks.map((tick) => {
    const text = new Date(tick * 1000).toISOString();
    return step >= 28 * 86_400 ? text.slice(0, 7) : step >= 86_400 ? text.slice(5, 10) : text.slice(11, 16);
  });

const known = (value: number | null | undefined, digits: number, unit = ''): string =>
  value === null || value === undefined
    ? '–'
    : `${value.toLocaleString('en', { maximumFractionDigits: digits })}${unit}`;

/** Curves over time, or over anything else that grows. Drag to look closer, double-click to see all. */
export default function CurveChart({
  x,
  curves,
  label,
  height = 240,
  time = true,
  digits = 2,
  unit = '',
  log = false,
  xLabel,
}: {
  /** Epoch ms where `time`. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly label: string;
  readonly height?: number;
  readonly time?: boolean;
  readonly digits?: number;
  readonly unit?: string;
  readonly log?: boolean;
  readonly xLabel?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const seen = look.value;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const show = (value: number | null | undefined): string => known(value, digits, unit);
    const axis = {
      stroke: colour('muted'),
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { stroke: colour('line'), width: 1, size: 4 },
      font: `11px ${getComputedStyle(document.body).fontFamily}`,
    };
    const plot = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), 'Etc/UTC'),
        cursor: { drag: { x: true, y: false }, points: { size: 6 } },
        legend: { live: true },
        scales: { x: { time }, y: log ? { distr: 3 } : {} },
        axes: [
          {
            ...axis,
            size: xLabel === undefined ? 30 : 26,
            ...(time && { values: days }),
            ...(xLabel !== undefined && { label: xLabel, labelSize: 16, labelFont: axis.font }),
          },
          { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : show(tick))) },
        ],
        series: [
          time
            ? { value: '{YYYY}-{MM}-{DD} {HH}:{mm}' }
            : { label: xLabel ?? 'x', value: (_, value) => known(value, digits) },
          ...curves.map(({ name, colour: own, filled, dashed, points }, i) => {
            const stroke = colour(own ?? `series-${(i % 8) + 1}`);
            return {
              label: name,
              stroke,
              width: 1.4,
              ...(filled === true && { fill: `${stroke}2e` }),
              ...(dashed === true && { dash: [5, 4] }),
              points: { show: points === true, size: 6 },
              spanGaps: true,
              value: (_: uPlot, value: number | null) => show(value),
            };
          }),
        ],
      },
      [time ? x.map((ms) => ms / 1000) : [...x], ...curves.map(({ values }) => [...values])],
      element,
    );
    // Without a cursor, what the curves end at.
    const rest = (): void => plot.setLegend({ idx: x.length - 1 }, false);
    plot.over.addEventListener('mouseleave', rest);
    // It draws in a microtask, and clears the legend there.
    queueMicrotask(rest);
    const observer = new ResizeObserver(
      () => (plot.setSize({ width: Math.max(200, element.clientWidth), height }), queueMicrotask(rest)),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [x, curves, seen, height]);
  const ends = curves.map(
    ({ name, values }) =>
      `${name} ${values.findLast((value) => value !== null)?.toFixed(digits) ?? 'nothing'}`,
  );
  return <div ref={box} class="curve" role="img" aria-label={`${label}: ${ends.join(', ')}`} />;
}
