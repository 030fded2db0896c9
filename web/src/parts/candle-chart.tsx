import {
  BarSeries,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type SeriesMarker,
  type SeriesType,
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
  /** Bars of the horizon, and how long one is. */
  readonly steps: number;
  readonly stepMs: number;
  readonly close: number;
  readonly prices: readonly number[];
}

const at = (ms: number): UTCTimestamp => Math.floor(ms / 1000) as UTCTimestamp;

/** What is seen at first. */
const FIRST_BARS = 240;
const FREE_BARS = 6;

/**
 * Candles with volume, fills, levels and a forecast. Times are UTC. New bars move the view along where its newest bar was in sight, and
 * leave it where it is elsewhere.
 */
export default function CandleChart({
  bars,
  marks = [],
  levels = [],
  fan,
  averages = [],
  label,
  height = 380,
  focusMs,
  live,
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
  /** The last price at the exchange. */
  readonly live?: number | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const made = useRef<Made | undefined>(undefined);
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
      timeScale: {
        timeVisible: true,
        secondsVisible: false,
        borderColor: colour('line'),
        rightOffset: FREE_BARS,
        minBarSpacing: 0.02,
      },
      rightPriceScale: { borderColor: colour('line'), scaleMargins: { top: 0.06, bottom: 0.22 } },
      localization: { locale: 'en-GB' },
    });
    made.current = { chart, drawn: undefined, of: '', bars: 0 };
    return () => {
      made.current = undefined;
      chart.remove();
    };
  }, [seen]);
  useEffect(() => {
    const own = made.current;
    if (own === undefined) return;
    const scale = own.chart.timeScale();
    const [range, times] = [scale.getVisibleLogicalRange(), scale.getVisibleRange()];
    for (const series of own.drawn?.all ?? []) own.chart.removeSeries(series);
    own.drawn = draw(own.chart, { bars, marks, levels, fan, averages });
    const last = bars.time.length;
    if (focusMs !== undefined) scale.setVisibleRange({ from: at(focusMs[0]), to: at(focusMs[1]) });
    else if (own.of !== label || range === null || times === null)
      scale.setVisibleLogicalRange({
        from: Math.max(0, last - FIRST_BARS + FREE_BARS),
        to: last + Math.max(FREE_BARS, (fan?.steps ?? 0) + 2),
      });
    else if (range.to >= own.bars - 1)
      scale.setVisibleLogicalRange({ from: range.from + last - own.bars, to: range.to + last - own.bars });
    else scale.setVisibleRange(times);
    own.of = label;
    own.bars = last;
  }, [bars, marks, levels, fan, averages.join(), seen, label, focusMs?.join()]);
  useEffect(() => {
    const candles = made.current?.drawn?.candles;
    if (candles === undefined || live === undefined) return;
    const line = candles.createPriceLine({
      price: live,
      title: 'now',
      color: colour('accent'),
      lineWidth: 1,
      lineStyle: LineStyle.SparseDotted,
      axisLabelVisible: true,
    });
    return () => {
      if (made.current?.drawn?.candles === candles) candles.removePriceLine(line);
    };
  }, [live, bars, marks, levels, fan, seen]);
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

interface Made {
  readonly chart: IChartApi;
  drawn: Drawn | undefined;
  /** What it showed last: which market, and how many bars. */
  of: string;
  bars: number;
}

interface Drawn {
  readonly candles: ISeriesApi<'Candlestick'> | ISeriesApi<'Bar'>;
  readonly all: readonly ISeriesApi<SeriesType>[];
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
): Drawn {
  const all: ISeriesApi<SeriesType>[] = [];
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
  all.push(series);
  if (bars.volume !== undefined) {
    const volume = chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    all.push(volume);
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
    all.push(line);
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
      all.push(line);
      // A point for each bar: the chart gives no room to bars that have none.
      line.setData(
        Array.from({ length: fan.steps + 1 }, (_, step) => ({
          time: at(fan.fromMs + step * fan.stepMs),
          value: fan.close + ((price - fan.close) * step) / fan.steps,
        })),
      );
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
  return { candles: series, all };
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
