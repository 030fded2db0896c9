import { z } from 'zod';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import { inTurns } from '../../data/turns.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { Store } from '../../data/store/store.ts';
import { backtestSteps } from '../../lab/backtest/backtest.ts';
import { costCurve } from '../../lab/backtest/costs.ts';
import { walkForwardForecasts } from '../../lab/backtest/walk-forward-source.ts';
import { engleGranger, halfLife } from '../../core/evaluation/cointegration.ts';
import { garchSteps } from '../../learning/models/momentum-garch/garch.ts';
import { builtIn } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { refit } from '../../learning/validation/refit.ts';
import { provenanceOf } from './provenance.ts';
import { requireCandles, type Window } from './results.ts';

/** A figure that the reference system published, and the range in which ours counts as the same. */
interface Claim {
  readonly id: string;
  readonly figure: string;
  readonly published: string;
  readonly low?: number;
  readonly high?: number;
}

const near = (value: number, percent: number): { low: number; high: number } => ({
  low: value * (1 - percent / 100),
  high: value * (1 + percent / 100),
});

/**
 * What the reference system published for hourly BTC, ETH and SOL, 2024-02-15 to 2026-02-13, from Yahoo's candles. Its text
 * does not say which pair is regressed on which, with or without logs and how many lags; which pair the GARCH model is
 * of; or which bars and costs the accuracy and the Sharpe ratio are of.
 */
export const CLAIMS = [
  { id: 'bars', figure: 'bars of all pairs', published: '52388', ...near(52_388, 1) },
  { id: 'btc-low', figure: 'lowest BTC price', published: '49842', ...near(49_842, 1) },
  { id: 'btc-high', figure: 'highest BTC price', published: '126183', ...near(126_183, 1) },
  { id: 'cointegration-p', figure: 'BTC/ETH cointegration p', published: '0.0003', high: 0.001 },
  { id: 'half-life', figure: 'half-life, bars', published: '44.5', ...near(44.5, 10) },
  { id: 'garch-alpha', figure: 'GARCH alpha', published: '0.3696', ...near(0.3696, 10) },
  { id: 'garch-beta', figure: 'GARCH beta', published: '0.5500', ...near(0.55, 10) },
  { id: 'rank-range', figure: 'rank of high-low range', published: 'top', high: 10 },
  { id: 'rank-volatility', figure: 'rank of 50-bar volatility', published: 'top', high: 10 },
  { id: 'rank-momentum', figure: 'rank of momentum', published: 'top', high: 10 },
  { id: 'accuracy', figure: 'direction accuracy %', published: '60-65', low: 60 },
  { id: 'sharpe', figure: 'Sharpe ratio', published: '2.5-3.5', low: 2.5 },
] as const satisfies readonly Claim[];

type ClaimId = (typeof CLAIMS)[number]['id'];

/** One of the ways in which the figure may have been worked out, and what it comes to here. */
export interface ReferenceLine {
  readonly claim: ClaimId;
  readonly way: string;
  /** `undefined` where there is no such figure: series that do not return, a ratio of returns that never vary. */
  readonly ours: number | undefined;
  readonly interval95?: readonly [number, number] | undefined;
  readonly reproduces: boolean;
}

export interface Reference {
  readonly window: Window;
  readonly sampleBars: number;
  readonly dataFingerprint: string;
  readonly synthetic: boolean;
  readonly lines: readonly ReferenceLine[];
  /** The features of the trees by gain, the largest first. */
  readonly topFeatures: readonly string[];
  /** Of the bars on which the trees are tested. */
  readonly buyAndHoldSharpe: number | undefined;
  readonly seed: number;
}

interface ReferenceRequest {
  readonly store: Store;
  readonly window: Window;
  /** Bars that the reference system fitted its trees on. */
  readonly sampleBars?: number;
  readonly sources: InputSources;
  readonly validationPct: number;
  readonly rules: ExecutionRules;
  readonly instruments: readonly Instrument[];
  readonly trialsFile: string;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onStep: (text: string) => void;
}

/** Features that measure momentum; the best of them counts. */
const MOMENTUM = ['momentum_score_20', 'momentum_score_50'];
const EMBARGO_BARS = 24;

/**
 * Works the reference system's published figures out again on `window`, in every way that its text leaves open. The trees
 * forecast the next bar, are refitted on the last `sampleBars` bars and asked about the bars behind them, and enter the
 * ledger of trials. Throws `UserError` when candles are not stored or too few.
 */
