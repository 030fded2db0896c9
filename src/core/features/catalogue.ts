import type { FeatureTable } from '../dataset/panel.ts';
import { invariant, UserError } from '../foundation/errors.ts';
import { nearest } from '../foundation/nearest.ts';
import type { Candles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import type { Feature, FeatureKernel, Step } from './feature.ts';
import { Feed } from './feed.ts';
import { advancedKernels } from './groups/advanced.ts';
import { crossAssetKernels } from './groups/cross-asset.ts';
import { crossExchangeKernels } from './groups/cross-exchange.ts';
import { derivativesKernels } from './groups/derivatives.ts';
import { macroKernels } from './groups/macro.ts';
import { momentumKernels } from './groups/momentum.ts';
import { onChainKernels } from './groups/on-chain.ts';
import { orderBookKernels } from './groups/order-book.ts';
import { patternKernels } from './groups/patterns.ts';
import { priceKernels } from './groups/price.ts';
import { regimeKernels } from './groups/regime.ts';
import { sentimentKernels } from './groups/sentiment.ts';
import { timeKernels } from './groups/time.ts';
import { volatilityKernels } from './groups/volatility.ts';
import { volumeKernels } from './groups/volume.ts';
import { type FeatureInputs, type InputName, staleAfterMs } from './inputs.ts';
import type { Bar } from './kernels/indicators.ts';

const kernels: readonly FeatureKernel[] = [
  ...priceKernels,
  ...volumeKernels,
  ...volatilityKernels,
  ...momentumKernels,
  ...patternKernels,
  ...regimeKernels,
  ...timeKernels,
  ...advancedKernels,
  ...crossAssetKernels,
  ...crossExchangeKernels,
  ...derivativesKernels,
  ...orderBookKernels,
  ...onChainKernels,
  ...macroKernels,
  ...sentimentKernels,
];

interface Part {
  readonly step: Step;
  readonly feeds: readonly Feed[];
  readonly out: Float64Array;
  readonly wanted: readonly number[];
  readonly targets: readonly Float64Array[];
}

const gapless = (name: string): readonly [string, Replacement] => [
  name,
  { by: `gapless_${name}`, because: 'the same pattern without the gap that TA-Lib asks for' },
];

interface Replacement {
  readonly by: string;
  readonly because: string;
}

/** Names that checkpoints and settings of older versions may still hold. */
const REPLACED: ReadonlyMap<string, Replacement> = new Map([
  ['williams_r_14', { by: 'stochastic_k_14', because: 'it is the same number plus 100' }],
  ['price_score_20', { by: 'bollinger_position', because: 'it is the same number on another scale' }],
  [
    'days_until_halving',
    { by: 'days_since_halving', because: 'the two always add up to 210 000 blocks of 10 minutes' },
  ],
  ['up_volume_share_20', { by: 'obv_balance_20', because: 'it is the same number on another scale' }],
  ...['inverted_hammer', 'shooting_star', 'piercing', 'dark_cloud', 'morning_star', 'evening_star'].map(
    gapless,
  ),
]);

/** Rows that all kernels take before the next ones: few enough for a kernel's values of them to stay in cache. */
const BLOCK_ROWS = 128;

/** Every feature, group by group. */
export const catalogue: readonly Feature[] = kernels.flatMap(({ features }) => features);

/**
 * The named columns, row by row beside `candles`, in the order asked for; `NaN` before a feature's warm-up and
 * finite from there on. Features that need other inputs (`inputsOf`) are `NaN` where those have no row that still
 * counts. Recursive features depend on the first bar, so start at the same bar to get the same bits. Throws
 * `UserError` for an unknown name; an input that is missing is our bug.
 */
export function computeFeatures(
  names: readonly string[],
  candles: Candles,
  timeframe: Timeframe,
  inputs: FeatureInputs = {},
): FeatureTable {
  const rows = candles.time.length;
  const step = TIMEFRAME_MS[timeframe];
  const columns = new Map<string, Float64Array>();
  const parts = plan(names).map(({ kernel, wanted }) => {
    const targets = wanted.map(() => new Float64Array(rows));
    wanted.forEach((index, i) => columns.set(kernel.features[index].name, targets[i]));
    return { ...begin(kernel, timeframe, inputs), wanted, targets };
  });
  // Kernel by kernel within a block of rows: the values of a block stay in the nearest cache until they are
  // written to their columns, and the compiler has met every kernel before it specialises the loop for one.
  const block = new Float64Array(BLOCK_ROWS * parts.reduce((most, { out }) => Math.max(most, out.length), 0));
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const to = Math.min(rows, from + BLOCK_ROWS);
    for (const part of parts) {
      stepThrough(part, candles, { from, to, stepMs: step, block });
      part.targets.forEach((target, i) => {
        const width = part.targets.length;
        for (let row = from, at = i; row < to; row++, at += width) target[row] = block[at];
      });
    }
  }
  return { names: [...names], columns: names.map((name) => columns.get(name) ?? new Float64Array(0)) };
}

