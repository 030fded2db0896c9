import { mean } from '../../core/foundation/moments.ts';
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { forwardReturns } from '../../core/dataset/labels.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { type PairSymbol, parseSymbol } from '../../core/market/symbol.ts';
import { isTimeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { errorCode, explainDiskError, makeFolder } from '../../data/files.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import { type JournalFile, JOURNAL_START } from '../../data/journal/journal.ts';
import { createJournal, resumeJournal } from '../../data/journal/json-lines.ts';
import { readEntries, readFirstEntry, readLastEntry } from '../../data/journal/read.ts';
import { withLock } from '../../data/lock.ts';
import type { Store } from '../../data/store/store.ts';
import type { Said } from '../../desk/paper/feed.ts';
import type { Signal } from './signals.ts';

/** A log of this size is set aside, in the place of the one before it: no more than twice this is ever kept. */
const MOST_BYTES = 8 << 20;

const Given = z.object({
  symbol: z.string().transform(parseSymbol),
  model: z.string(),
  barTimeMs: z.int(),
  horizonBars: z.int().positive(),
  action: z.enum(['buy', 'sell', 'hold']),
  position: z.number().nullable(),
  confidence: z.number().nullable(),
  /** Above 0: up. What the model said, before any strategy. */
  lean: z.number().nullable(),
  /** Return over the horizon by level, the lowest first; only of models that state them. */
  quantiles: z.array(z.object({ level: z.number(), returnPct: z.number() })).optional(),
});

const Batch = z.object({
  givenAtMs: z.int(),
  runId: z.string(),
  exchange: z.string(),
  timeframe: z.string().refine(isTimeframe),
  synthetic: z.boolean(),
  strategy: z.string(),
  ensemble: z.string(),
  signals: z.array(Given),
});
type Batch = z.output<typeof Batch>;

/** What signals were given on, and when. */
export type SignalsGiven = Omit<Batch, 'signals'>;

/** One signal as it was given, and what has happened since. */
export interface Prediction extends SignalsGiven {
  readonly symbol: PairSymbol;
  readonly model: string;
  readonly barTimeMs: number;
  readonly horizonBars: number;
  readonly action: Signal['action'];
  readonly position: number | undefined;
  readonly confidence: number | undefined;
  readonly lean: number | undefined;
  /** Given after the bar had closed that it was meant for. */
  readonly late: boolean;
  /** From the next open over the horizon, as a fraction; `undefined`: not over yet, or not stored. */
  readonly realised: number | undefined;
  /** `undefined`: nothing realised, or the model leaned nowhere. */
  readonly hit: boolean | undefined;
}

const logFile = (dataDir: string, name: string): JournalFile => ({
  path: join(dataDir, `${name}.jsonl`),
  name: 'log of signals',
  hint: 'Move it away to start another; what it holds is not needed for signals.',
});
const current = (dataDir: string): JournalFile => logFile(dataDir, 'signals-given');
const earlier = (dataDir: string): JournalFile => logFile(dataDir, 'signals-given-earlier');

interface KeepOptions {
  readonly mostBytes?: number;
}

/** Adds signals to the log below `dataDir`; durable when this returns. Throws `UserError` when the disk refuses or the log is damaged. */
export const keepSignals = (
  dataDir: string,
  given: SignalsGiven,
  signals: readonly Signal[],
  options: KeepOptions = {},
): Promise<void> =>
  keep(
    dataDir,
    given,
    signals.map((signal) => ({
      symbol: signal.symbol,
      model: signal.model,
      barTimeMs: Date.parse(signal.time) - TIMEFRAME_MS[given.timeframe],
      horizonBars: signal.horizonBars,
      action: signal.action,
      position: signal.position ?? null,
      confidence: signal.confidence ?? null,
      lean: leanOf(signal) ?? null,
      ...(signal.quantiles !== undefined && { quantiles: [...signal.quantiles] }),
    })),
    options,
  );

/** The same for what was predicted at the close of the bar that opened at `barTimeMs`. */
export const keepSaid = (
  dataDir: string,
  given: SignalsGiven,
  barTimeMs: number,
  said: readonly Said[],
): Promise<void> =>
  keep(
    dataDir,
    given,
    said.map((one) => ({ ...one, barTimeMs, action: toTrade(one.position) })),
    {},
  );

/** A prediction is kept as what its position would be, of somebody who holds nothing. */
const toTrade = (position: number | null): Signal['action'] =>
  position === null || position === 0 ? 'hold' : position > 0 ? 'buy' : 'sell';

async function keep(
  dataDir: string,
  given: SignalsGiven,
  signals: z.input<typeof Batch>['signals'],
  { mostBytes = MOST_BYTES }: KeepOptions,
): Promise<void> {
  const file = current(dataDir);
  const batch: z.input<typeof Batch> = { ...given, signals };
  makeFolder(dataDir);
  await withLock(`${file.path}.lock`, { waitMs: 10_000, purpose: 'writing the log of signals' }, async () => {
    if ((await sizeOf(file)) >= mostBytes) await setAside(file, earlier(dataDir));
    if ((await readFirstEntry(file)) === undefined) return (await createJournal(file, [batch])).close();
    const { journal } = await resumeJournal(file, JOURNAL_START, () => {});
    try {
      await journal.append(batch);
    } finally {
      await journal.close();
    }
  });
}

const leanOf = ({ expectedReturnPct, probabilityUp, statedPosition }: Signal): number | undefined =>
  probabilityUp === undefined ? (expectedReturnPct ?? statedPosition) : probabilityUp - 0.5;

const sizeOf = ({ path }: JournalFile): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return 0;
      throw explainDiskError(error, path);
    },
  );

