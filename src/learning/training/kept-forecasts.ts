import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invariant } from '../../core/foundation/errors.ts';
import { featuresRead, type FittedModel, type Forecast } from '../../core/forecast/model.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import { inputsOf } from '../../core/features/catalogue.ts';
import { viewAt } from '../../core/dataset/bar-views.ts';
import { candlesBetween, lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { knownAt } from '../../core/market/timed-series.ts';
import { type DerivedFiles, openDerived } from '../../data/derived.ts';
import { computePanel, type LoadedMarket } from '../../data/panel/load-panel.ts';
import { programIdentity } from '../../data/program-version.ts';
import { candlesSha256 } from '../../data/store/fingerprint.ts';
import { seriesSha256 } from '../../data/store/series-store.ts';
import type { TrainedSet } from './checkpoints.ts';
import type { StoredMember } from './member-folder.ts';
import type { Ask } from './run-forecasts.ts';

/** A year of hours of three symbols and twenty models takes 25 MB. */
const MOST_BYTES = 256 * 2 ** 20;
const MOST_FILE_BYTES = 64 * 2 ** 20;

/**
 * Remembers what models said. A bar's forecast rests on bars up to it and on nothing that comes later, which every model is
 * held to by law: so what was said stays said, and only the bars since are asked for. A file is good for one set of weights, code,
 * processor and settings; it says which candles and other inputs it rests on, and counts only where these are still the same. Models
 * whose forecasts are all there are not opened, without a folder nothing is remembered, and features that nobody reads are not computed. What is returned holds `NaN` before
 * `sinceMs`. Throws `signal.reason` when aborted.
 */
export async function keptForecasts(
  dataDir: string | undefined,
  trained: TrainedSet<StoredMember>,
  market: LoadedMarket,
  { sinceMs, signal }: { readonly sinceMs: number; readonly signal?: AbortSignal | undefined },
): Promise<{
  readonly ask: Ask<StoredMember>;
  /** Where a model's follower stands at the newest bar; `undefined`: it has none, or was not asked. */
  readonly standing: (member: StoredMember) => unknown;
}> {
  const files =
    dataDir === undefined
      ? undefined
      : openDerived(dataDir, 'forecasts', { mostBytes: MOST_BYTES, mostFileBytes: MOST_FILE_BYTES });
  const identity = programIdentity();
  const lastMs = newestOf(market);
  const evidence = evidenceOf(market, trained);
  const found = new Map<StoredMember, { readonly name: string; readonly kept: Kept | undefined }>();
  await Promise.all(
    trained.members.map(async (member) => {
      const name = nameOf({ identity, trained, member, sinceMs });
      found.set(member, {
        name,
        kept: files && (await read(files, name, { market, sinceMs, evidence, member })),
      });
    }),
  );
  const lacking = trained.members.filter((member) => !(found.get(member)?.kept?.untilMs === lastMs));
  const opened = new Map(
    await Promise.all(lacking.map(async (member) => [member, await member.open()] as const)),
  );
  const asked = featuresRead(lacking.map(({ model, manifest: { features } }) => ({ model, features })));
  const panel =
    lacking.length === 0
      ? market
      : await computePanel(market, { ...asked, catalogue: trained.catalogue, signal });
  let pruning: Promise<void> | undefined;
  const standings = new Map<StoredMember, unknown>();
  const ask: Ask<StoredMember> = async (member, since) => {
    const known = found.get(member);
    invariant(known !== undefined && since === sinceMs, 'asked for what was prepared');
    const fitted = opened.get(member);
    if (fitted === undefined && known.kept !== undefined) return known.kept.forecasts;
    invariant(fitted !== undefined, 'what is not kept was opened');
    let { kept } = known;
    const askedMs = kept === undefined ? sinceMs : kept.untilMs + 1;
    let { said, standing } = await askAll(fitted, panel, askedMs);
    if (said.some((one, s) => kept && shapeOf(one) !== shapeOf(kept.forecasts[s]))) {
      kept = undefined;
      ({ said, standing } = await askAll(fitted, panel, sinceMs));
    }
    standings.set(member, standing);
    const forecasts = said.map((one, s) =>
      joined(market.series[s].candles.time, [
        { forecast: kept?.forecasts[s] ?? one, fromMs: sinceMs },
        { forecast: one, fromMs: kept === undefined ? sinceMs : askedMs },
      ]),
    );
    await files?.put(
      known.name,
      write(forecasts, { market, sinceMs, lastMs, evidence: evidence(lastMs, member.manifest.features) }),
    );
    pruning ??= files?.prune();
    await pruning;
    return forecasts;
  };
  return { ask, standing: (member) => standings.get(member) };
}

/** The forecasts from a bar on of a model that is shown all bars, and where its follower then stands. */
export async function askAll(
  fitted: FittedModel,
  panel: Panel,
  sinceMs: number,
): Promise<{ readonly said: readonly Forecast[]; readonly standing: unknown }> {
  const follower = fitted.follow?.();
  if (follower?.standing === undefined)
    return { said: await fitted.forecast(panel, { sinceMs }), standing: undefined };
  return { said: await follower.forecast(panel, sinceMs), standing: follower.standing() };
}

const newestOf = ({ series }: LoadedMarket): number =>
  Math.max(...series.map(({ candles: { time } }) => time[time.length - 1]));

/** What a file is good for. */
const nameOf = ({
  identity,
  trained: { exchange, timeframe, symbols, sinceMs: firstMs, pluginHashes },
  member: { id, manifestSha256 },
  sinceMs,
}: {
  readonly identity: string;
  readonly trained: TrainedSet<StoredMember>;
  readonly member: StoredMember;
  readonly sinceMs: number;
}): string => {
  const all = [1, identity, id, manifestSha256, exchange, timeframe, symbols, firstMs, pluginHashes, sinceMs];
  return `${createHash('sha256').update(JSON.stringify(all)).digest('hex')}.bin`;
};

type Evidence = (lastMs: number, features: readonly string[]) => string;

/** What forecasts from these features up to the bar that opened at `lastMs` rest on: a SHA-256 of candles and other inputs. */
export function evidenceOf(
  { series, featureInputs, timeframe }: LoadedMarket,
  { catalogue }: { readonly catalogue: TrainedSet['catalogue'] },
): Evidence {
  const seen = new Map<string, string>();
  return (lastMs, features) => {
    const inputs = inputsOf(features, catalogue);
    const key = `${lastMs} ${inputs.join()}`;
    const known = seen.get(key);
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    series.forEach(({ symbol, candles, views = [] }, s) => {
      hash.update(`\n${symbol} ${candlesSha256(candlesBetween(candles, -Infinity, lastMs + 1))}`);
      for (const view of views) {
        const known = viewAt(view, lastMs + TIMEFRAME_MS[timeframe]);
        hash.update(`\n${view.length} ${candlesSha256(known.candles)}`);
      }
      for (const input of inputs) {
        const rows = featureInputs[s][input];
        if (rows === undefined) continue;
        hash.update(`\n${input} ${seriesSha256(knownAt(rows, lastMs + TIMEFRAME_MS[timeframe]))}`);
      }
    });
    const digest = hash.digest('hex');
    seen.set(key, digest);
    return digest;
  };
}

const Head = z.strictObject({
  /** Open time of the newest bar. */
  lastMs: z.number(),
  evidence: z.string(),
  series: z.array(
    z.strictObject({
      symbol: z.string(),
      rows: z.int().nonnegative(),
      horizonBars: z.int(),
      columns: z.array(z.enum(['position', 'confidence', 'probabilityUp', 'expectedReturn'])),
      levels: z.array(z.number()).optional(),
    }),
  ),
});
type Head = z.output<typeof Head>;

interface Kept {
  readonly forecasts: readonly Forecast[];
  readonly untilMs: number;
}

/** Columns start at a multiple of this, as Float64 asks for. */
const ALIGNED = 8;

function write(
  forecasts: readonly Forecast[],
  of: {
    readonly market: LoadedMarket;
    readonly sinceMs: number;
    readonly lastMs: number;
    readonly evidence: string;
  },
): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const series = forecasts.map(({ symbol, horizonBars, quantiles, ...columns }, s) => {
    const from = lowerBound(of.market.series[s].candles.time, of.sinceMs);
    const names = COLUMNS.filter((name) => columns[name] !== undefined);
    for (const values of [...names.map((name) => columns[name]), ...(quantiles?.columns ?? [])])
      if (values !== undefined) parts.push(bytesOf(values.subarray(from)));
    return {
      symbol,
      rows: columns.position.length - from,
      horizonBars,
      columns: names,
      ...(quantiles && { levels: [...quantiles.levels] }),
    };
  });
  const head: Head = { lastMs: of.lastMs, evidence: of.evidence, series };
  const text = Buffer.from(JSON.stringify(head));
  const length = Math.ceil((text.length + 4) / ALIGNED) * ALIGNED;
  const start = Buffer.alloc(length, ' ');
  start.writeUInt32LE(length, 0);
  text.copy(start, 4);
  return [start, ...parts];
}

