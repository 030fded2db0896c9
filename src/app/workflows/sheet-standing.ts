import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Panel, Series } from '../../core/dataset/panel.ts';
import { exactJson, ExactNumber } from '../../core/foundation/exact-json.ts';
import type { FittedModel, Forecast } from '../../core/forecast/model.ts';
import { lowerBound, sliceCandles } from '../../core/market/candles.ts';
import { knowVolatility, marketVolatility } from '../../core/strategy/volatility.ts';
import { type DerivedFiles, openDerived } from '../../data/derived.ts';
import { jsonIn } from '../../data/json.ts';
import { computePanel, type LoadedMarket } from '../../data/panel/load-panel.ts';
import { programIdentity } from '../../data/program-version.ts';
import { giveWay } from '../../data/turns.ts';
import { EnsembleState } from '../../learning/ensemble/combine.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { askAll, evidenceOf, shapeOf } from '../../learning/training/kept-forecasts.ts';
import type { StoredMember } from '../../learning/training/member-folder.ts';
import type { SheetStanding, SignalTerms } from './signals.ts';

/** Rows of each symbol before those that are decided: what was said two bars before is what has earned something by the first. */
const ROWS_BEHIND = 8;
const MOST_BYTES = 32 * 2 ** 20;
const MOST_FILE_BYTES = 8 * 2 ** 20;

/** Where signals stood at the newest bar, and what every model said of the last bars before it. */
export interface KeptSheet {
  /** Open of the newest bar that was known. */
  readonly lastMs: number;
  readonly standing: SheetStanding;
  readonly members: readonly KeptMember[];
}

interface KeptMember {
  /** Of the last rows that were known of each symbol, `ROWS_BEHIND` of them or all. */
  readonly forecasts: readonly Forecast[];
  /** What its follower stood at; `undefined`: it is shown all bars again. */
  readonly follower?: unknown;
}

/** The file of one run, one way of deciding and one beginning; `undefined`: what it decides by cannot be written down. */
export function keptSheets(
  dataDir: string,
  trained: TrainedSet<StoredMember>,
  { strategy, params, ensemble, rules }: SignalTerms,
) {
  if (strategy.restsOnLabels === true) return undefined;
  const { exchange, timeframe, symbols, sinceMs, pluginHashes, members } = trained;
  const run = members.map(({ id, noSkill, manifestSha256 }) => [id, noSkill, manifestSha256]);
  const market = [exchange, timeframe, symbols, sinceMs, trained.trainUntilMs, trained.validateUntilMs];
  const how = [strategy.id, params, ensemble.method.id, ensemble.params, rules];
  const all = exactJson([1, programIdentity(), run, market, pluginHashes, how]);
  const name = `${createHash('sha256').update(all).digest('hex')}.json`;
  const files = openDerived(dataDir, 'signals', { mostBytes: MOST_BYTES, mostFileBytes: MOST_FILE_BYTES });
  return {
    /** What was kept, where the store still holds the candles and other inputs that it rests on. */
    read: (market: LoadedMarket) => read(files, name, trained, market),
    async keep(sheet: KeptSheet, market: LoadedMarket): Promise<void> {
      const evidence = evidenceOf(market, trained)(sheet.lastMs, trained.featureNames);
      await files.put(name, [Buffer.from(exactJson({ ...sheet, evidence }))]);
      await files.prune();
    },
  };
}

const Column = z.array(ExactNumber).transform((values) => Float64Array.from(values));
const Flags = z.array(z.int()).transform((values) => Uint8Array.from(values));
const Pair = z.templateLiteral([z.string(), '/', z.string()]);
const Member = z.strictObject({
  id: z.string(),
  kind: z.enum(['baseline', 'rule', 'classical', 'deep', 'agent']),
});

const Edge = z.strictObject({
  slope: ExactNumber,
  error: ExactNumber,
  low: ExactNumber,
  high: ExactNumber,
  samples: ExactNumber,
  persistence: ExactNumber,
  deviation: ExactNumber,
  horizonBars: z.int(),
});

