import { describe, expect, it } from 'vitest';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import {
  type At,
  back,
  candles,
  change,
  close,
  closes,
  correlation,
  DAY,
  deviation,
  ema,
  gain,
  high,
  highest,
  last,
  log,
  loss,
  low,
  lowest,
  mean,
  middle,
  moment,
  move,
  named,
  open,
  or,
  place,
  product,
  range,
  rows,
  score,
  series,
  sma,
  squares,
  sum,
  time,
  trueRange,
  typical,
  volume,
  width,
  wilder,
} from './written-out.ts';

/*
 * Every feature of the symbol's own candles, from its definition over the whole window at one bar. What the kernels keep between bars has to come to
 * the same number.
 */

const price: Record<string, At> = {
  ...named([1, 2, 3, 5, 10, 15, 30], (n) => ({
    [`return_${n}`]: back(n),
    [`log_return_${n}`]: (t) => Math.log(close[t]) - Math.log(close[t - n]),
  })),
  ...named([1, 3, 7], (days) => ({ [`return_${days}d`]: back(days * DAY) })),
  open_gap: (t) => (open[t] - close[t - 1]) / close[t - 1],
  bar_return: (t) => (close[t] - open[t]) / open[t],
  close_location: (t) => place(close[t], low[t], high[t]),
  typical_distance: (t) => close[t] / typical[t] - 1,
  ...named([7, 25, 99, 200], (n) => {
    const [simple, exponential] = [sma(close, n), ema(close, n)];
    return {
      [`sma_distance_${n}`]: (t) => close[t] / simple[t] - 1,
      [`ema_distance_${n}`]: (t) => close[t] / exponential[t] - 1,
    };
  }),
  ...named(
    [
      [7, 25],
      [25, 99],
      [99, 200],
    ],
    ([fast, slow]) => ({
      [`ma_spread_${fast}_${slow}`]: (t) => mean(last(close, fast, t)) / mean(last(close, slow, t)) - 1,
    }),
  ),
  bollinger_position: (t) => {
    const half = 2 * Math.sqrt(moment(last(close, 20, t), 2));
    const centre = mean(last(close, 20, t));
    return place(close[t], centre - half, centre + half);
  },
  bollinger_width: (t) => (4 * Math.sqrt(moment(last(close, 20, t), 2))) / mean(last(close, 20, t)),
  ...named([50, 200], (n) => ({ [`price_score_${n}`]: (t) => score(last(close, n, t)) })),
  ...named([20, 50, 100, 200], (n) => ({
    [`resistance_distance_${n}`]: (t) => highest(n, t) / close[t] - 1,
    [`support_distance_${n}`]: (t) => close[t] / lowest(n, t) - 1,
    [`range_position_${n}`]: (t) => place(close[t], lowest(n, t), highest(n, t)),
  })),
};

const money = product(typical, volume);
const accumulation = series((t) => or((2 * close[t] - high[t] - low[t]) / (high[t] - low[t]), 0) * volume[t]);
const accumulated = series((t) => sum(last(accumulation, t + 1, t)));
const signed = series((t) => Math.sign(change[t]) * volume[t]);
const forced = product(move, volume);
const vwap =
  (n: number): At =>
  (t) =>
    or(sum(last(money, n, t)) / sum(last(volume, n, t)), close[t]);
const [chaikinFast, chaikinSlow, force] = [ema(accumulated, 3), ema(accumulated, 10), ema(forced, 13)];
const [volumeFast, volumeSlow] = [ema(volume, 12), ema(volume, 26)];
const volumeLine = series((t) => volumeFast[t] - volumeSlow[t]);
const volumeSignal = ema(volumeLine, 9);