async function setAside({ path }: JournalFile, to: JournalFile): Promise<void> {
  try {
    await rename(path, to.path);
  } catch (error) {
    throw explainDiskError(error, path);
  }
}

/** What the newest signals on record said of how far a symbol may go; of the ensemble where it states that. */
export interface GivenQuantiles extends Pick<Batch, 'exchange' | 'timeframe'> {
  readonly symbol: PairSymbol;
  readonly model: string;
  readonly barTimeMs: number;
  readonly horizonBars: number;
  readonly quantiles: NonNullable<z.output<typeof Given>['quantiles']>;
}

/** One per symbol. Throws `UserError` when the log is damaged. */
export async function newestQuantiles(dataDir: string): Promise<readonly GivenQuantiles[]> {
  const file = current(dataDir);
  if ((await readFirstEntry(file)) === undefined) return [];
  const last = await readLastEntry(file, JOURNAL_START);
  if (last === undefined) return [];
  const { exchange, timeframe, signals } = parseEntry(file, last, Batch);
  const bySymbol = new Map<string, GivenQuantiles>();
  for (const { symbol, model, barTimeMs, horizonBars, quantiles } of signals) {
    if (quantiles === undefined || quantiles.length < 2) continue;
    if (bySymbol.has(symbol) && model !== 'ensemble') continue;
    bySymbol.set(symbol, { exchange, timeframe, symbol, model, barTimeMs, horizonBars, quantiles });
  }
  return [...bySymbol.values()];
}

/**
 * The signals on record, oldest first, each once however often it was given, beside what the stored candles say has happened
 * since. Throws `UserError` when the log is damaged.
 */
