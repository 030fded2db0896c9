import { finish, type Steps } from '../foundation/steps.ts';
import type { FeatureColumn, FeatureTable } from '../dataset/panel.ts';
import { UserError } from '../foundation/errors.ts';
import { nearest } from '../foundation/nearest.ts';
import type { Candles } from '../market/candles.ts';
import type { Timeframe } from '../market/timeframe.ts';
import { type Column, Plan } from './columns/plan.ts';
import type { Feature } from './feature.ts';
import { advancedFeatures } from './groups/advanced.ts';
import { crossAssetFeatures } from './groups/cross-asset.ts';
import { crossExchangeFeatures } from './groups/cross-exchange.ts';
import { derivativesFeatures } from './groups/derivatives.ts';
import { macroFeatures } from './groups/macro.ts';
import { momentumFeatures } from './groups/momentum.ts';
import { newsFeatures } from './groups/news.ts';
import { onChainFeatures } from './groups/on-chain.ts';
import { orderBookFeatures } from './groups/order-book.ts';
import { patternFeatures } from './groups/patterns.ts';
import { priceFeatures } from './groups/price.ts';
import { regimeFeatures } from './groups/regime.ts';
import { sentimentFeatures } from './groups/sentiment.ts';
import { timeFeatures } from './groups/time.ts';
import { volatilityFeatures } from './groups/volatility.ts';
import { volumeFeatures } from './groups/volume.ts';
import type { FeatureInputs, InputName } from './inputs.ts';
import type { Bar } from './kernels/indicators.ts';

/** Every feature, group by group. */
export const catalogue: readonly Feature[] = [
  ...priceFeatures,
  ...volumeFeatures,
  ...volatilityFeatures,
  ...momentumFeatures,
  ...patternFeatures,
  ...regimeFeatures,
  ...timeFeatures,
  ...advancedFeatures,
  ...crossAssetFeatures,
  ...crossExchangeFeatures,
  ...derivativesFeatures,
  ...orderBookFeatures,
  ...onChainFeatures,
  ...macroFeatures,
  ...sentimentFeatures,
  ...newsFeatures,
];

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

const STREAM_ROWS = 64;

/**
 * The named columns, row by row beside `candles`, in the order asked for; `NaN` before a feature's warm-up and
 * finite from there on. Features that need other inputs (`inputsOf`) are `NaN` where those have no row that still
 * counts. Recursive features depend on the first bar, so start at the same bar to get the same bits. Throws
 * `UserError` for an unknown name; an input that is missing is our bug. `known` are the features that have a name, the
 * catalogue and a user's own.
 */
export const computeFeatures = (
  names: readonly string[],
  candles: Candles,
  timeframe: Timeframe,
  inputs: FeatureInputs = {},
  known: readonly Feature[] = catalogue,
): FeatureTable<Float64Array> => finish(featureSteps(names, candles, timeframe, inputs, known));

/** The same in steps of a block of rows, for histories that take seconds. */
export const featureSteps = (
  names: readonly string[],
  candles: Candles,
  timeframe: Timeframe,
  inputs: FeatureInputs = {},
  known: readonly Feature[] = catalogue,
): Steps<FeatureTable<Float64Array>> => stepsInto(doubles, names, { candles, timeframe, inputs, known });

const doubles = (_: string, rows: number): Float64Array => new Float64Array(rows);

/** The same, those of `single` rounded to float32. */
export const roundedSteps = (
  names: readonly string[],
  single: ReadonlySet<string>,
  of: Computed,
): Steps<FeatureTable> =>
  stepsInto(
    (name, rows): FeatureColumn => (single.has(name) ? new Float32Array(rows) : new Float64Array(rows)),
    names,
    of,
  );

/** What features are computed from, and the features that there are. */
export interface Computed {
  readonly candles: Candles;
  readonly timeframe: Timeframe;
  readonly inputs: FeatureInputs;
  readonly known: readonly Feature[];
}

function* stepsInto<Column extends FeatureColumn>(
  make: (name: string, rows: number) => Column,
  names: readonly string[],
  { candles, timeframe, inputs, known }: Computed,
): Steps<FeatureTable<Column>> {
  const rows = candles.time.length;
  const { plan, sources, columns } = planFeatures(names, timeframe, inputs, known);
  const results = names.map((name) => make(name, rows));
  const blockRows = plan.begin(columns);
  const { data } = plan;
  const read = sources.filter(([, source]) => plan.reads(source));
  for (let from = 0; from < rows; from += blockRows) {
    const to = Math.min(rows, from + blockRows);
    plan.advance(to - from);
    for (const [name, { at }] of read) data.set(candles[name].subarray(from, to), at);
    plan.compute(to - from);
    columns.forEach(({ at }, i) => results[i].set(data.subarray(at, at + to - from), from));
    yield;
  }
  return { names: [...names], columns: results };
}