const traded: Record<string, At> = {
  ...named([5, 20, 50], (n) => ({ [`volume_ratio_${n}`]: (t) => volume[t] / mean(last(volume, n, t)) })),
  volume_ratio_5_50: (t) => mean(last(volume, 5, t)) / mean(last(volume, 50, t)),
  ...named([20, 50], (n) => ({
    [`volume_score_${n}`]: (t) => score(last(volume, n, t)),
    // Granville: the line rises by the volume of a rising close and falls by that of a falling one.
    [`obv_balance_${n}`]: (t) => sum(last(signed, n, t)) / sum(last(volume, n, t)),
  })),
  volume_variation_20: (t) => deviation(last(volume, 20, t)) / mean(last(volume, 20, t)),
  volume_change_1: (t) => Math.log((1 + volume[t]) / (1 + volume[t - 1])),
  volume_concentration_24: (t) => {
    const day = last(volume, 24, t);
    return 24 * sum(day.map((value) => (value / sum(day)) ** 2));
  },
  zero_volume_share_50: (t) => last(volume, 50, t).filter((value) => value === 0).length / 50,
  money_flow_20: (t) => sum(last(accumulation, 20, t)) / sum(last(volume, 20, t)),
  accumulation_oscillator: (t) => (chaikinFast[t] - chaikinSlow[t]) / mean(last(volume, 20, t)),
  mfi_14: (t) => {
    const rising = range(t - 13, t + 1).map((i) => Math.sign(typical[i] - typical[i - 1]) * money[i]);
    const up = sum(rising.filter((value) => value > 0));
    return (100 * up) / (up - sum(rising.filter((value) => value < 0)));
  },
  force_13: (t) => force[t] / mean(last(volume, 20, t)),
  volume_price_trend_20: (t) => sum(last(forced, 20, t)) / sum(last(volume, 20, t)),
  vwap_distance_20: (t) => close[t] / vwap(20)(t) - 1,
  vwap_distance_100: (t) => close[t] / vwap(100)(t) - 1,
  vwap_distance_1d: (t) => close[t] / vwap(DAY)(t) - 1,
  vwap_distance_day: (t) => {
    const since = rows.findIndex((i) => Math.floor(time[i] / 864e5) === Math.floor(time[t] / 864e5));
    return close[t] / vwap(t - since + 1)(t) - 1;
  },
  vwap_score_20: (t) => (close[t] - vwap(20)(t)) / deviation(last(close, 20, t)),
  volume_price_correlation_20: (t) => correlation(last(move, 20, t), last(volume, 20, t)),
  volume_volatility_correlation_50: (t) => correlation(last(move, 50, t).map(Math.abs), last(volume, 50, t)),
  illiquidity_20: (t) =>
    Math.log(
      1 + mean(range(t - 19, t + 1).map((i) => or((1e6 * Math.abs(move[i])) / (close[i] * volume[i]), 0))),
    ),
  corwin_schultz_20: (t) =>
    mean(
      range(t - 19, t + 1).map((i) => {
        const single = Math.log(high[i] / low[i]) ** 2 + Math.log(high[i - 1] / low[i - 1]) ** 2;
        const both = Math.log(highest(2, i) / lowest(2, i)) ** 2;
        const k = 3 - 2 * Math.sqrt(2);
        const alpha = (Math.sqrt(2 * single) - Math.sqrt(single)) / k - Math.sqrt(both / k);
        return Math.max(0, (2 * (Math.exp(alpha) - 1)) / (1 + Math.exp(alpha)));
      }),
    ),
  quote_volume_log: (t) => Math.log(1 + close[t] * volume[t]),
  volume_oscillator: (t) => volumeLine[t] / volumeSlow[t],
  volume_oscillator_histogram: (t) => (volumeLine[t] - volumeSignal[t]) / volumeSlow[t],
};

const volatility20 = series((t) => deviation(last(log, 20, t)));
const atr = Object.fromEntries([7, 10, 14, 28].map((n) => [n, wilder(trueRange, n)]));
const [decay94, decay97] = [ema(squares, 20, 0.06), ema(squares, 20, 0.03)];
const mean20 = ema(close, 20);
const satchell = series(
  (t) =>
    Math.log(high[t] / close[t]) * Math.log(high[t] / open[t]) +
    Math.log(low[t] / close[t]) * Math.log(low[t] / open[t]),
);
const body = series((t) => Math.log(close[t] / open[t]));
const gap = series((t) => Math.log(open[t] / close[t - 1]));
const fall = series((t) => close[t] / Math.max(...last(close, 14, t)) - 1);

