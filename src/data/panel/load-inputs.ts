import { describeKey } from '../store/manifest.ts';
import { describeSeries } from '../store/series-manifest.ts';
import { seriesSha256 } from '../store/series-store.ts';
import type { Store } from '../store/store.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { findFeatures, inputsOf } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import {
  type FeatureInputs,
  type InputName,
  type InputPlace,
  inputPlace,
  type InputSources,
} from '../../core/features/inputs.ts';
import { seriesKind } from '../../core/market/series-kinds.ts';
import { type PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { closedBars, knownAt, type TimedSeries } from '../../core/market/timed-series.ts';

/** The market whose inputs are looked for, and where. */
export interface InputRequest {
  readonly exchange: string;
  readonly symbol: PairSymbol;
  readonly timeframe: Timeframe;
  readonly sources: InputSources;
  /** The features that there are: ours and the user's. */
  readonly catalogue: readonly Feature[];
}

/** An input that was found: what run manifests keep of it. */
export interface UsedInput {
  readonly input: InputName;
  /** `candles binance BTC/USDT 1h`, `series funding binanceusdm/BTC-USDT`. */
  readonly place: string;
  readonly rows: number;
  readonly sha256: string;
}

/** A group of features, or some of it, whose input is not stored. */
export interface AbsentInput {
  readonly input: InputName;
  readonly place: string;
  /** The groups that it leaves out, whole or in part. */
  readonly groups: readonly string[];
  readonly features: readonly string[];
  /** The command that gets it, for `symbols` where it belongs to a market. */
  readonly fetch: string;
  readonly symbols: readonly PairSymbol[];
}

/** `NONE` of the rows: for an input that makes no sense for a symbol. */
const NONE: TimedSeries = { time: new Float64Array(0), known: new Float64Array(0), columns: {} };

/**
 * What the named features of one symbol need beside its candles: bars that opened from `fromMs` on, and series from
 * their first row on, as far as they were known at `untilMs`. Throws `UserError` naming the features whose input
 * is not stored.
 */
export async function loadInputs(
  store: Store,
  names: readonly string[],
  request: InputRequest & { readonly fromMs: number; readonly untilMs: number },
): Promise<{ readonly inputs: FeatureInputs; readonly used: readonly UsedInput[] }> {
  const needed = inputsOf(names, request.catalogue);
  const absent = await findAbsent(store, needed, request);
  if (absent.length > 0) throw missing(names, absent, request.catalogue);
  const inputs: { [Name in InputName]?: TimedSeries } = {};
  const used: UsedInput[] = [];
  for (const input of needed) {
    const place = inputPlace(input, request);
    const rows =
      place === undefined ? NONE : knownAt(await readPlace(store, place, request), request.untilMs);
    inputs[input] = rows;
    if (place !== undefined)
      used.push({
        input,
        place: describePlace(place, request),
        rows: rows.time.length,
        sha256: seriesSha256(rows),
      });
  }
  return { inputs, used };
}

/** Which inputs of the whole catalogue are not stored for a symbol, with the features that they leave out. */
export const absentInputs = (store: Store, request: InputRequest): Promise<readonly AbsentInput[]> =>
  findAbsent(
    store,
    inputsOf(
      request.catalogue.map(({ name }) => name),
      request.catalogue,
    ),
    request,
  );

async function findAbsent(
  store: Store,
  inputs: readonly InputName[],
  request: InputRequest,
): Promise<readonly AbsentInput[]> {
  const absent: AbsentInput[] = [];
  for (const input of inputs) {
    const place = inputPlace(input, request);
    if (place === undefined || (await isStored(store, place, request))) continue;
    const needing = request.catalogue.filter(({ needs }) => needs.includes(input));
    absent.push({
      input,
      place: describePlace(place, request),
      groups: [...new Set(needing.map(({ group }) => group))],
      features: needing.map(({ name }) => name),
      ...fetchCommand(place, request),
    });
  }
  return absent;
}

function missing(
  names: readonly string[],
  absent: readonly AbsentInput[],
  catalogue: readonly Feature[],
): UserError {
  const lines = absent.map(({ input, place, features }) => {
    const asked = findFeatures(names, catalogue).filter(({ name }) => features.includes(name));
    return `${asked.map(({ name }) => `"${name}"`).join(', ')} ${asked.length === 1 ? 'needs' : 'need'} ${input}: the store holds no ${place}.`;
  });
  return new UserError(lines.join('\n'), {
    hint: `${absent.map((one) => `Get it: ${fetchText(one)}`).join('\n')}\nOr leave these features out (models.<id>.features in config.yaml).`,
  });
}

async function isStored(store: Store, place: InputPlace, { timeframe }: InputRequest): Promise<boolean> {
  const found =
    place.kind === 'series'
      ? await store.series.manifest(place)
      : await store.manifest({ exchange: place.exchange, symbol: place.symbol, timeframe });
  return found !== undefined;
}

async function readPlace(
  store: Store,
  place: InputPlace,
  { timeframe, fromMs }: InputRequest & { readonly fromMs: number },
): Promise<TimedSeries> {
  if (place.kind === 'series') return store.series.read(place);
  const key = { exchange: place.exchange, symbol: place.symbol, timeframe };
  return closedBars(await store.read(key, { sinceMs: fromMs }), timeframe);
}

const describePlace = (place: InputPlace, { timeframe }: InputRequest): string =>
  place.kind === 'series'
    ? `series ${describeSeries(place)}`
    : `candles ${describeKey({ ...place, timeframe })}`;

function fetchCommand(
  place: InputPlace,
  { timeframe, symbol }: InputRequest,
): Pick<AbsentInput, 'fetch' | 'symbols'> {
  if (place.kind === 'candles') {
    const fetch = `crypto-trader fetch --exchange ${place.exchange} --timeframe ${timeframe}`;
    return { fetch, symbols: [place.symbol] };
  }
  const { fetch, subject } = seriesKind(place.name);
  if (subject !== 'market') return { fetch, symbols: [] };
  return { fetch: `${fetch} --exchange ${place.subject.split('/')[0]}`, symbols: [symbol] };
}

/** The whole command. */
export const fetchText = ({ fetch, symbols }: Pick<AbsentInput, 'fetch' | 'symbols'>): string =>
  symbols.length === 0 ? fetch : `${fetch} --symbols ${symbols.join(',')}`;