export async function predictions(dataDir: string, store: Store): Promise<readonly Prediction[]> {
  // The newer file first: one that is set aside meanwhile is read twice, and counts once.
  const newer = await batchesOf(current(dataDir));
  const batches = [...(await batchesOf(earlier(dataDir))), ...newer];
  const once = new Map<string, Prediction>();
  for (const { signals, ...given } of batches) {
    const members = signals.map(({ model }) => model).toSorted();
    for (const { position, confidence, lean, quantiles: _, ...signal } of signals) {
      const { runId, exchange, timeframe, strategy, ensemble, givenAtMs } = given;
      const { symbol, model, barTimeMs } = signal;
      const speaker = model === 'ensemble' ? [ensemble, ...new Set(members)] : [model];
      const key = [runId, exchange, timeframe, strategy, symbol, barTimeMs, ...speaker].join(' ');
      if (once.has(key)) continue;
      once.set(key, {
        ...given,
        ...signal,
        position: position ?? undefined,
        confidence: confidence ?? undefined,
        lean: lean ?? undefined,
        late: givenAtMs >= barTimeMs + 2 * TIMEFRAME_MS[timeframe],
        realised: undefined,
        hit: undefined,
      });
    }
  }
  const byMarket = grouped([...once.values()], (one) => `${one.exchange} ${one.symbol} ${one.timeframe}`);
  const judged = await Promise.all(byMarket.map((some) => judge(store, some)));
  return judged.flat().toSorted((a, b) => a.givenAtMs - b.givenAtMs);
}

async function batchesOf(file: JournalFile): Promise<readonly Batch[]> {
  const batches: Batch[] = [];
  if ((await readFirstEntry(file)) === undefined) return batches;
  await readEntries(file, JOURNAL_START, (entry) => batches.push(parseEntry(file, entry, Batch)));
  return batches;
}

/** Predictions of one symbol with what its candles say of them. */
async function judge(store: Store, some: readonly Prediction[]): Promise<readonly Prediction[]> {
  const [{ exchange, symbol, timeframe }] = some;
  const key = { exchange, symbol, timeframe };
  if ((await store.manifest(key)) === undefined) return some;
  const sinceMs = some.reduce((least, { barTimeMs }) => Math.min(least, barTimeMs), Infinity);
  const candles = await store.read(key, { sinceMs });
  const byHorizon = new Map<number, Float64Array>();
  const returnsOver = (bars: number): Float64Array => {
    const known = byHorizon.get(bars) ?? forwardReturns(candles, timeframe, bars);
    byHorizon.set(bars, known);
    return known;
  };
  return some.map((one) => {
    const { barTimeMs, horizonBars, lean } = one;
    const row = lowerBound(candles.time, barTimeMs);
    const realised = candles.time[row] === barTimeMs ? returnsOver(horizonBars)[row] : NaN;
    if (Number.isNaN(realised)) return one;
    const hit = lean === undefined || lean === 0 ? undefined : Math.sign(lean) === Math.sign(realised);
    return { ...one, realised, hit };
  });
}

/** How one model's signals on one symbol have turned out. */
export interface SignalRecord {
  readonly model: string;
  readonly symbol: PairSymbol;
  readonly given: number;
  readonly late: number;
  /** Whose horizon is over, and that leaned somewhere. */
  readonly judged: number;
  readonly hits: number;
  readonly meanConfidence: number | undefined;
  /** What leaning that way brought over the horizon before costs, in basis points, on average over the judged. */
  readonly meanReturnBps: number | undefined;
}

/** The record of every model on every symbol, by model, then symbol. */
export const recordsOf = (all: readonly Prediction[]): readonly SignalRecord[] =>
  grouped(all, ({ model, symbol }) => `${model} ${symbol}`)
    .map((some): SignalRecord => {
      const judged = some.filter(({ hit }) => hit !== undefined);
      return {
        model: some[0].model,
        symbol: some[0].symbol,
        given: some.length,
        late: some.filter(({ late }) => late).length,
        judged: judged.length,
        hits: judged.filter(({ hit }) => hit).length,
        meanConfidence: mean(some.flatMap(({ confidence }) => confidence ?? [])),
        meanReturnBps: mean(judged.map(({ lean = 0, realised = 0 }) => 1e4 * Math.sign(lean) * realised)),
      };
    })
    .toSorted((a, b) => a.model.localeCompare(b.model) || a.symbol.localeCompare(b.symbol));

function grouped(
  all: readonly Prediction[],
  keyOf: (one: Prediction) => string,
): readonly (readonly Prediction[])[] {
  const groups = new Map<string, Prediction[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return [...groups.values()];
}