const volatility: Record<string, At> = {
  ...named([5, 10, 20, 50, 100], (n) => ({ [`volatility_${n}`]: (t) => deviation(last(log, n, t)) })),
  ...named([5, 10, 20, 50], (days) => ({
    [`volatility_${days}d`]: (t) => deviation(last(log, days * DAY, t)),
  })),
  volatility_ratio_5_20: (t) => deviation(last(log, 5, t)) / volatility20[t],
  volatility_ratio_20_100: (t) => volatility20[t] / deviation(last(log, 100, t)),
  volatility_of_volatility_20: (t) => deviation(last(volatility20, 20, t)) / mean(last(volatility20, 20, t)),
  volatility_score_200: (t) => score(last(volatility20, 200, t)),
  downside_volatility_20: (t) => Math.sqrt(mean(last(log, 20, t).map((value) => Math.min(0, value) ** 2))),
  upside_volatility_20: (t) => Math.sqrt(mean(last(log, 20, t).map((value) => Math.max(0, value) ** 2))),
  largest_move_20: (t) => Math.max(...last(log, 20, t).map(Math.abs)),
  jump_share_50: (t) => {
    const bipower = mean(range(t - 49, t + 1).map((i) => Math.abs(log[i] * log[i - 1])));
    return Math.max(0, 1 - ((Math.PI / 2) * bipower) / mean(last(squares, 50, t)));
  },
  ...named([10, 20, 50], (n) => ({
    [`parkinson_${n}`]: (t) =>
      Math.sqrt(
        sum(range(t - n + 1, t + 1).map((i) => Math.log(high[i] / low[i]) ** 2)) / (4 * n * Math.log(2)),
      ),
    [`garman_klass_${n}`]: (t) =>
      Math.sqrt(
        mean(
          range(t - n + 1, t + 1).map(
            (i) => 0.5 * Math.log(high[i] / low[i]) ** 2 - (2 * Math.log(2) - 1) * body[i] ** 2,
          ),
        ),
      ),
    [`rogers_satchell_${n}`]: (t) => Math.sqrt(mean(last(satchell, n, t))),
    [`yang_zhang_${n}`]: (t) => {
      const k = 0.34 / (1.34 + (n + 1) / (n - 1));
      return Math.sqrt(
        deviation(last(gap, n, t)) ** 2 +
          k * deviation(last(body, n, t)) ** 2 +
          (1 - k) * mean(last(satchell, n, t)),
      );
    },
  })),
  true_range: (t) => trueRange[t] / close[t],
  ...named([7, 14, 28], (n) => ({ [`atr_${n}`]: (t) => atr[n][t] / close[t] })),
  atr_ratio_7_28: (t) => atr[7][t] / atr[28][t],
  true_range_ratio_14: (t) => trueRange[t] / atr[14][t],
  high_low_range: (t) => width[t],
  high_low_range_mean_20: (t) => mean(last(width, 20, t)),
  high_low_range_score_50: (t) => score(last(width, 50, t)),
  keltner_position: (t) => (close[t] - mean20[t]) / atr[10][t],
  squeeze: (t) => (2 * Math.sqrt(moment(last(close, 20, t), 2))) / (1.5 * atr[10][t]),
  ulcer_14: (t) => Math.sqrt(mean(last(fall, 14, t).map((value) => value ** 2))),
  ewma_volatility_94: (t) => Math.sqrt(decay94[t]),
  ewma_volatility_97: (t) => Math.sqrt(decay97[t]),
  ...named([1, 7, 30], (days) => ({
    [`realised_volatility_${days}d`]: (t) => Math.sqrt(mean(last(squares, days * DAY, t))),
  })),
  skewness_50: (t) => moment(last(log, 50, t), 3) / moment(last(log, 50, t), 2) ** 1.5,
  kurtosis_50: (t) => moment(last(log, 50, t), 4) / moment(last(log, 50, t), 2) ** 2 - 3,
};

