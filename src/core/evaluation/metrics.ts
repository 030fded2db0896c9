import { deviation, mean } from '../foundation/moments.ts';
import type { Trade } from '../trading/events.ts';
import { drawdowns, underwater } from './drawdown.ts';
import {
  annualGrowth,
  barReturns,
  downsideRisk,
  omega,
  regressOn,
  sharpe,
  sortino,
  volatility,
} from './returns.ts';
import { NO_RELATIVE, type RelativeMetrics, relativeMetrics } from './relative.ts';
import { quantileOfSorted, shape } from './statistics.ts';
import { type TradeMetrics, tradeMetrics } from './trade-metrics.ts';

/** A finished run, bar by bar at the close. */
interface Performance {
  /** Quote currency before the first bar. */
  readonly initialBalance: number;
  readonly equity: Float64Array;
  /** Gross exposure as a share of equity. */
  readonly exposure: Float64Array;
  readonly trades: readonly Trade[];
  readonly turnoverQuote: number;
  /** The account ended on the way. */
  readonly ruined: boolean;
  /** The bars say something of a distribution of returns; without, ratios would be numbers without a meaning. */
  readonly hasEvidence: boolean;
}

/** How each figure is computed: `CONVENTIONS`. `undefined` where it is not defined. */
export interface Metrics extends TradeMetrics, RelativeMetrics {
  readonly totalReturnPct: number;
  readonly cagrPct: number | undefined;
  readonly volatilityPct: number | undefined;
  readonly sharpe: number | undefined;
  readonly sortino: number | undefined;
  readonly calmar: number | undefined;
  readonly omega: number | undefined;
  readonly maxDrawdownPct: number;
  readonly averageDrawdownPct: number | undefined;
  readonly longestDrawdownDays: number;
  readonly averageDrawdownDays: number | undefined;
  readonly downsideRiskPct: number | undefined;
  readonly valueAtRisk95Pct: number | undefined;
  readonly expectedShortfall95Pct: number | undefined;
  readonly ulcerIndexPct: number | undefined;
  readonly ulcerPerformance: number | undefined;
  readonly recoveryFactor: number | undefined;
  readonly gainToPain: number | undefined;
  readonly smartSharpe: number | undefined;
  readonly serenityIndex: number | undefined;
  readonly treynor: number | undefined;
  readonly skew: number | undefined;
  readonly kurtosis: number | undefined;
  readonly tailRatio: number | undefined;
  readonly exposureTimePct: number | undefined;
  readonly averageExposurePct: number | undefined;
  readonly turnoverPerYear: number | undefined;
  readonly beta: number | undefined;
  readonly alphaPct: number | undefined;
}

/**
 * Everything that is said of a run. `benchmark`: returns of buy and hold over the same bars, for alpha and beta. After
 * ruin the return is -100 % and there are no ratios.
 */
export function measure(run: Performance, barsPerYear: number, benchmark: Float64Array | undefined): Metrics {
  const { equity, initialBalance } = run;
  const bars = equity.length;
  const returns = barReturns(equity, initialBalance);
  const growth = bars > 0 ? equity[bars - 1] / initialBalance : 1;
  const falls = drawdowns(equity, initialBalance);
  const deepest = falls.reduce((least, { depth }) => Math.min(least, depth), 0);
  const longest = falls.reduce((most, fall) => Math.max(most, fall.bars), 0);
  const days = (count: number): number => (count * 365) / barsPerYear;
  const judged = run.hasEvidence && !run.ruined;
  return {
    totalReturnPct: 100 * (growth - 1),
    ...(judged ? ratios(run, returns, growth, deepest, barsPerYear, benchmark) : NO_RATIOS),
    maxDrawdownPct: 100 * deepest,
    averageDrawdownPct: percent(mean(falls.map(({ depth }) => depth))),
    longestDrawdownDays: days(longest),
    averageDrawdownDays: falls.length === 0 ? undefined : days(mean(falls.map((fall) => fall.bars)) ?? 0),
    exposureTimePct: percent(mean(run.exposure.map((share) => (share > 0 ? 1 : 0)))),
    averageExposurePct: percent(mean(run.exposure)),
    ...tradeMetrics(run.trades),
    ...(run.ruined && { systemQualityNumber: undefined, kellyPct: undefined }),
  };
}

/** What describes a distribution of returns, and what is extrapolated to a year. */
type Ratios = Pick<Metrics, keyof typeof NO_RATIOS>;

const NO_RATIOS = {
  cagrPct: undefined,
  volatilityPct: undefined,
  sharpe: undefined,
  sortino: undefined,
  calmar: undefined,
  omega: undefined,
  downsideRiskPct: undefined,
  valueAtRisk95Pct: undefined,
  expectedShortfall95Pct: undefined,
  ulcerIndexPct: undefined,
  ulcerPerformance: undefined,
  recoveryFactor: undefined,
  gainToPain: undefined,
  smartSharpe: undefined,
  serenityIndex: undefined,
  treynor: undefined,
  skew: undefined,
  kurtosis: undefined,
  tailRatio: undefined,
  turnoverPerYear: undefined,
  beta: undefined,
  alphaPct: undefined,
  ...NO_RELATIVE,
};

