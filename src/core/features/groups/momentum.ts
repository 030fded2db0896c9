import { type FeatureKernel, kernel } from '../feature.ts';
import { RollingMax, RollingMin } from '../kernels/extremes.ts';
import { Change, Macd, ratio, Rsi, TrueRange } from '../kernels/indicators.ts';
import { Lag, RollingMean, RollingMoments, RollingSum } from '../kernels/rolling.ts';
import { Ema } from '../kernels/smoothing.ts';

const shared = { group: 'momentum', source: 'definition', unit: 'fraction', inputs: ['close'] } as const;
const hlc = ['high', 'low', 'close'] as const;

const strength = kernel(
  { ...shared, unit: 'percent', source: 'Wilder 1978' },
  [
    ...[7, 14, 28].map((bars) => ({
      name: `rsi_${bars}`,
      warmUp: bars,
      about: `relative strength index of ${bars}; 50 when the price never moved`,
    })),
    { name: 'rsi_14_change_5', warmUp: 19, about: 'rsi_14 - rsi_14 of 5 bars ago' },
    {
      name: 'stoch_rsi_k',
      warmUp: 29,
      source: 'Chande and Kroll 1994 (14, 14, 3, 3)',
      about: 'place of rsi_14 in its range of 14, mean of 3; 50 when it does not vary',
    },
    {
      name: 'stoch_rsi_d',
      warmUp: 31,
      source: 'Chande and Kroll 1994 (14, 14, 3, 3)',
      about: 'mean of 3 of stoch_rsi_k',
    },
    {
      name: 'cmo_14',
      warmUp: 14,
      source: 'Chande 1994, simple sums',
      about: '100 (gains - losses) / (gains + losses) of 14 changes; 0 when none',
    },
  ],
  () => {
    const [short, middle, long] = [7, 14, 28].map((bars) => new Rsi(bars));
    const past = new Lag(5);
    const top = new RollingMax(14);
    const bottom = new RollingMin(14);
    const [k, d] = [3, 3].map((bars) => new RollingMean(bars));
    const change = new Change();
    const [gains, losses] = [14, 14].map((bars) => new RollingSum(bars));
    return ({ close }, out) => {
      const rsi = middle.push(close);
      out[0] = short.push(close);
      out[1] = rsi;
      out[2] = long.push(close);
      out[3] = rsi - past.push(rsi);
      const low = bottom.push(rsi);
      out[4] = k.push(100 * ratio(rsi - low, top.push(rsi) - low, 0.5));
      out[5] = d.push(out[4]);
      const move = change.push(close);
      const gain = gains.push(Math.max(0, move));
      const loss = losses.push(Math.max(0, -move));
      out[6] = 100 * ratio(gain - loss, gain + loss, 0);
    };
  },
);

const MACDS = [
  { name: 'macd', spans: [12, 26, 9] },
  { name: 'macd_fast', spans: [5, 35, 5] },
  { name: 'macd_slow', spans: [24, 52, 18] },
] as const;