const rsi = Object.fromEntries(
  [7, 14, 28].map((n) => {
    const [up, down] = [wilder(gain, n), wilder(loss, n)];
    return [n, series((t) => 100 - 100 / (1 + up[t] / down[t]))];
  }),
);
const strongest = series((t) =>
  place(rsi[14][t], Math.min(...last(rsi[14], 14, t)), Math.max(...last(rsi[14], 14, t))),
);
const macds = Object.fromEntries(
  (
    [
      ['macd', 12, 26, 9],
      ['macd_fast', 5, 35, 5],
      ['macd_slow', 24, 52, 18],
    ] as const
  ).map(([name, fast, slow, smooth]) => {
    const [short, long] = [ema(close, fast), ema(close, slow)];
    const line = series((t) => short[t] - long[t]);
    return [name, { line, signal: ema(line, smooth) }];
  }),
);
const triple = ema(ema(ema(close, 15), 15), 15);
const trix = series((t) => triple[t] / triple[t - 1] - 1);
const trixSignal = ema(trix, 9);
const smoothMove = ema(ema(change, 25), 13);
const smoothSize = ema(ema(change.map(Math.abs), 25), 13);
const lane = series((t) => 100 * place(close[t], lowest(14, t), highest(14, t)));
const laneSlow = sma(lane, 3);
const awesome = series((t) => mean(last(middle, 5, t)) - mean(last(middle, 34, t)));
const pressure = series((t) => close[t] - Math.min(low[t], close[t - 1]));
const mean13 = ema(close, 13);
const fisher = ehlers();

const momentum: Record<string, At> = {
  ...named([7, 14, 28], (n) => ({ [`rsi_${n}`]: (t) => rsi[n][t] })),
  rsi_14_change_5: (t) => rsi[14][t] - rsi[14][t - 5],
  stoch_rsi_k: (t) => 100 * mean(last(strongest, 3, t)),
  stoch_rsi_d: (t) => 100 * mean(last(sma(strongest, 3), 3, t)),
  cmo_14: (t) => {
    const [up, down] = [sum(last(gain, 14, t)), sum(last(loss, 14, t))];
    return (100 * (up - down)) / (up + down);
  },
  ...named(Object.keys(macds), (name) => {
    const { line, signal } = macds[name];
    return {
      [`${name}_line`]: (t) => line[t] / close[t],
      [`${name}_signal`]: (t) => signal[t] / close[t],
      [`${name}_histogram`]: (t) => (line[t] - signal[t]) / close[t],
    };
  }),
  macd_histogram_change: (t) => {
    const { line, signal } = macds['macd'];
    return (line[t] - signal[t] - (line[t - 1] - signal[t - 1])) / close[t];
  },
  trix_15: (t) => trix[t],
  trix_signal: (t) => trixSignal[t],
  tsi_25_13: (t) => smoothMove[t] / smoothSize[t],
  detrended_20: (t) => close[t - 11] / mean(last(close, 20, t)) - 1,
  coppock: (t) => sum(range(0, 10).map((i) => (10 - i) * (back(14)(t - i) + back(11)(t - i)))) / 55,
  kst: (t) =>
    sum(
      [
        [1, 10, 10],
        [2, 15, 10],
        [3, 20, 10],
        [4, 30, 15],
      ].map(([weight, n, smooth]) => weight * mean(range(t - smooth + 1, t + 1).map(back(n)))),
    ),
  stochastic_k_14: (t) => lane[t],
  stochastic_d_14: (t) => laneSlow[t],
  stochastic_slow_d_14: (t) => mean(last(laneSlow, 3, t)),
  ...named([14, 20], (n) => ({
    [`cci_${n}`]: (t) => {
      const values = last(typical, n, t);
      const spread = mean(values.map((value) => Math.abs(value - mean(values))));
      return (typical[t] - mean(values)) / (0.015 * spread);
    },
  })),
  awesome: (t) => awesome[t] / close[t],
  accelerator: (t) => (awesome[t] - mean(last(awesome, 5, t))) / close[t],
  ultimate: (t) => {
    const share = (n: number): number => sum(last(pressure, n, t)) / sum(last(trueRange, n, t));
    return (100 * (4 * share(7) + 2 * share(14) + share(28))) / 7;
  },
  aroon_25: (t) => {
    const [tops, bottoms] = [last(high, 26, t), last(low, 26, t)];
    return 4 * (tops.lastIndexOf(Math.max(...tops)) - bottoms.lastIndexOf(Math.min(...bottoms)));
  },
  vortex_14: (t) => {
    const bars = range(t - 13, t + 1);
    const up = sum(bars.map((i) => Math.abs(high[i] - low[i - 1])));
    const down = sum(bars.map((i) => Math.abs(low[i] - high[i - 1])));
    return (up - down) / sum(last(trueRange, 14, t));
  },
  balance_of_power_14: (t) =>
    mean(range(t - 13, t + 1).map((i) => or((close[i] - open[i]) / (high[i] - low[i]), 0))),
  elder_bull_13: (t) => high[t] / mean13[t] - 1,
  elder_bear_13: (t) => low[t] / mean13[t] - 1,
  fisher_10: (t) => fisher[t],
  ...named([5, 10, 20, 50], (n) => ({
    [`momentum_score_${n}`]: (t) => (mean(last(log, n, t)) / deviation(last(log, n, t))) * Math.sqrt(n),
  })),
  up_share_20: (t) => mean(last(change, 20, t).map((value) => (value > 0 ? 1 : value < 0 ? 0 : 0.5))),
  acceleration_10: (t) => sum(last(log, 10, t)) - sum(last(log, 10, t - 10)),
};

