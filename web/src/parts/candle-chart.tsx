import {
  BarSeries,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  type IChartApi,
  LineSeries,
  LineStyle,
  type SeriesMarker,
  type UTCTimestamp,
} from 'lightweight-charts';
import { useEffect, useRef } from 'preact/hooks';
import { candleStyle, colour, look } from '../theme.ts';

export interface Bars {
  /** Opens of the bars, epoch ms UTC. */
  readonly time: readonly number[];
  readonly open: readonly number[];
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
  readonly volume?: readonly number[];
}

export interface Mark {
  readonly timeMs: number;
  readonly side: 'buy' | 'sell';
  readonly text: string;
}

/** A price on all bars, such as a stop. */
export interface Level {
  readonly price: number;
  readonly text: string;
  readonly kind: 'stop' | 'take' | 'entry';
}

/** What a model says of the price some bars ahead: quantiles of it, the lowest first. */
export interface Fan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly close: number;
  readonly prices: readonly number[];
}

const at = (ms: number): UTCTimestamp => Math.floor(ms / 1000) as UTCTimestamp;

/** Candles with volume, fills, levels and a forecast. Times are UTC. */
export default function CandleChart({
  bars,
  marks = [],
  levels = [],
  fan,
  averages = [],
  label,
  height = 380,
  focusMs,
}: {
  readonly bars: Bars;
  readonly marks?: readonly Mark[];
  readonly levels?: readonly Level[];
  readonly fan?: Fan | undefined;
  /** Lengths of simple moving averages of the close. */
  readonly averages?: readonly number[];
  readonly label: string;
  readonly height?: number;
  /** A time to look at, from and to. */
  readonly focusMs?: readonly [number, number] | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const seen = look.value;
  useEffect(() => {
    if (box.current === null) return;
    const chart = createChart(box.current, {
      autoSize: true,
      layout: {
        background: { color: 'transparent' },
        textColor: colour('muted'),
        fontSize: 11,
        fontFamily: getComputedStyle(document.body).fontFamily,
        // Named on the page of settings, with its address.
        attributionLogo: false,
      },
      grid: { vertLines: { color: colour('grid') }, horzLines: { color: colour('grid') } },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { timeVisible: true, secondsVisible: false, borderColor: colour('line'), rightOffset: 6 },
      rightPriceScale: { borderColor: colour('line'), scaleMargins: { top: 0.06, bottom: 0.22 } },
      localization: { locale: 'en-GB' },
    });
    draw(chart, { bars, marks, levels, fan, averages });
    if (focusMs !== undefined)
      chart.timeScale().setVisibleRange({ from: at(focusMs[0]), to: at(focusMs[1]) });
    else {
      const last = bars.time.length + 6;
      chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, last - 240), to: last });
    }
    return () => chart.remove();
  }, [bars, marks, levels, fan, averages.join(), seen, focusMs?.join()]);
  const last = bars.close.at(-1);
  return (
    <div
      ref={box}
      class="chart"
      role="img"
      aria-label={`${label}: ${bars.time.length} bars${last === undefined ? '' : `, last close ${last}`}, ${marks.length} fills`}
      style={{ height: `${height}px` }}
    />
  );
}

function draw(
  chart: IChartApi,
  {
    bars,
    marks,
    levels,
    fan,
    averages,
  }: {
    readonly bars: Bars;
    readonly marks: readonly Mark[];
    readonly levels: readonly Level[];
    readonly fan: Fan | undefined;
    readonly averages: readonly number[];
  },
): void {
  const [up, down] = [colour('up'), colour('down')];
  const close = bars.close.at(-1) ?? 1;
  const precision = close >= 1000 ? 1 : close >= 10 ? 2 : close >= 0.1 ? 4 : 7;
  const priceFormat = { type: 'price', precision, minMove: 10 ** -precision } as const;
  const data = bars.time.map((ms, i) => ({
    time: at(ms),
    open: bars.open[i],
    high: bars.high[i],
    low: bars.low[i],
    close: bars.close[i],
  }));
  const hollow = candleStyle.value === 'hollow';
  const series =
    candleStyle.value === 'bars'
      ? chart.addSeries(BarSeries, { upColor: up, downColor: down, priceFormat })
      : chart.addSeries(CandlestickSeries, {
          upColor: hollow ? 'transparent' : up,
          downColor: down,
          borderUpColor: up,
          borderDownColor: down,
          wickUpColor: up,
          wickDownColor: down,
          priceFormat,
        });
  series.setData(data);
  if (bars.volume !== undefined) {
    const volume = chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    const { volume: amounts } = bars;
    const [upSoft, downSoft] = [colour('up-soft'), colour('down-soft')];
    volume.setData(
      data.map(({ time, open, close: end }, i) => ({
        time,
        value: amounts[i],
        color: end >= open ? upSoft : downSoft,
      })),
    );
  }
  averages.forEach((length, i) => {
    const line = chart.addSeries(LineSeries, {
      ...QUIET,
      color: colour(`series-${i + 1}`),
      lineWidth: 1,
    });
    line.setData(
      average(bars.close, length).map((value, row) => ({ time: data[row + length - 1].time, value })),
    );
  });
  for (const { price, text, kind } of levels)
    series.createPriceLine({
      price,
      title: text,
      color: kind === 'entry' ? colour('muted') : kind === 'stop' ? down : up,
      lineWidth: 1,
      lineStyle: LineStyle.Dashed,
      axisLabelVisible: true,
    });
  if (fan !== undefined) {
    const middle = (fan.prices.length - 1) / 2;
    fan.prices.forEach((price, i) => {
      const line = chart.addSeries(LineSeries, {
        ...QUIET,
        color: colour('accent'),
        lineWidth: i === middle ? 2 : 1,
        lineStyle: i === middle ? LineStyle.Solid : LineStyle.Dotted,
      });
      line.setData([
        { time: at(fan.fromMs), value: fan.close },
        { time: at(fan.toMs), value: price },
      ]);
    });
  }
  const markers: SeriesMarker<UTCTimestamp>[] = marks
    .filter(({ timeMs }) => timeMs >= (bars.time[0] ?? Infinity))
    .map(({ timeMs, side, text }) => ({
      time: at(timeMs),
      position: side === 'buy' ? 'belowBar' : 'aboveBar',
      shape: side === 'buy' ? 'arrowUp' : 'arrowDown',
      color: side === 'buy' ? up : down,
      text,
    }));
  createSeriesMarkers(series, markers);
}

const QUIET = { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false } as const;

function average(values: readonly number[], length: number): readonly number[] {
  const means: number[] = [];
  let sum = 0;
  values.forEach((value, i) => {
    sum += value - (i >= length ? values[i - length] : 0);
    if (i >= length - 1) means.push(sum / length);
  });
  return means;
}