const convergence = kernel(
  { ...shared, source: 'Appel; exponential means seeded with simple means' },
  [
    ...MACDS.flatMap(({ name, spans: [fast, slow, signal] }) => [
      {
        name: `${name}_line`,
        warmUp: slow - 1,
        about: `exponential mean of ${fast} - of ${slow}, / close`,
      },
      {
        name: `${name}_signal`,
        warmUp: slow + signal - 2,
        about: `exponential mean of ${signal} of the line, / close`,
      },
      { name: `${name}_histogram`, warmUp: slow + signal - 2, about: 'line - signal' },
    ]),
    {
      name: 'macd_histogram_change',
      warmUp: 34,
      about: 'change of the MACD (12, 26, 9) histogram, / close',
    },
    {
      name: 'trix_15',
      warmUp: 43,
      source: 'Hutson 1983',
      about: 'one-bar change of the triple exponential mean of 15, as a fraction',
    },
    {
      name: 'trix_signal',
      warmUp: 51,
      source: 'Hutson 1983',
      about: 'exponential mean of 9 of trix_15',
    },
    {
      name: 'tsi_25_13',
      warmUp: 37,
      unit: 'index',
      source: 'Blau 1991, true strength index',
      about: 'doubly smoothed change / doubly smoothed absolute change, in [-1, 1]; 0 when none',
    },
    {
      name: 'detrended_20',
      warmUp: 19,
      source: 'detrended price oscillator',
      about: 'close of 11 bars ago / the current mean of 20 - 1',
    },
    {
      name: 'coppock',
      warmUp: 23,
      source: 'Coppock 1962 (14, 11, 10)',
      about: 'weighted mean of 10 of the sum of the 14- and 11-bar returns',
    },
    {
      name: 'kst',
      warmUp: 44,
      source: 'Pring 1992, know sure thing',
      about: 'weighted sum of the smoothed 10-, 15-, 20- and 30-bar returns',
    },
  ],
  () => {
    const macds = MACDS.map(({ spans: [fast, slow, signal] }) => new Macd(fast, slow, signal));
    const histogram = new Change();
    const [once, twice, thrice, signal] = [15, 15, 15, 9].map((bars) => new Ema(bars));
    const triple = new Lag(1);
    const change = new Change();
    const [up1, size1] = [25, 25].map((bars) => new Ema(bars));
    const [up2, size2] = [13, 13].map((bars) => new Ema(bars));
    const mean20 = new RollingMean(20);
    const ago = new Lag(11);
    const [lag10, lag11, lag14, lag15, lag20, lag30] = [10, 11, 14, 15, 20, 30].map((bars) => new Lag(bars));
    const coppock = new LinearMean(10);
    const [k1, k2, k3, k4] = [10, 10, 10, 15].map((bars) => new RollingMean(bars));
    return ({ close }, out) => {
      for (let i = 0; i < macds.length; i++) {
        macds[i].push(close);
        out[3 * i] = macds[i].line / close;
        out[3 * i + 1] = macds[i].signal / close;
        out[3 * i + 2] = macds[i].histogram / close;
      }
      out[9] = histogram.push(macds[0].histogram) / close;
      const smooth = thrice.push(twice.push(once.push(close)));
      out[10] = smooth / triple.push(smooth) - 1;
      out[11] = signal.push(out[10]);
      const move = change.push(close);
      const size = size2.push(size1.push(Math.abs(move)));
      out[12] = ratio(up2.push(up1.push(move)), size, 0);
      out[13] = ago.push(close) / mean20.push(close) - 1;
      const return10 = close / lag10.push(close) - 1;
      const return15 = close / lag15.push(close) - 1;
      const return20 = close / lag20.push(close) - 1;
      const return30 = close / lag30.push(close) - 1;
      out[14] = coppock.push(close / lag14.push(close) + close / lag11.push(close) - 2);
      out[15] = k1.push(return10) + 2 * k2.push(return15) + 3 * k3.push(return20) + 4 * k4.push(return30);
    };
  },
);