/** Ehlers 2002, Using the Fisher transform, as printed there: .33 and .67, .5 and .5. */
function ehlers(): number[] {
  let [value, transform] = [0, 0];
  return series((t) => {
    if (t < 9) return NaN;
    const [top, bottom] = [Math.max(...last(middle, 10, t)), Math.min(...last(middle, 10, t))];
    value = 0.33 * 2 * (place(middle[t], bottom, top) - 0.5) + 0.67 * value;
    value = Math.min(0.999, Math.max(-0.999, value));
    transform = 0.5 * Math.log((1 + value) / (1 - value)) + 0.5 * transform;
    return transform;
  });
}

const rise = series((t) => high[t] - high[t - 1]);
const drop = series((t) => low[t - 1] - low[t]);
const plus = wilder(
  series((t) => (t === 0 ? NaN : rise[t] > drop[t] && rise[t] > 0 ? rise[t] : 0)),
  14,
).map((value, t) => (100 * value) / atr[14][t]);
const minus = wilder(
  series((t) => (t === 0 ? NaN : drop[t] > rise[t] && drop[t] > 0 ? drop[t] : 0)),
  14,
).map((value, t) => (100 * value) / atr[14][t]);
const adx = wilder(
  series((t) => (100 * Math.abs(plus[t] - minus[t])) / (plus[t] + minus[t])),
  14,
);
const logs = series((t) => Math.log(close[t]));
/** Slope of a straight line through the last `n` values of ln close, and its correlation with time. */
const line = (n: number, t: number): { slope: number; fit: number } => {
  const [x, y] = [range(0, n), last(logs, n, t)];
  const fit = correlation(x, y);
  return { slope: (fit * deviation(y)) / deviation(x), fit: fit ** 2 * Math.sign(fit) };
};
const spanReturns = (n: number, count: number, t: number): number[] =>
  range(t - count + 1, t + 1).map((i) => logs[i] - logs[i - n]);
const cross = series((t) => Math.sign(mean(last(close, 50, t)) - mean(last(close, 200, t))));

const regime: Record<string, At> = {
  plus_di_14: (t) => plus[t],
  minus_di_14: (t) => minus[t],
  adx_14: (t) => adx[t],
  di_spread_14: (t) => plus[t] - minus[t],
  adx_14_change_5: (t) => adx[t] - adx[t - 5],
  trending: (t) => Number(adx[t] > 25),
  ranging: (t) => Number(adx[t] < 20),
  bull: (t) => Number(Math.min(close[t], mean(last(close, 50, t))) > mean(last(close, 200, t))),
  bear: (t) => Number(Math.max(close[t], mean(last(close, 50, t))) < mean(last(close, 200, t))),
  mean_alignment: (t) => {
    const levels = [1, 7, 25, 99].map((n) => mean(last(close, n, t)));
    return mean([0, 1, 2].map((i) => Math.sign(levels[i] - levels[i + 1])));
  },
  bars_since_cross: (t) => {
    let since = 0;
    while (cross[t - since - 1] === cross[t]) since++;
    return cross[t] * Math.log(1 + since);
  },
  volatility_class: (t) => {
    const now = score(last(volatility20, 200, t));
    return now > 0.5 ? 2 : now < -0.5 ? 0 : 1;
  },
  ...named([20, 50], (n) => ({
    [`slope_${n}`]: (t) => line(n, t).slope,
    [`trend_strength_${n}`]: (t) => line(n, t).fit,
  })),
  ...named([10, 20, 50], (n) => ({
    [`efficiency_${n}`]: (t) => Math.abs(close[t] - close[t - n]) / sum(last(change, n, t).map(Math.abs)),
  })),
  choppiness_14: (t) =>
    (100 * Math.log10(sum(last(trueRange, 14, t)) / (highest(14, t) - lowest(14, t)))) / Math.log10(14),
  hurst_100: (t) => {
    const x = [1, 2, 4, 8, 16].map(Math.log);
    const y = [1, 2, 4, 8, 16].map((n) => Math.log(deviation(spanReturns(n, 100, t))));
    return (correlation(x, y) * deviation(y)) / deviation(x);
  },
  ...named([2, 5], (n) => ({
    [`variance_ratio_${n}`]: (t) => moment(spanReturns(n, 50, t), 2) / (n * moment(spanReturns(1, 50, t), 2)),
  })),
  ...named([50, 200], (n) => ({
    [`autocorrelation_1_${n}`]: (t) => correlation(last(log, n, t - 1), last(log, n, t)),
  })),
  volatility_clustering_100: (t) =>
    correlation(last(log, 100, t - 1).map(Math.abs), last(log, 100, t).map(Math.abs)),
};