function stepThrough(
  { step, feeds, out, wanted }: Part,
  { time, open, high, low, close, volume }: Candles,
  { from, to, stepMs, block }: { from: number; to: number; stepMs: number; block: Float64Array },
): void {
  const bar = { time: NaN, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN };
  let at = 0;
  for (let row = from; row < to; row++) {
    bar.time = time[row];
    bar.open = open[row];
    bar.high = high[row];
    bar.low = low[row];
    bar.close = close[row];
    bar.volume = volume[row];
    const known = feeds.length === 0 || advanceAll(feeds, bar.time + stepMs);
    step(bar, out);
    for (let i = 0; i < wanted.length; i++) block[at++] = known ? out[wanted[i]] : NaN;
  }
}

/** The same values one closed bar at a time: `push` returns one value a name, in an array that it reuses. */
export function streamFeatures(
  names: readonly string[],
  timeframe: Timeframe,
  inputs: FeatureInputs = {},
): { push(bar: Bar): Float64Array } {
  const step = TIMEFRAME_MS[timeframe];
  const parts = plan(names).map(({ kernel, wanted }) => ({
    ...begin(kernel, timeframe, inputs),
    copies: wanted.flatMap((from) =>
      names.flatMap((name, to) => (name === kernel.features[from].name ? [{ from, to }] : [])),
    ),
  }));
  const values = new Float64Array(names.length);
  return {
    push(bar) {
      for (const { step: advance, feeds, out, copies } of parts) {
        const known = feeds.length === 0 || advanceAll(feeds, bar.time + step);
        advance(bar, out);
        for (const { from, to } of copies) values[to] = known ? out[from] : NaN;
      }
      return values;
    },
  };
}

/** What the named features need beside the candles of their own symbol. */
export const inputsOf = (names: readonly string[]): readonly InputName[] => [
  ...new Set(findFeatures(names).flatMap(({ needs }) => needs)),
];

/** Leading bars in which at least one of the named features has no value. */
export function warmUpBars(names: readonly string[], timeframe: Timeframe): number {
  return findFeatures(names).reduce((most, feature) => Math.max(most, feature.warmUpBars(timeframe)), 0);
}

/** Throws `UserError` with the nearest name for one that the catalogue does not have. */
export function findFeatures(names: readonly string[]): readonly Feature[] {
  const byName = new Map(catalogue.map((feature) => [feature.name, feature]));
  return names.map((name) => {
    const feature = byName.get(name);
    if (feature !== undefined) return feature;
    const successor = REPLACED.get(name);
    if (successor !== undefined)
      throw new UserError(`The feature "${name}" no longer exists.`, {
        hint: `Use "${successor.by}" instead: ${successor.because}.`,
      });
    const near = nearest(name, [...byName.keys()]);
    throw new UserError(`Unknown feature "${name}".`, {
      hint: `${near === undefined ? '' : `Did you mean "${near}"? `}"crypto-trader features" lists all ${byName.size}.`,
    });
  });
}

function plan(names: readonly string[]): readonly { kernel: FeatureKernel; wanted: readonly number[] }[] {
  const asked = new Set(findFeatures(names).map(({ name }) => name));
  return kernels
    .map((kernel) => ({
      kernel,
      wanted: kernel.features.flatMap(({ name }, index) => (asked.has(name) ? [index] : [])),
    }))
    .filter(({ wanted }) => wanted.length > 0);
}

function begin(
  kernel: FeatureKernel,
  timeframe: Timeframe,
  inputs: FeatureInputs,
): { readonly step: Step; readonly feeds: readonly Feed[]; readonly out: Float64Array } {
  const { step, observe } = kernel.start(timeframe);
  const feeds = kernel.needs.map(({ input, columns }, i) => {
    const series = inputs[input];
    invariant(series !== undefined, `the input "${input}" of ${kernel.features[0].name} is given`);
    return new Feed(series, { columns, observe: observe[i], staleMs: staleAfterMs(input) });
  });
  return { step, feeds, out: new Float64Array(kernel.features.length) };
}

/** Every feed moves on, also beside one that is stale. */
function advanceAll(feeds: readonly Feed[], nowMs: number): boolean {
  let known = true;
  for (const feed of feeds) known = feed.advance(nowMs) && known;
  return known;
}