const channel = kernel(
  { ...shared, unit: 'percent', inputs: hlc, source: 'Lane 1984' },
  [
    {
      name: 'stochastic_k_14',
      warmUp: 13,
      about: 'place of the close in the range of 14; 50 when flat; less 100 it is %R (Williams 1973)',
    },
    { name: 'stochastic_d_14', warmUp: 15, about: 'mean of 3 of stochastic_k_14' },
    { name: 'stochastic_slow_d_14', warmUp: 17, about: 'mean of 3 of stochastic_d_14' },
    {
      name: 'cci_14',
      warmUp: 13,
      unit: 'index',
      source: 'Lambert 1980',
      about: 'typical price from its mean of 14 / .015 mean absolute deviation; 0 when flat',
    },
    {
      name: 'cci_20',
      warmUp: 19,
      unit: 'index',
      source: 'Lambert 1980',
      about: 'typical price from its mean of 20 / .015 mean absolute deviation; 0 when flat',
    },
    {
      name: 'awesome',
      warmUp: 33,
      unit: 'fraction',
      source: 'Williams 1995, awesome oscillator',
      about: '(mean of 5 - mean of 34 of (high + low) / 2) / close',
    },
    {
      name: 'accelerator',
      warmUp: 37,
      unit: 'fraction',
      source: 'Williams 1995, accelerator oscillator',
      about: 'awesome - its mean of 5',
    },
    {
      name: 'ultimate',
      warmUp: 28,
      source: 'Williams 1976 (7, 14, 28)',
      about: 'weighted buying pressure / true range of 7, 14 and 28; 50 when flat',
    },
    {
      name: 'aroon_25',
      warmUp: 25,
      source: 'Chande 1995',
      about: 'Aroon up - Aroon down over 25 bars, -100 to 100',
    },
    {
      name: 'vortex_14',
      warmUp: 14,
      unit: 'index',
      source: 'Botes and Siepman 2010',
      about: '(positive - negative movement) / true range of 14; 0 when flat',
    },
    {
      name: 'balance_of_power_14',
      warmUp: 13,
      unit: 'index',
      inputs: ['open', 'high', 'low', 'close'],
      source: 'Livshin 2001',
      about: 'mean of 14 of (close - open) / (high - low); bars without range count 0',
    },
    {
      name: 'elder_bull_13',
      warmUp: 12,
      unit: 'fraction',
      source: 'Elder 1993, Elder-ray',
      about: 'high / exponential mean of 13 closes - 1',
    },
    {
      name: 'elder_bear_13',
      warmUp: 12,
      unit: 'fraction',
      source: 'Elder 1993, Elder-ray',
      about: 'low / exponential mean of 13 closes - 1',
    },
    {
      name: 'fisher_10',
      warmUp: 9,
      unit: 'index',
      source: 'Ehlers 2002, Fisher transform',
      about: 'Fisher transform of the smoothed place of the midpoint in its range of 10; 0 when flat',
    },
  ],
  () => {
    const top = new RollingMax(14);
    const bottom = new RollingMin(14);
    const [d, slow] = [3, 3].map((bars) => new RollingMean(bars));
    const [cci14, cci20] = [14, 20].map((bars) => new Cci(bars));
    const [fastMiddle, slowMiddle, awesomeMean] = [5, 34, 5].map((bars) => new RollingMean(bars));
    const range = new TrueRange();
    const pressures = [7, 14, 28].map((bars) => ({
      pressure: new RollingSum(bars),
      range: new RollingSum(bars),
    }));
    const aroonTop = new RollingMax(26);
    const aroonBottom = new RollingMin(26);
    const [vortexUp, vortexDown, vortexRange] = [14, 14, 14].map((bars) => new RollingSum(bars));
    const balance = new RollingMean(14);
    const ray = new Ema(13);
    const fisherTop = new RollingMax(10);
    const fisherBottom = new RollingMin(10);
    let smooth = 0;
    let fisher = 0;
    const previous = { high: NaN, low: NaN, close: NaN };
    return (bar, out) => {
      const { open, high, low, close } = bar;
      const highest = top.push(high);
      const lowest = bottom.push(low);
      out[0] = 100 * ratio(close - lowest, highest - lowest, 0.5);
      out[1] = d.push(out[0]);
      out[2] = slow.push(out[1]);
      const typical = (high + low + close) / 3;
      out[3] = cci14.push(typical);
      out[4] = cci20.push(typical);
      const middle = (high + low) / 2;
      const awesome = fastMiddle.push(middle) - slowMiddle.push(middle);
      out[5] = awesome / close;
      out[6] = (awesome - awesomeMean.push(awesome)) / close;

      const width = range.push(bar);
      const pressure = close - Math.min(low, previous.close);
      let ultimate = 0;
      for (let i = 0; i < pressures.length; i++) {
        const share = ratio(pressures[i].pressure.push(pressure), pressures[i].range.push(width), 0.5);
        ultimate += (share * (4 >> i)) / 7;
      }
      out[7] = 100 * ultimate;
      aroonTop.push(high);
      aroonBottom.push(low);
      out[8] = 4 * (aroonBottom.age - aroonTop.age);
      const total = vortexRange.push(width);
      out[9] = ratio(
        vortexUp.push(Math.abs(high - previous.low)) - vortexDown.push(Math.abs(low - previous.high)),
        total,
        0,
      );
      out[10] = balance.push(ratio(close - open, high - low, 0));
      const mean = ray.push(close);
      out[11] = high / mean - 1;
      out[12] = low / mean - 1;

      const ceiling = fisherTop.push(middle);
      const floor = fisherBottom.push(middle);
      if (ceiling === ceiling) {
        const place = ratio(middle - floor, ceiling - floor, 0.5) - 0.5;
        smooth = Math.min(0.999, Math.max(-0.999, 0.66 * place + 0.67 * smooth));
        fisher = Math.log((1 + smooth) / (1 - smooth)) / 2 + fisher / 2;
      }
      out[13] = ceiling === ceiling ? fisher : NaN;
      previous.high = high;
      previous.low = low;
      previous.close = close;
    };
  },
);