const COLUMNS = ['position', 'confidence', 'probabilityUp', 'expectedReturn'] as const;

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** What was kept, where it still counts for this market. */
async function read(
  files: DerivedFiles,
  name: string,
  of: {
    readonly market: LoadedMarket;
    readonly sinceMs: number;
    readonly evidence: Evidence;
    readonly member: StoredMember;
  },
): Promise<Kept | undefined> {
  const bytes = await files.get(name);
  const head = bytes && headOf(bytes);
  if (bytes === undefined || head === undefined || head.series.length !== of.market.series.length)
    return undefined;
  if (head.evidence !== of.evidence(head.lastMs, of.member.manifest.features)) return undefined;
  let { at } = head;
  const take = (rows: number, into: Float64Array, from: number): Float64Array => {
    bytesOf(into.subarray(from, from + rows)).set(bytes.subarray(at, at + 8 * rows));
    at += 8 * rows;
    return into;
  };
  const forecasts: Forecast[] = [];
  for (const [s, { symbol, rows, horizonBars, columns, levels }] of head.series.entries()) {
    const { candles, symbol: own } = of.market.series[s];
    const from = lowerBound(candles.time, of.sinceMs);
    if (symbol !== own || from + rows !== lowerBound(candles.time, head.lastMs + 1)) return undefined;
    if (at + 8 * rows * (columns.length + (levels?.length ?? 0)) > bytes.length) return undefined;
    const column = (): Float64Array => take(rows, new Float64Array(candles.time.length).fill(NaN), from);
    const found = Object.fromEntries(columns.map((one) => [one, column()]));
    const { position, confidence, ...stated } = found;
    if (position === undefined || confidence === undefined) return undefined;
    forecasts.push({
      symbol: own,
      horizonBars,
      position,
      confidence,
      ...stated,
      ...(levels && { quantiles: { levels, columns: levels.map(column) } }),
    });
  }
  return at === bytes.length ? { forecasts, untilMs: head.lastMs } : undefined;
}