const Follows = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sharpe'), halfLifeDays: z.number() }),
  z.strictObject({ kind: z.literal('hedge'), rate: z.number(), share: z.number() }),
]);

const Learned = z
  .strictObject({
    horizonBars: z.int(),
    members: z.array(Member),
    coefficients: Column,
    isVoter: Flags,
    usualConfidence: Column,
    weights: Column,
    weighing: z.strictObject({
      asFitted: z.boolean().exactOptional(),
      byConfidence: z.boolean().exactOptional(),
      sharesVotes: z.boolean().exactOptional(),
      follows: Follows.exactOptional(),
    }),
    likeness: z.array(Column).exactOptional(),
    leftOut: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  })
  .transform((learned) => ({ likeness: undefined, ...learned }));

const Said = z.strictObject({
  symbol: Pair,
  horizonBars: z.int(),
  position: Column,
  confidence: Column,
  probabilityUp: Column.exactOptional(),
  expectedReturn: Column.exactOptional(),
  quantiles: z.strictObject({ levels: z.array(z.number()), columns: z.array(Column) }).exactOptional(),
});

const Sheet = z.strictObject({
  lastMs: z.number(),
  evidence: z.string(),
  standing: z.strictObject({
    fromMs: z.number(),
    decidedSinceMs: z.number(),
    learned: Learned,
    state: EnsembleState.optional(),
    speakers: z.array(
      z.strictObject({
        id: z.string(),
        edge: Edge.optional(),
        worth: ExactNumber.optional(),
        wanted: z.array(ExactNumber),
      }),
    ),
  }),
  members: z.array(z.strictObject({ forecasts: z.array(Said), follower: z.unknown().optional() })),
});

async function read(
  files: DerivedFiles,
  name: string,
  trained: TrainedSet<StoredMember>,
  market: LoadedMarket,
): Promise<KeptSheet | undefined> {
  const bytes = await files.get(name);
  if (bytes === undefined) return undefined;
  const parsed = Sheet.safeParse(jsonIn(new TextDecoder().decode(bytes)));
  if (!parsed.success) return undefined;
  const { evidence, ...sheet } = parsed.data;
  if (evidenceOf(market, trained)(sheet.lastMs, trained.featureNames) !== evidence) return undefined;
  const rows = market.series.map((one) => Math.min(ROWS_BEHIND, rowsUntil(one, sheet.lastMs)));
  const fits = ({ forecasts }: KeptMember): boolean =>
    forecasts.length === rows.length &&
    forecasts.every((one, s) => columnsOf(one).every(({ length }) => length === rows[s]));
  return sheet.members.length === trained.members.length && sheet.members.every(fits) ? sheet : undefined;
}

const rowsUntil = ({ candles: { time } }: Series, lastMs: number): number => lowerBound(time, lastMs + 1);

const columnsOf = ({ position, confidence, probabilityUp, expectedReturn, quantiles }: Forecast) =>
  [position, confidence, probabilityUp, expectedReturn, ...(quantiles?.columns ?? [])].filter(
    (column) => column !== undefined,
  );

/** The rows of every column that `cut` gives. */
const mapColumns = (
  { symbol, horizonBars, position, confidence, probabilityUp, expectedReturn, quantiles }: Forecast,
  cut: (column: Float64Array, c: number) => Float64Array,
): Forecast => {
  let c = 0;
  const next = (column: Float64Array): Float64Array => cut(column, c++);
  return {
    symbol,
    horizonBars,
    position: next(position),
    confidence: next(confidence),
    ...(probabilityUp && { probabilityUp: next(probabilityUp) }),
    ...(expectedReturn && { expectedReturn: next(expectedReturn) }),
    ...(quantiles && { quantiles: { levels: quantiles.levels, columns: quantiles.columns.map(next) } }),
  };
};