const pace = kernel(
  shared,
  [
    ...[5, 10, 20, 50].map((bars) => ({
      name: `momentum_score_${bars}`,
      warmUp: bars,
      unit: 'score' as const,
      source: 'Moskowitz, Ooi and Pedersen 2012: return over volatility',
      about: `mean of ${bars} log returns / (their deviation / root of ${bars}); 0 when they do not vary`,
    })),
    {
      name: 'up_share_20',
      warmUp: 20,
      about: 'share of rising closes of 20; a close that did not move counts half',
    },
    {
      name: 'acceleration_10',
      warmUp: 20,
      unit: 'log',
      about: 'log return of 10 bars - log return of the 10 before',
    },
  ],
  () => {
    const previous = new Lag(1);
    const windows = [5, 10, 20, 50].map((bars) => new RollingMoments(bars));
    const ups = new RollingMean(20);
    const [ten, twenty] = [10, 20].map((bars) => new Lag(bars));
    return ({ close }, out) => {
      const move = Math.log(close / previous.push(close));
      for (let i = 0; i < windows.length; i++) {
        const window = windows[i];
        window.push(move);
        out[i] = ratio(window.mean * Math.sqrt(window.length), window.deviation, 0);
      }
      out[4] = ups.push((1 + Math.sign(move)) / 2);
      const past = ten.push(close);
      out[5] = Math.log((close * twenty.push(close)) / (past * past));
    };
  },
);

/** Commodity channel index: the mean absolute deviation needs the whole window anew each time. */
class Cci {
  private readonly ring: Float64Array;
  private readonly mean: RollingMean;
  private position = 0;

  constructor(length: number) {
    this.ring = new Float64Array(length);
    this.mean = new RollingMean(length);
  }

  push(value: number): number {
    const { ring } = this;
    ring[this.position] = value;
    if (++this.position === ring.length) this.position = 0;
    const mean = this.mean.push(value);
    if (mean !== mean) return NaN;
    let total = 0;
    for (let i = 0; i < ring.length; i++) total += Math.abs(ring[i] - mean);
    return ratio((value - mean) * ring.length, 0.015 * total, 0);
  }
}

/** Mean weighted 1, 2, ..., `length`, the latest most. */
class LinearMean {
  private readonly ring: Float64Array;
  private position = 0;
  private count = 0;

  constructor(length: number) {
    this.ring = new Float64Array(length);
  }

  push(value: number): number {
    if (value !== value) return NaN;
    const { ring } = this;
    const length = ring.length;
    ring[this.position] = value;
    if (++this.position === length) this.position = 0;
    if (++this.count < length) return NaN;
    let total = 0;
    for (let i = 0; i < length; i++) total += (i + 1) * ring[(this.position + i) % length];
    return (2 * total) / (length * (length + 1));
  }
}

export const momentumKernels: readonly FeatureKernel[] = [strength, convergence, channel, pace];