const centre = (n: number, t: number): number => (highest(n, t) + lowest(n, t)) / 2;
const spanA: At = (t) => (centre(9, t) + centre(26, t)) / 2;
const spanB: At = (t) => centre(52, t);
const side: At = (t) =>
  close[t] > Math.max(spanA(t - 26), spanB(t - 26))
    ? 1
    : close[t] < Math.min(spanA(t - 26), spanB(t - 26))
      ? -1
      : 0;
const LEVELS = [0.236, 0.382, 0.5, 0.618, 0.786];
const retracement = (level: number, t: number): number =>
  highest(100, t) - level * (highest(100, t) - lowest(100, t));
const spring = series((t) => Number(low[t] < lowest(20, t - 1) && close[t] > lowest(20, t - 1)));
const upthrust = series((t) => Number(high[t] > highest(20, t - 1) && close[t] < highest(20, t - 1)));
const heikin = averagedBars();

const advanced: Record<string, At> = {
  ichimoku_conversion: (t) => close[t] / centre(9, t) - 1,
  ichimoku_base: (t) => close[t] / centre(26, t) - 1,
  ichimoku_span_a: (t) => close[t] / spanA(t - 26) - 1,
  ichimoku_span_b: (t) => close[t] / spanB(t - 26) - 1,
  ichimoku_lagging: back(26),
  ichimoku_cross: (t) => (centre(9, t) - centre(26, t)) / close[t],
  ichimoku_cloud_thickness: (t) => (spanA(t - 26) - spanB(t - 26)) / close[t],
  ichimoku_cloud_side: side,
  ichimoku_future_cloud: (t) => (spanA(t) - spanB(t)) / close[t],
  ichimoku_score: (t) =>
    mean([centre(9, t) - centre(26, t), side(t), spanA(t) - spanB(t), back(26)(t)].map(Math.sign)),
  ...named(LEVELS, (level) => ({
    [`fibonacci_distance_${1000 * level}`]: (t) => (close[t] - retracement(level, t)) / close[t],
  })),
  fibonacci_nearest: (t) =>
    Math.min(...LEVELS.map((level) => Math.abs(close[t] - retracement(level, t)))) /
    (highest(100, t) - lowest(100, t)),
  spring_20: (t) => spring[t],
  upthrust_20: (t) => upthrust[t],
  wyckoff_score: (t) => {
    const all = sum(last(volume, 50, t));
    const tests = sum(last(spring, 50, t)) - sum(last(upthrust, 50, t));
    return mean([sum(last(accumulation, 50, t)) / all, sum(last(signed, 50, t)) / all, Math.tanh(tests)]);
  },
  heikin_ashi_body: (t) => (heikin[t].close - heikin[t].open) / heikin[t].close,
  heikin_ashi_run: run((t) => Math.sign(heikin[t].close - heikin[t].open)),
  ...profile(120),
  ...swings(5),
};

/** Rows up to t in which `direction` was the same, signed; 0 where it is 0. */
function run(direction: At): At {
  return (t) => {
    let length = 0;
    while (direction(t) !== 0 && direction(t - length) === direction(t)) length++;
    return direction(t) * length;
  };
}