/** What is kept of a model whose forecasts end at the newest bar of each symbol. */
export const ofLastRows = ({ forecasts, follower }: KeptMember): KeptMember => ({
  forecasts: forecasts.map((one) => mapColumns(one, (column) => column.slice(-ROWS_BEHIND))),
  follower,
});

/** The rows that `kept` has forecasts of, and those that have come since. */
export function newestRows(market: LoadedMarket, { lastMs }: KeptSheet): Panel {
  const { volatility } = marketVolatility(market);
  const rows = rowsFrom(market, lastMs, ROWS_BEHIND);
  knowVolatility(
    rows,
    volatility.map((column, s) => column.subarray(column.length - rows.series[s].candles.time.length)),
  );
  return rows;
}

/** The rows of a panel behind those of `lastMs` of each symbol, and so many before them. */
function rowsFrom({ timeframe, series }: Panel, lastMs: number, before: number): Panel {
  return {
    timeframe,
    series: series.map((one) => {
      const { candles, features } = one;
      const from = Math.max(0, rowsUntil(one, lastMs) - before);
      const columns = features.columns.map((column) => column.subarray(from));
      return {
        ...one,
        candles: sliceCandles(candles, from, candles.time.length),
        features: { names: features.names, columns },
      };
    }),
  };
}

/**
 * What the models say of the rows of `newestRows`: kept, and asked of the bars that have come since. `undefined`: one cannot go on
 * from what is kept, and all have to be asked anew.
 */
export async function goOn(
  trained: TrainedSet<StoredMember>,
  market: LoadedMarket,
  { lastMs, members: kept }: KeptSheet,
  signal: AbortSignal | undefined,
): Promise<readonly KeptMember[] | undefined> {
  const added = market.series.map((one) => one.candles.time.length - rowsUntil(one, lastMs));
  if (added.every((rows) => rows === 0)) return kept;
  const { members, featureNames, single, catalogue } = trained;
  const opened = await Promise.all(members.map(({ open }) => open().catch(modelFailed)));
  const panel = await computePanel(market, { featureNames, single, catalogue, signal });
  const asked = await Promise.all(
    opened.map(async (fitted, m) => {
      await giveWay(signal);
      const { forecasts, follower: from } = kept[m];
      const next = fitted && (await asksSince(fitted, panel, { lastMs, from }).catch(modelFailed));
      if (next === undefined) return undefined;
      if (next.said.some((one, s) => shapeOf(one) !== shapeOf(forecasts[s]))) return undefined;
      const joined = forecasts.map((before, s) => {
        const newer = columnsOf(next.said[s]);
        return mapColumns(before, (column, c) => withRows(column, newer[c], added[s]));
      });
      return { forecasts: joined, follower: next.standing };
    }),
  );
  const known = asked.filter((one) => one !== undefined);
  return known.length === asked.length ? known : undefined;
}

/** What goes wrong with a model is found out, and said, when all are asked anew. */
function modelFailed(error: unknown): undefined {
  if (!(error instanceof Error) || error.name === 'AbortError') throw error;
  return undefined;
}

/** One model's forecasts of the bars behind `lastMs`, and where its follower then stands. */
async function asksSince(
  fitted: FittedModel,
  panel: Panel,
  { lastMs, from }: { readonly lastMs: number; readonly from: unknown },
): ReturnType<typeof askAll> {
  const follower = from === undefined ? undefined : fitted.follow?.(from);
  if (follower === undefined) return askAll(fitted, panel, lastMs + 1);
  const said = await follower.forecast(rowsFrom(panel, lastMs, follower.lookBackBars), lastMs + 1);
  return { said, standing: follower.standing?.() };
}

function withRows(before: Float64Array, column: Float64Array, added: number): Float64Array {
  const joined = new Float64Array(before.length + added);
  joined.set(before);
  joined.set(column.subarray(column.length - added), before.length);
  return joined;
}