export async function reference(request: ReferenceRequest): Promise<Reference> {
  const { store, window, sampleBars = 2078, sources, seed, signal, onStep } = request;
  await requireCandles(store, window);
  const model = builtIn.findModel('boosted-trees');
  const params = modelParams(model, 'quick', { horizonBars: 1 });
  const featureNames = model.features(params);
  const catalogue = builtIn.features;
  const panel = await loadPanel(store, { ...window, featureNames, sources, catalogue, signal });
  onStep('cointegration and GARCH');
  const lines = [...facts(panel), ...cointegration(panel, sampleBars)];
  lines.push(...(await garch(panel, sampleBars, signal)));
  onStep(`trees on ${sampleBars} bars`);
  const { untilMs } = panel;
  const fromMs = untilMs - sampleBars * TIMEFRAME_MS[window.timeframe];
  const fitted = await refit(
    { model, params },
    { train: { fromMs, untilMs }, test: { fromMs: untilMs, untilMs } },
    { ...request, panel, seed: deriveSeed(seed, 'reference') },
  );
  const { meanGain, trees } = Grown.parse(fitted.report);
  const topFeatures = Object.entries(meanGain)
    .sort(([, a], [, b]) => b - a)
    .map(([name]) => name);
  lines.push(...ranks(topFeatures, `by mean gain, trees: ${trees}, last ${sampleBars} bars of each pair`));
  const traded = await tradedTrees(request, sampleBars);
  const { fingerprint: dataFingerprint, synthetic } = panel;
  lines.push(...traded.lines);
  const { buyAndHoldSharpe } = traded;
  return { window, sampleBars, dataFingerprint, synthetic, lines, topFeatures, buyAndHoldSharpe, seed };
}

const Grown = z.object({ trees: z.int(), meanGain: z.record(z.string(), z.number()) });

function line(id: ClaimId, way: string, ours: number | undefined): ReferenceLine {
  const { low = -Infinity, high = Infinity }: Claim = CLAIMS.find((claim) => claim.id === id) ?? CLAIMS[0];
  return { claim: id, way, ours, reproduces: ours !== undefined && ours >= low && ours <= high };
}

function facts(panel: LoadedPanel): readonly ReferenceLine[] {
  const bars = panel.series.reduce((sum, { candles }) => sum + candles.time.length, 0);
  const { low, high, close } = panel.series[0].candles;
  const least = (column: Float64Array): number => column.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (column: Float64Array): number => column.reduce((a, b) => Math.max(a, b), 0);
  return [
    line('bars', panel.exchange, bars),
    line('btc-low', 'of closes', least(close)),
    line('btc-low', 'of lows', least(low)),
    line('btc-high', 'of closes', most(close)),
    line('btc-high', 'of highs', most(high)),
  ];
}

/** Both orders, with and without logs, over the window and over its last bars. */
export function cointegration(panel: Pick<Panel, 'series'>, sampleBars: number): readonly ReferenceLine[] {
  const [btc, eth] = panel.series.map(({ symbol, candles }) => ({ name: baseOf(symbol), candles }));
  const rowOf = new Map(Array.from(eth.candles.time, (time, row) => [time, row]));
  const rows = Array.from(btc.candles.time, (time, row) => [row, rowOf.get(time)] as const);
  const both = rows.flatMap(([a, b]) => (b === undefined ? [] : [[a, b] as const]));
  const closes = [
    Float64Array.from(both, ([a]) => btc.candles.close[a]),
    Float64Array.from(both, ([, b]) => eth.candles.close[b]),
  ];
  const lines: ReferenceLine[] = [];
  for (const bars of [both.length, Math.min(sampleBars, both.length)])
    for (const logs of [false, true])
      for (const turned of [false, true]) {
        const columns = closes.map((column) => {
          const last = column.subarray(column.length - bars);
          return logs ? last.map(Math.log) : last;
        });
        const [y, x] = turned ? [columns[1], columns[0]] : columns;
        const names = turned ? `${eth.name} on ${btc.name}` : `${btc.name} on ${eth.name}`;
        const way = `${names}, ${logs ? 'logs' : 'prices'}, ${bars} bars`;
        // Lags up to Schwert's rule, chosen by AIC, as statsmodels does.
        const lags = Math.ceil(12 * (bars / 100) ** 0.25);
        const test = engleGranger(y, x, { trend: 'c', lags, chooseLags: true });
        lines.push(line('cointegration-p', way, test?.pValue));
        lines.push(line('half-life', way, test && halfLife(test.residuals)));
      }
  return lines;
}