function averagedBars(): { open: number; close: number }[] {
  const bars: { open: number; close: number }[] = [];
  for (const t of rows)
    bars.push({
      open: t === 0 ? open[0] : (bars[t - 1].open + bars[t - 1].close) / 2,
      close: (open[t] + high[t] + low[t] + close[t]) / 4,
    });
  return bars;
}

/** Volume by price in 24 bins, and the 70 % around the fullest, which grows to the fuller side (the upper when equal). */
function profile(n: number): Record<string, At> {
  const of = (t: number) => {
    const [bottom, top] = [lowest(n, t), highest(n, t)];
    const edge = (bin: number): number => bottom + (bin * (top - bottom)) / 24;
    const bins = new Array<number>(24).fill(0);
    for (const i of range(t - n + 1, t + 1))
      bins[Math.min(23, Math.floor((24 * (typical[i] - bottom)) / (top - bottom)))] += volume[i];
    const fullest = bins.indexOf(Math.max(...bins));
    let [from, to] = [fullest, fullest + 1];
    while (sum(bins.slice(from, to)) < 0.7 * sum(bins))
      if ((bins[to] ?? -1) >= (bins[from - 1] ?? -1)) to++;
      else from--;
    const shares = bins.map((value) => value / sum(bins)).filter((share) => share > 0);
    const entropy = -sum(shares.map((share) => share * Math.log(share))) / Math.log(24);
    return { poc: (edge(fullest) + edge(fullest + 1)) / 2, low: edge(from), high: edge(to), entropy };
  };
  return {
    profile_poc_distance: (t) => close[t] / of(t).poc - 1,
    profile_vah_distance: (t) => close[t] / of(t).high - 1,
    profile_val_distance: (t) => close[t] / of(t).low - 1,
    profile_value_width: (t) => (of(t).high - of(t).low) / of(t).poc,
    profile_side: (t) => (close[t] > of(t).high ? 1 : close[t] < of(t).low ? -1 : 0),
    profile_entropy: (t) => of(t).entropy,
  };
}

/** Extremes of `n` bars on either side, newest last, among those confirmed by row t. */
function swings(n: number): Record<string, At> {
  const tops = rows.filter((t) => t >= n && high[t] === Math.max(...last(high, 2 * n + 1, t + n)));
  const bottoms = rows.filter((t) => t >= n && low[t] === Math.min(...last(low, 2 * n + 1, t + n)));
  const known = (points: readonly number[], t: number): readonly number[] => points.filter((i) => i + n <= t);
  const top = (t: number, before = 1): number => high[known(tops, t).at(-before) ?? NaN];
  const bottom = (t: number, before = 1): number => low[known(bottoms, t).at(-before) ?? NaN];
  return {
    swing_high_distance: (t) => top(t) / close[t] - 1,
    swing_low_distance: (t) => close[t] / bottom(t) - 1,
    swing_position: (t) => (close[t] - bottom(t)) / (top(t) - bottom(t)),
    swing_age: (t) => {
      const [highAge, lowAge] = [tops, bottoms].map((points) => t - (known(points, t).at(-1) ?? NaN));
      return lowAge < highAge ? Math.log(1 + lowAge) : -Math.log(1 + highAge);
    },
    swing_structure: (t) => {
      const signs = [top(t) - top(t, 2), bottom(t) - bottom(t, 2)].map(Math.sign);
      return signs[0] === signs[1] ? signs[0] : 0;
    },
  };
}

const shape: Record<string, At> = {
  body_ratio: (t) => or(Math.abs(close[t] - open[t]) / (high[t] - low[t]), 0),
  upper_shadow_ratio: (t) => or((high[t] - Math.max(open[t], close[t])) / (high[t] - low[t]), 0),
  lower_shadow_ratio: (t) => or((Math.min(open[t], close[t]) - low[t]) / (high[t] - low[t]), 0),
  shadow_balance: (t) =>
    or(
      (Math.min(open[t], close[t]) + Math.max(open[t], close[t]) - low[t] - high[t]) / (high[t] - low[t]),
      0,
    ),
  close_run: run((t) => Math.sign(change[t])),
  body_run: run((t) => Math.sign(close[t] - open[t])),
  higher_high_run: run((t) => Number(rise[t] > 0)),
  lower_low_run: run((t) => Number(drop[t] > 0)),
  body_size_10: (t) =>
    Math.abs(close[t] - open[t]) / mean(range(t - 10, t).map((i) => Math.abs(close[i] - open[i]))),
};