/** Features of one series as its bars close. */
export interface FeatureStream {
  /** One value a name for the next closed bar, in an array that it reuses. */
  push(bar: Bar): Float64Array;
  /** The columns of the next closed bars, however many. */
  append(candles: Candles): FeatureTable<Float64Array>;
  /** The same in steps of a block of rows. */
  appendSteps(candles: Candles): Steps<FeatureTable<Float64Array>>;
  /**
   * Everything it remembers of the bars so far, as plain numbers; `undefined` where a feature reads other inputs,
   * which have to be read again from the start.
   */
  state(): Float64Array | undefined;
  /** Goes on where a stream of the same names and timeframe stood. Throws `UserError` where the state is not of one. */
  restore(state: Float64Array): void;
}

/**
 * The features of `computeFeatures` bar by bar: short blocks, of `blockRows` at most, through the same code, the same bits.
 * Series of `inputs` may be replaced by longer ones that begin with the same rows.
 */
export function streamFeatures(
  names: readonly string[],
  timeframe: Timeframe,
  inputs: FeatureInputs = {},
  known: readonly Feature[] = catalogue,
  blockRows = STREAM_ROWS,
): FeatureStream {
  const { plan, sources, columns } = planFeatures(names, timeframe, inputs, known);
  const complete = inputsOf(names, known).length === 0;
  const values = new Float64Array(names.length);
  plan.begin(columns, blockRows);
  function* appendSteps(candles: Candles): Steps<FeatureTable<Float64Array>> {
    const rows = candles.time.length;
    const results = names.map(() => new Float64Array(rows));
    for (let from = 0; from < rows; from += blockRows) {
      const to = Math.min(rows, from + blockRows);
      plan.advance(to - from);
      for (const [name, source] of sources) source.data.set(candles[name].subarray(from, to), source.at);
      plan.compute(to - from);
      columns.forEach(({ data, at }, i) => results[i].set(data.subarray(at, at + to - from), from));
      yield;
    }
    return { names: [...names], columns: results };
  }
  return {
    push(bar) {
      plan.advance(1);
      for (const [name, source] of sources) source.data[source.at] = bar[name];
      plan.compute(1);
      for (let i = 0; i < columns.length; i++) values[i] = columns[i].data[columns[i].at];
      return values;
    },
    append: (candles) => finish(appendSteps(candles)),
    appendSteps,
    state: () => (complete ? plan.state() : undefined),
    restore(state) {
      if (!complete || !plan.restore(state))
        throw new UserError('The stored state of the features is not one of these features.', {
          hint: 'Compute them again from the first bar.',
        });
    },
  };
}

/** What the named features need beside the candles of their own symbol. */
export const inputsOf = (
  names: readonly string[],
  known: readonly Feature[] = catalogue,
): readonly InputName[] => [...new Set(findFeatures(names, known).flatMap(({ needs }) => needs))];

/** Leading bars in which at least one of the named features has no value. */
export function warmUpBars(
  names: readonly string[],
  timeframe: Timeframe,
  known: readonly Feature[] = catalogue,
): number {
  return findFeatures(names, known).reduce(
    (most, feature) => Math.max(most, feature.warmUpBars(timeframe)),
    0,
  );
}

/** Throws `UserError` with the nearest name for one that is not known. */
export function findFeatures(
  names: readonly string[],
  known: readonly Feature[] = catalogue,
): readonly Feature[] {
  const byName = new Map(known.map((feature) => [feature.name, feature]));
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

function planFeatures(
  names: readonly string[],
  timeframe: Timeframe,
  inputs: FeatureInputs,
  known: readonly Feature[],
) {
  const plan = new Plan();
  const [time, open, high, low, close, volume] = Array.from({ length: 6 }, () => plan.source());
  const candles = { time, open, high, low, close, volume };
  const columns = findFeatures(names, known).map(({ column }) => column({ ...candles, timeframe, inputs }));
  const sources: readonly (readonly [keyof Candles, Column])[] = [
    ['time', time],
    ['open', open],
    ['high', high],
    ['low', low],
    ['close', close],
    ['volume', volume],
  ];
  return { plan, sources, columns };
}