function ratios(
  run: Performance,
  returns: Float64Array,
  growth: number,
  deepest: number,
  barsPerYear: number,
  benchmark: Float64Array | undefined,
): Ratios {
  const bars = returns.length;
  const annual = annualGrowth(growth, bars, barsPerYear);
  const sorted = returns.slice().sort();
  const low = quantileOfSorted(sorted, 0.05);
  const high = quantileOfSorted(sorted, 0.95);
  const moments = shape(returns);
  const fit = benchmark === undefined ? undefined : regressOn(benchmark, returns, barsPerYear);
  const years = bars / barsPerYear;
  const meanEquity = mean(run.equity);
  const ulcer = ulcerIndex(run);
  const sum = returns.reduce((total, value) => total + value, 0);
  const pain = returns.reduce((total, value) => total - Math.min(0, value), 0);
  const plain = sharpe(returns, barsPerYear);
  return {
    cagrPct: percent(annual),
    volatilityPct: percent(volatility(returns, barsPerYear)),
    sharpe: plain,
    sortino: sortino(returns, barsPerYear),
    calmar: annual === undefined || deepest === 0 ? undefined : annual / -deepest,
    omega: omega(returns),
    downsideRiskPct: percent(downsideRisk(returns, barsPerYear)),
    valueAtRisk95Pct: percent(low),
    expectedShortfall95Pct: percent(low === undefined ? undefined : mean(sorted.filter((one) => one <= low))),
    ulcerIndexPct: percent(ulcer),
    ulcerPerformance: ulcer ? (growth - 1) / ulcer : undefined,
    recoveryFactor: deepest === 0 ? undefined : Math.abs(sum / deepest),
    gainToPain: pain === 0 ? undefined : sum / pain,
    smartSharpe: plain === undefined ? undefined : plain / autocorrelationPenalty(returns),
    serenityIndex: serenityIndex(run, returns, ulcer),
    treynor: fit?.beta ? (growth - 1) / fit.beta : undefined,
    ...(benchmark === undefined ? NO_RELATIVE : relativeMetrics(returns, benchmark, barsPerYear)),
    skew: moments?.skew,
    kurtosis: moments?.kurtosis,
    tailRatio: low === undefined || high === undefined || low === 0 ? undefined : Math.abs(high / low),
    turnoverPerYear: meanEquity && years > 0 ? run.turnoverQuote / meanEquity / years : undefined,
    beta: fit?.beta,
    alphaPct: percent(fit?.alpha),
  };
}

/** Density of the standard normal distribution at its 5 % quantile, over 5 %: how far its tail lies out on average. */
const TAIL_5 = 2.0627128075074275;

/** Sum of returns over the ulcer index times the pitfall: the normal expected shortfall of the depths in deviations of returns. */
function serenityIndex(
  { equity, initialBalance }: Performance,
  returns: Float64Array,
  ulcer: number | undefined,
): number | undefined {
  const depths = underwater(equity, initialBalance);
  const [middle, spread, unit] = [mean(depths), deviation(depths), deviation(returns)];
  if (middle === undefined || spread === undefined || !unit || !ulcer) return undefined;
  const pitfall = (TAIL_5 * spread - middle) / unit;
  return pitfall > 0 ? returns.reduce((sum, one) => sum + one, 0) / (ulcer * pitfall) : undefined;
}

function ulcerIndex({ equity, initialBalance }: Performance): number | undefined {
  if (equity.length < 2) return undefined;
  const squares = underwater(equity, initialBalance).reduce((sum, depth) => sum + depth * depth, 0);
  return Math.sqrt(squares / (equity.length - 1));
}

/** At least 1: by how much returns that follow each other make the deviation of a year larger than that of bars says. */
function autocorrelationPenalty(returns: Float64Array): number {
  const n = returns.length;
  const coefficient = Math.abs(firstAutocorrelation(returns));
  if (!(coefficient < 1)) return 1;
  let sum = 0;
  for (let k = 1, power = coefficient; k < n && power > 1e-17; k++, power *= coefficient)
    sum += ((n - k) / n) * power;
  return Math.sqrt(1 + 2 * sum);
}

/** Correlation of each return with the one before; 0 where they never vary. */
function firstAutocorrelation(returns: Float64Array): number {
  const [early, late] = [returns.subarray(0, -1), returns.subarray(1)];
  const [a, b] = [mean(early) ?? 0, mean(late) ?? 0];
  let [products, squaresA, squaresB] = [0, 0, 0];
  for (let row = 0; row < early.length; row++) {
    products += (early[row] - a) * (late[row] - b);
    squaresA += (early[row] - a) ** 2;
    squaresB += (late[row] - b) ** 2;
  }
  return squaresA * squaresB > 0 ? products / Math.sqrt(squaresA * squaresB) : 0;
}

