import { type Timeframe, TIMEFRAME_MS } from '../../market/timeframe.ts';
import { barsIn, type FeatureKernel, kernel } from '../feature.ts';
import { Change, Macd, ratio } from '../kernels/indicators.ts';
import { Lag, RollingMean, RollingMoments, RollingPairs, RollingSum } from '../kernels/rolling.ts';
import { Ema } from '../kernels/smoothing.ts';

const shared = {
  group: 'volume',
  source: 'definition',
  unit: 'fraction',
  inputs: ['close', 'volume'],
} as const;
const bars4 = ['high', 'low', 'close', 'volume'] as const;

const level = kernel(
  { ...shared, inputs: ['volume'] },
  [
    { name: 'volume_ratio_5', warmUp: 4, about: 'volume / mean of 5; 1 when the mean is 0' },
    { name: 'volume_ratio_20', warmUp: 19, about: 'volume / mean of 20; 1 when the mean is 0' },
    { name: 'volume_ratio_50', warmUp: 49, about: 'volume / mean of 50; 1 when the mean is 0' },
    { name: 'volume_ratio_5_50', warmUp: 49, about: 'mean of 5 / mean of 50; 1 when the latter is 0' },
    {
      name: 'volume_score_20',
      warmUp: 19,
      unit: 'score',
      about: 'volume in deviations from its mean of 20; 0 when flat',
    },
    {
      name: 'volume_score_50',
      warmUp: 49,
      unit: 'score',
      about: 'volume in deviations from its mean of 50; 0 when flat',
    },
    {
      name: 'volume_variation_20',
      warmUp: 19,
      about: 'deviation of 20 volumes / their mean; 0 when the mean is 0',
    },
    { name: 'volume_change_1', warmUp: 1, unit: 'log', about: 'ln((1 + volume) / (1 + previous volume))' },
    {
      name: 'volume_concentration_24',
      warmUp: 23,
      unit: 'index',
      source: 'Herfindahl index',
      about:
        '24 x sum of squared shares of 24 volumes: 1 when even, 24 when one bar has all; 1 when all are 0',
    },
    {
      name: 'zero_volume_share_50',
      warmUp: 49,
      about: 'share of 50 bars in which nothing was traded',
    },
  ],
  () => {
    const [week, month, quarter] = [5, 20, 50].map((bars) => new RollingMoments(bars));
    const previous = new Lag(1);
    const day = new RollingMoments(24);
    const empty = new RollingMean(50);
    return ({ volume }, out) => {
      week.push(volume);
      month.push(volume);
      quarter.push(volume);
      day.push(volume);
      out[0] = ratio(volume, week.mean, 1);
      out[1] = ratio(volume, month.mean, 1);
      out[2] = ratio(volume, quarter.mean, 1);
      out[3] = ratio(week.mean, quarter.mean, 1);
      out[4] = month.score(volume);
      out[5] = quarter.score(volume);
      out[6] = ratio(month.deviation, month.mean, 0);
      out[7] = Math.log((1 + volume) / (1 + previous.push(volume)));
      out[8] = ratio(day.squares, 24 * day.mean * day.mean, 0) + 1;
      out[9] = empty.push(volume === 0 ? 1 : 0);
    };
  },
);