/** GARCH(1,1) with normal shocks of each pair's returns. */
async function garch(
  panel: LoadedPanel,
  sampleBars: number,
  signal: AbortSignal,
): Promise<readonly ReferenceLine[]> {
  const lines: ReferenceLine[] = [];
  for (const { symbol, candles } of panel.series) {
    const returns = candles.close.subarray(1).map((close, row) => 100 * (close / candles.close[row] - 1));
    for (const bars of [returns.length, Math.min(sampleBars, returns.length)]) {
      const steps = garchSteps(returns.subarray(returns.length - bars), {
        variance: 'garch',
        student: false,
      });
      const { alpha, beta } = (await inTurns(steps, signal)).garch;
      const way = `${baseOf(symbol)}, ${bars} returns`;
      lines.push(line('garch-alpha', way, alpha), line('garch-beta', way, beta));
    }
  }
  return lines;
}

/** `none`: not among the 20 first, or never split on. */
function ranks(topFeatures: readonly string[], way: string): readonly ReferenceLine[] {
  const rank = (names: readonly string[]): number | undefined => {
    const place = topFeatures.findIndex((name) => names.includes(name));
    return place < 0 ? undefined : place + 1;
  };
  return [
    line('rank-range', way, rank(['high_low_range'])),
    line('rank-volatility', way, rank(['volatility_50'])),
    line('rank-momentum', way, rank(MOMENTUM)),
  ];
}

/** Which bars the trees take a side on. */
const CONFIDENCES = [
  { name: 'every bar', entryQuantile: 0 },
  { name: 'as sure as in the surest tenth of validation', entryQuantile: 0.9 },
];
const COSTS_BPS = [0, 5, 10];

async function tradedTrees(request: ReferenceRequest, sampleBars: number) {
  const { window, rules, instruments, seed, signal, trialsFile, onStep } = request;
  const { timeframe, sinceMs, untilMs } = window;
  const stepMs = TIMEFRAME_MS[timeframe];
  const fromMs = sinceMs + (sampleBars + EMBARGO_BARS) * stepMs;
  const folds = Math.floor((untilMs - fromMs) / (sampleBars * stepMs));
  if (folds < 1)
    throw new UserError(`The window has no ${sampleBars} bars to train on and as many to test on.`, {
      hint: 'Fetch the candles of the whole window.',
    });
  const lines: ReferenceLine[] = [];
  let buyAndHoldSharpe: number | undefined;
  for (const { name, entryQuantile } of CONFIDENCES) {
    onStep(`trees refitted ${folds} times, ${name}`);
    const source = await walkForwardForecasts({
      ...request,
      ...window,
      fromMs,
      folds,
      embargoBars: EMBARGO_BARS,
      window: 'rolling',
      models: ['boosted-trees'],
      params: { 'boosted-trees': { horizonBars: 1, entryQuantile } },
      onFold: () => {},
    });
    const result = await inTurns(backtestSteps({ ...source, instruments, rules, seed }), signal);
    await provenanceOf(source, result, { seed, trialsFile, by: 'walk-forward' });
    const trees = result.members.find(({ strategy }) => strategy.name === 'boosted-trees');
    const quality = result.forecasts.find(({ model }) => model === 'boosted-trees');
    const accuracy = line('accuracy', `${name}, ${quality?.samples ?? 0} samples`, quality?.hitRatePct);
    lines.push({ ...accuracy, interval95: quality?.hitRatePct95 });
    const points = trees && (await inTurns(costCurve(trees.strategy, result.setting), signal)).points;
    for (const { costBps, sharpe } of (points ?? []).filter(({ costBps: bps }) => COSTS_BPS.includes(bps)))
      lines.push(line('sharpe', `${name}, ${costBps} bp per side`, sharpe));
    buyAndHoldSharpe = result.benchmark.metrics.sharpe;
  }
  return { lines, buyAndHoldSharpe };
}

const baseOf = (symbol: PairSymbol): string => symbol.split('/')[0];