const ANNUAL = 'a year has 365 days: crypto never closes';
const PER_TRADE = 'closed round trips, after fees and slippage';

/** The convention behind each figure, in words; printed beside it, because no two systems agree. */
export const CONVENTIONS: Readonly<Record<keyof Metrics, string>> = {
  totalReturnPct: 'final equity over starting capital, less one; open positions valued at the last close',
  cagrPct: `growth per year at the compound rate; ${ANNUAL}`,
  volatilityPct: `sample deviation (n - 1) of simple bar returns times sqrt(bars per year); ${ANNUAL}`,
  sharpe: `mean over sample deviation (n - 1) of simple bar returns times sqrt(bars per year), risk-free rate 0; ${ANNUAL}`,
  sortino: `annualised mean over downside risk (root mean square of losses over all bars, target 0), as empyrical; ${ANNUAL}`,
  calmar: 'CAGR over the size of the deepest drawdown, over the whole run',
  omega: 'sum of gains over sum of losses of bar returns, threshold 0',
  maxDrawdownPct: 'deepest fall of equity at bar closes from its highest before, 0 or negative',
  averageDrawdownPct: 'mean depth over all falls from a peak',
  longestDrawdownDays: 'longest time from a peak to its recovery, or to the end while it lasts',
  averageDrawdownDays: 'mean time from a peak to its recovery',
  downsideRiskPct: `root mean square of losing bar returns over all bars, annualised; ${ANNUAL}`,
  valueAtRisk95Pct: '5th percentile of bar returns, linear interpolation',
  expectedShortfall95Pct: 'mean of the bar returns at or below that percentile',
  ulcerIndexPct: 'root of the squared depths under water at bar closes over (bars - 1), as QuantStats',
  ulcerPerformance: 'total return over the ulcer index, as QuantStats',
  recoveryFactor: 'size of the sum of bar returns over the size of the deepest drawdown, as QuantStats',
  gainToPain: 'sum of bar returns over the sum of the losing ones (Schwager)',
  smartSharpe:
    'Sharpe ratio over sqrt(1 + 2 x sum of (n - k) / n x |first autocorrelation|^k), which returns that follow each other make larger; as QuantStats',
  serenityIndex:
    'sum of bar returns over the ulcer index times the pitfall, the normal 5 % expected shortfall of the depths under water over the deviation of returns; as QuantStats',
  treynor: 'total return over beta, as QuantStats',
  informationRatio: `Sharpe ratio of the bar returns less those of buy and hold; ${ANNUAL}`,
  trackingErrorPct: `volatility of the bar returns less those of buy and hold; ${ANNUAL}`,
  upCapturePct: 'growth a year over that of buy and hold, on the bars on which that rose, as empyrical',
  downCapturePct:
    'growth a year over that of buy and hold, on the bars on which that fell, as empyrical; below 0: it gained',
  skew: 'third standardised moment of bar returns, population',
  kurtosis: 'fourth standardised moment of bar returns, population; a normal sample has 3',
  tailRatio: 'size of the 95th over size of the 5th percentile of bar returns',
  exposureTimePct: 'share of bars at whose close a position is held',
  averageExposurePct: 'mean over bars of gross position value over equity at the close',
  turnoverPerYear: 'sum of all fills over mean equity, per year; buying and selling everything once is 2',
  beta: 'slope of bar returns on those of buy and hold',
  alphaPct: 'intercept of that regression, annualised',
  tradeCount: 'closed round trips, from flat to flat',
  winRatePct: `share of ${PER_TRADE}, that ended above zero`,
  profitFactor: `sum of profits over sum of losses; ${PER_TRADE}`,
  expectancyQuote: `mean profit in quote currency; ${PER_TRADE}`,
  averageTradePct: `mean profit of the entry value; ${PER_TRADE}`,
  bestTradePct: `best profit of the entry value; ${PER_TRADE}`,
  worstTradePct: `worst profit of the entry value; ${PER_TRADE}`,
  payoffRatio: `mean win over mean loss; ${PER_TRADE}`,
  systemQualityNumber: 'sqrt(trades) times mean over sample deviation of profits (van Tharp)',
  kellyPct: 'win rate - loss rate / payoff ratio',
  averageTradeHours: 'mean time from entry to exit',
  longestWinStreak: 'most winning trades in a row, by exit time',
  longestLossStreak: 'most losing trades in a row, by exit time',
};

const percent = (fraction: number | undefined): number | undefined =>
  fraction === undefined ? undefined : 100 * fraction;