const flow = kernel(
  { ...shared, inputs: bars4 },
  [
    {
      name: 'obv_balance_20',
      warmUp: 20,
      inputs: ['close', 'volume'],
      source: 'Granville 1963, on-balance volume',
      about: 'change of on-balance volume over 20 bars / their volume; 0 when nothing was traded',
    },
    {
      name: 'obv_balance_50',
      warmUp: 50,
      inputs: ['close', 'volume'],
      source: 'Granville 1963, on-balance volume',
      about: 'change of on-balance volume over 50 bars / their volume; 0 when nothing was traded',
    },
    {
      name: 'money_flow_20',
      warmUp: 19,
      source: 'Chaikin money flow',
      about: 'change of the accumulation/distribution line over 20 bars / their volume; 0 when none',
    },
    {
      name: 'accumulation_oscillator',
      warmUp: 19,
      source: 'Chaikin oscillator (3, 10)',
      about: 'fast minus slow mean of the accumulation/distribution line / mean volume of 20; 0 when none',
    },
    {
      name: 'mfi_14',
      warmUp: 14,
      unit: 'percent',
      source: 'Quong and Soudack 1989, money flow index',
      about: 'share of typical price x volume on rising bars of 14; 50 when the typical price never moved',
    },
    {
      name: 'force_13',
      warmUp: 19,
      inputs: ['close', 'volume'],
      source: 'Elder 1993, force index',
      about:
        'exponential mean (13) of relative change x volume / mean volume of 20; 0 when nothing was traded',
    },
    {
      name: 'volume_price_trend_20',
      warmUp: 20,
      inputs: ['close', 'volume'],
      source: 'volume price trend',
      about: 'sum of return x volume over 20 bars / their volume; 0 when nothing was traded',
    },
  ],
  () => {
    const change = new Change();
    const previousClose = new Lag(1);
    const previousTypical = new Lag(1);
    const [volume20, later20, later50] = [20, 20, 50].map((bars) => new RollingSum(bars));
    const [obv20, obv50, flow20, trend20] = [20, 50, 20, 20].map((bars) => new RollingSum(bars));
    const [inflow, outflow] = [14, 14].map((bars) => new RollingSum(bars));
    const [fast, slow, force] = [3, 10, 13].map((bars) => new Ema(bars));
    let line = 0;
    return ({ high, low, close, volume }, out) => {
      const step = change.push(close);
      const first = step !== step;
      const move = step / previousClose.push(close);
      const total = volume20.push(volume);
      const total20 = later20.push(first ? NaN : volume);
      const total50 = later50.push(first ? NaN : volume);
      const signed = Math.sign(step) * volume;
      out[0] = ratio(obv20.push(signed), total20, 0);
      out[1] = ratio(obv50.push(signed), total50, 0);

      const location = ratio(2 * close - high - low, high - low, 0) * volume;
      line += location;
      out[2] = ratio(flow20.push(location), total, 0);
      out[3] = ratio(fast.push(line) - slow.push(line), total / 20, 0);

      const typical = (high + low + close) / 3;
      const typicalStep = typical - previousTypical.push(typical);
      const money = typical * volume;
      const paid = inflow.push(first ? NaN : typicalStep > 0 ? money : 0);
      const taken = outflow.push(first ? NaN : typicalStep < 0 ? money : 0);
      out[4] = ratio(100 * paid, paid + taken, 50);
      out[5] = ratio(force.push(move * volume), total / 20, 0);

      out[6] = ratio(trend20.push(move * volume), total20, 0);
    };
  },
);
const averages = kernel(
  {
    ...shared,
    inputs: bars4,
    source: 'volume-weighted average of the typical price (high + low + close) / 3',
  },
  [
    { name: 'vwap_distance_20', warmUp: 19, about: 'close / VWAP of 20 bars - 1; 0 when nothing was traded' },
    {
      name: 'vwap_distance_100',
      warmUp: 99,
      about: 'close / VWAP of 100 bars - 1; 0 when nothing was traded',
    },
    {
      name: 'vwap_distance_day',
      warmUp: 0,
      inputs: ['time', ...bars4],
      about: 'close / VWAP since 00:00 UTC - 1; 0 when nothing was traded since',
    },
    {
      name: 'vwap_distance_1d',
      warmUp: (timeframe: Timeframe) => barsIn(1, timeframe) - 1,
      about: 'close / VWAP of the bars of one day - 1; 0 when nothing was traded',
    },
    {
      name: 'vwap_score_20',
      warmUp: 19,
      unit: 'score',
      about: 'distance from the VWAP of 20 in deviations of 20 closes; 0 when flat',
    },
  ],
  (timeframe) => {
    const windows = [20, 100, barsIn(1, timeframe)].map((bars) => ({
      money: new RollingSum(bars),
      volume: new RollingSum(bars),
    }));
    const closes = new RollingMoments(20);
    let day = NaN;
    let dayMoney = 0;
    let dayVolume = 0;
    const weighted = [0, 0, 0];
    return ({ time, high, low, close, volume }, out) => {
      const typical = (high + low + close) / 3;
      for (let i = 0; i < windows.length; i++) {
        const total = windows[i].volume.push(volume);
        weighted[i] = ratio(windows[i].money.push(typical * volume), total, close);
      }
      const today = Math.floor(time / TIMEFRAME_MS['1d']);
      if (today !== day) {
        day = today;
        dayMoney = dayVolume = 0;
      }
      dayMoney += typical * volume;
      dayVolume += volume;
      closes.push(close);
      out[0] = close / weighted[0] - 1;
      out[1] = close / weighted[1] - 1;
      out[2] = close / ratio(dayMoney, dayVolume, close) - 1;
      out[3] = close / weighted[2] - 1;
      out[4] = ratio(close - weighted[0], closes.deviation, 0);
    };
  },
);