function headOf(bytes: Uint8Array): (Head & { readonly at: number }) | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (length < 4 || length > bytes.length) return undefined;
  try {
    const parsed = Head.safeParse(JSON.parse(new TextDecoder().decode(bytes.subarray(4, length))));
    return parsed.success ? { ...parsed.data, at: length } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What a forecast consists of. */
export const shapeOf = ({ horizonBars, quantiles, ...columns }: Forecast): string =>
  JSON.stringify([horizonBars, COLUMNS.filter((name) => columns[name] !== undefined), quantiles?.levels]);

/** One forecast out of several, each good from its time on; `NaN` before the first. */
function joined(
  time: Float64Array,
  parts: readonly { readonly forecast: Forecast; readonly fromMs: number }[],
): Forecast {
  const newest = parts[parts.length - 1].forecast;
  const join = (columnOf: (forecast: Forecast) => Float64Array | undefined): Float64Array => {
    const whole = new Float64Array(time.length).fill(NaN);
    for (const { forecast, fromMs } of parts) {
      const from = lowerBound(time, fromMs);
      const column = columnOf(forecast);
      if (column !== undefined) whole.set(column.subarray(from), from);
    }
    return whole;
  };
  const { probabilityUp, expectedReturn, quantiles } = newest;
  return {
    symbol: newest.symbol,
    horizonBars: newest.horizonBars,
    position: join((one) => one.position),
    confidence: join((one) => one.confidence),
    ...(probabilityUp && { probabilityUp: join((one) => one.probabilityUp) }),
    ...(expectedReturn && { expectedReturn: join((one) => one.expectedReturn) }),
    ...(quantiles && {
      quantiles: {
        levels: quantiles.levels,
        columns: quantiles.levels.map((_, i) => join((one) => one.quantiles?.columns[i])),
      },
    }),
  };
}