const calendar: Record<string, At> = {
  ...named(Object.keys(cycles()), (name) => {
    const { value, of } = cycles()[name];
    return {
      [name]: value,
      [`${name}_sin`]: (t) => Math.sin(2 * Math.PI * of(t)),
      [`${name}_cos`]: (t) => Math.cos(2 * Math.PI * of(t)),
    };
  }),
  weekend: (t) => Number([0, 6].includes(closes(t).getUTCDay())),
  month_end: (t) =>
    Number(new Date(closes(t).getTime() + 3 * 864e5).getUTCMonth() !== closes(t).getUTCMonth()),
  session_asia: (t) => Number(closes(t).getUTCHours() < 8),
  session_europe: (t) => Number(closes(t).getUTCHours() >= 7 && closes(t).getUTCHours() < 16),
  session_us: (t) => Number(closes(t).getUTCHours() >= 13 && closes(t).getUTCHours() < 22),
  session_overlap: (t) => Number(closes(t).getUTCHours() >= 13 && closes(t).getUTCHours() < 16),
  hours_to_funding: (t) => 8 - (closes(t).getUTCHours() % 8),
  missing_bars: () => 0,
  // The candles begin in February 2024: block 840 000 was mined on 20 April 2024 at 00:09:27 UTC, block 630 000 on
  // 11 May 2020 at 19:23:43.
  days_since_halving: (t) => (closes(t).getTime() - halving(t)) / 864e5,
};

function halving(t: number): number {
  const block = Date.UTC(2024, 3, 20, 0, 9, 27);
  return closes(t).getTime() >= block ? block : Date.UTC(2020, 4, 11, 19, 23, 43);
}
function cycles(): Record<string, { value: At; of: At }> {
  const day = (t: number): number => (closes(t).getUTCDay() + 6) % 7;
  const month = (t: number): number => closes(t).getUTCMonth();
  const length = (t: number): number =>
    new Date(Date.UTC(closes(t).getUTCFullYear(), month(t) + 1, 0)).getUTCDate();
  return {
    hour: { value: (t) => closes(t).getUTCHours(), of: (t) => closes(t).getUTCHours() / 24 },
    weekday: { value: day, of: (t) => day(t) / 7 },
    month_day: {
      value: (t) => closes(t).getUTCDate(),
      of: (t) => (closes(t).getUTCDate() - 1) / length(t),
    },
    month: { value: (t) => month(t) + 1, of: (t) => month(t) / 12 },
    quarter: { value: (t) => Math.floor(month(t) / 3) + 1, of: (t) => Math.floor(month(t) / 3) / 4 },
  };
}

const DEFINITIONS = {
  ...price,
  ...traded,
  ...volatility,
  ...momentum,
  ...regime,
  ...shape,
  ...advanced,
  ...calendar,
};

/** Those with tests of their own: by hand, against TA-Lib, and drawn in patterns.test.ts. */
const ELSEWHERE = /^(supertrend_distance|parabolic_distance|pattern_balance|elliott_count|elliott_phase)$/;

describe('features equal their definitions over the whole window', () => {
  const names = Object.keys(DEFINITIONS);
  const { columns } = computeFeatures(names, candles, '4h');
  it.each(names.map((name, i) => [name, columns[i]] as const))('%s', (name, column) => {
    for (let t = 419; t < rows.length; t += 7) {
      const expected = DEFINITIONS[name](t);
      expect(expected, `row ${t}`).not.toBeNaN();
      expect(Math.abs(column[t] - expected) / Math.max(1, Math.abs(expected)), `row ${t}`).toBeLessThan(1e-9);
    }
  });

  it('and none is left out', () => {
    const all = catalogue.filter(
      ({ name, group, unit, needs }) =>
        needs.length === 0 && !(group === 'patterns' && unit === 'flag') && !ELSEWHERE.test(name),
    );
    expect(all.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([]);
  });
});