const relations = kernel(
  shared,
  [
    {
      name: 'volume_price_correlation_20',
      warmUp: 20,
      unit: 'index',
      about: 'correlation of return and volume over 20 bars; 0 when either is flat',
    },
    {
      name: 'volume_volatility_correlation_50',
      warmUp: 50,
      unit: 'index',
      about: 'correlation of absolute return and volume over 50 bars; 0 when either is flat',
    },
    {
      name: 'illiquidity_20',
      warmUp: 20,
      unit: 'log',
      source: 'Amihud 2002',
      about: 'ln(1 + mean of 20 |return| per million of quote volume); bars without volume count 0',
    },
    {
      name: 'corwin_schultz_20',
      warmUp: 20,
      inputs: ['high', 'low'],
      source: 'Corwin and Schultz 2012, spread from high and low prices; no overnight gap to adjust for',
      about: 'mean of 20 bid-ask spreads estimated from two bars each, a negative one counted as 0',
    },
    {
      name: 'quote_volume_log',
      warmUp: 0,
      unit: 'log',
      about: 'ln(1 + close x volume), the only feature here that depends on the price level',
    },
    {
      name: 'volume_oscillator',
      warmUp: 25,
      inputs: ['volume'],
      source: 'percentage volume oscillator (12, 26, 9)',
      about: 'exponential mean of 12 / exponential mean of 26 volumes - 1; 0 when the latter is 0',
    },
    {
      name: 'volume_oscillator_histogram',
      warmUp: 33,
      inputs: ['volume'],
      source: 'percentage volume oscillator (12, 26, 9)',
      about: 'MACD histogram of volume / exponential mean of 26 volumes; 0 when the latter is 0',
    },
  ],
  () => {
    const previous = new Lag(1);
    const plain = new RollingPairs(20);
    const absolute = new RollingPairs(50);
    const illiquidity = new RollingMean(20);
    const spread = new RollingMean(20);
    const before = { high: NaN, low: NaN };
    const slow = new Ema(26);
    const macd = new Macd(12, 26, 9);
    return ({ high, low, close, volume }, out) => {
      const move = close / previous.push(close) - 1;
      plain.push(move, volume);
      absolute.push(Math.abs(move), volume);
      const millions = (close * volume) / 1e6;
      const mean = slow.push(volume);
      macd.push(volume);
      out[0] = plain.correlation;
      out[1] = absolute.correlation;
      out[2] = Math.log1p(illiquidity.push(millions === 0 ? 0 * move : Math.abs(move) / millions));
      out[3] = spread.push(spreadOf({ high, low }, before));
      before.high = high;
      before.low = low;
      out[4] = Math.log1p(close * volume);
      out[5] = ratio(macd.line, mean, 0);
      out[6] = ratio(macd.histogram, mean, 0);
    };
  },
);

interface HighLow {
  readonly high: number;
  readonly low: number;
}

/** Spread as a fraction of the price, at least 0, from two bars that follow each other (Corwin and Schultz 2012). */
function spreadOf(now: HighLow, before: HighLow): number {
  const single = Math.log(now.high / now.low) ** 2 + Math.log(before.high / before.low) ** 2;
  const both = Math.log(Math.max(now.high, before.high) / Math.min(now.low, before.low)) ** 2;
  const scale = 3 - 2 * Math.SQRT2;
  const alpha = (Math.sqrt(2 * single) - Math.sqrt(single)) / scale - Math.sqrt(both / scale);
  return Math.max(0, (2 * Math.expm1(alpha)) / (1 + Math.exp(alpha)));
}

export const volumeKernels: readonly FeatureKernel[] = [level, flow, averages, relations];
