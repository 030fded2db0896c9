import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import { assertSorted, type Candles, candlesBetween } from '../../core/market/candles.ts';
import { symbolOfFolder } from '../../core/market/symbol.ts';
import { isTimeframe } from '../../core/market/timeframe.ts';
import { errorCode } from '../files.ts';
import { withLock } from '../lock.ts';
import { subtractRanges, type TimeRange } from '../time-range.ts';
import { commit, isUnfinished, recover } from './commit.ts';
import { type Compaction, planCompaction, removeFiles } from './compact.ts';
import { describeDataset, describePart } from './dataset.ts';
import {
  datasetFolder,
  type DatasetKey,
  type DatasetManifest,
  type DatasetPart,
  describeKey,
  MANIFEST_FILE,
  readManifest,
} from './manifest.ts';
import { DAY_FILE, fileOf, layoutOf, spanOf, splitByFile } from './layout.ts';
import { mergeCandles } from './merge.ts';
import { absentDataset, encodeParts, partFault, readPart, readParts } from './parts.ts';
import { openSeriesStore, type SeriesStore } from './series-store.ts';

export type { DatasetGap, DatasetKey, DatasetManifest, DatasetPart } from './manifest.ts';

/** Candles on disk: parquet files of a month, or of the newest day, with a manifest beside them. */
export interface Store {
  /** Every dataset, sorted by exchange, symbol and timeframe. */
  list(): Promise<readonly DatasetManifest[]>;
  manifest(key: DatasetKey): Promise<DatasetManifest | undefined>;
  /** Bars with `sinceMs <= time < untilMs`. `UserError` when the dataset is absent or damaged. */
  read(key: DatasetKey, range?: { readonly sinceMs?: number; readonly untilMs?: number }): Promise<Candles>;
  /**
   * Adds bars in one durable step, and `covered` to the times for which the source has answered. Bars stored
   * already must be equal. The first bars of a dataset must be at least one.
   */
  merge(
    key: DatasetKey,
    candles: Candles,
    origin: { readonly source: string; readonly synthetic: boolean },
    covered?: readonly TimeRange[],
  ): Promise<DatasetManifest>;
  /** What is wrong with a dataset's files and candles, a line each; empty when all is well. */
  verify(key: DatasetKey): Promise<readonly string[]>;
  /** Sets damaged months aside as `*.damaged` and forgets them, so that the next update asks for them again. */
  repair(key: DatasetKey): Promise<readonly string[]>;
  /**
   * Writes months again that take more room than they need and removes files that nothing refers to; candles and
   * fingerprint stay. With `dryRun` it only says what it would do. `UserError` when the dataset is absent or damaged.
   */
  compact(key: DatasetKey, options: { readonly dryRun: boolean }): Promise<Compaction>;
  /** Where a dataset lies, whether it exists or not. */
  folder(key: DatasetKey): string;
  /** What is known beside candles: funding rates, index closes, order books. */
  readonly series: SeriesStore;
}

/** Opens the candle store below `dataDir`, which need not exist yet. */
export function openStore(dataDir: string): Store {
  const folder = (key: DatasetKey): string => datasetFolder(dataDir, key);

  const stored = async (key: DatasetKey): Promise<DatasetManifest | undefined> => {
    const found = await readManifest(join(folder(key), MANIFEST_FILE));
    if (found !== undefined && describeKey(found) !== describeKey(key)) {
      throw new UserError(`The manifest in "${folder(key)}" is that of ${describeKey(found)}.`, {
        hint: 'Move the folder back to where it came from.',
      });
    }
    return found;
  };

  const locked = <T>(key: DatasetKey, work: () => Promise<T>): Promise<T> => {
    const lock = { waitMs: 30_000, purpose: `writing ${describeKey(key)}` };
    return withLock(join(folder(key), '.lock'), lock, async () => {
      await recover(folder(key));
      return work();
    });
  };

  const manifest = async (key: DatasetKey): Promise<DatasetManifest | undefined> =>
    (await isUnfinished(folder(key))) ? locked(key, () => stored(key)) : stored(key);

  return {
    folder,
    manifest,
    series: openSeriesStore(dataDir),

    list: async () => {
      const manifests = await Promise.all((await listKeys(dataDir)).map(manifest));
      return manifests.filter((found) => found !== undefined);
    },

    read: async (key, { sinceMs = -Infinity, untilMs = Infinity } = {}) => {
      for (;;) {
        const found = await manifest(key);
        if (found === undefined) throw absentDataset(key, await listKeys(dataDir));
        try {
          const parts = found.parts.filter(
            (part) => part.lastTimeMs >= sinceMs && part.firstTimeMs < untilMs,
          );
          return candlesBetween(await readParts(folder(key), key, parts), sinceMs, untilMs);
        } catch (error) {
          // Another process may have replaced a month between our looks at manifest and file.
          if ((await manifest(key))?.sha256 === found.sha256) throw error;
        }
      }
    },

    merge: async (key, candles, origin, covered = []) => {
      assertSorted(candles);
      return locked(key, async () => {
        const before = await stored(key);
        invariant(before !== undefined || candles.time.length > 0, 'a dataset holds at least one bar');
        if (before !== undefined && before.synthetic !== origin.synthetic) {
          throw new UserError(
            `${describeKey(key)} in the store is ${kindOf(before)}, the new candles are not.`,
            {
              hint: 'Synthetic and real candles never mix: use another --exchange name.',
            },
          );
        }
        const parts = new Map(before?.parts.map((part) => [part.file, part]));
        const lastMs = Math.max(before?.lastTimeMs ?? -Infinity, candles.time.at(-1) ?? -Infinity);
        const layout = layoutOf(key.timeframe, lastMs);
        // Above all yesterday, once today's first bar is there: it goes to its month.
        const moving = [...parts.values()].filter(({ file, firstTimeMs, lastTimeMs }) =>
          [firstTimeMs, lastTimeMs].some((timeMs) => fileOf(timeMs, layout) !== file),
        );
        let rows = candles;
        for (const part of moving) {
          rows = mergeCandles(await readPart(folder(key), key, part), rows);
          parts.delete(part.file);
        }
        const changed: { readonly file: string; readonly merged: Candles }[] = [];
        for (const [file, added] of splitByFile(rows, layout)) {
          const old = parts.get(file);
          const merged =
            old === undefined ? added : mergeCandles(await readPart(folder(key), key, old), added);
          if (merged.time.length === old?.rows) continue;
          changed.push({ file, merged });
        }
        const files = new Map<string, Uint8Array>();
        let next = 0;
        const months = changed.map(({ merged }) => merged);
        for await (const bytes of encodeParts(months, join(folder(key), 'scratch.parquet.tmp'))) {
          const { file, merged } = changed[next++];
          files.set(file, bytes);
          parts.set(file, describePart(file, merged, key.timeframe, bytes));
        }
        const after = describeDataset(key, {
          source: joinSources(before?.source, origin.source),
          synthetic: origin.synthetic,
          covered: [...(before?.covered ?? []), ...covered],
          parts: [...parts.values()],
        });
        await commit(folder(key), after, files);
        // A kill before this leaves a day's file that nothing names, for the next merge to remove.
        await removeFiles(
          folder(key),
          (await readdir(folder(key))).filter((name) => DAY_FILE.test(name) && !parts.has(name)),
        );
        return after;
      });
    },

    verify: async (key) => {
      for (;;) {
        const found = await manifest(key);
        if (found === undefined) throw absentDataset(key, await listKeys(dataDir));
        const faults = (await damagedParts(folder(key), found)).map(({ fault }) => fault);
        const again = describeDataset(key, found);
        for (const field of ['rows', 'firstTimeMs', 'lastTimeMs', 'sha256'] as const) {
          if (again[field] === found[field]) continue;
          faults.push(
            `The manifest disagrees with itself: ${field} is ${found[field]}, its parts say ${again[field]}.`,
          );
        }
        // As in `read`: of a dataset that has changed meanwhile nothing can be said.
        if (faults.length === 0 || (await manifest(key))?.sha256 === found.sha256) return faults;
      }
    },

    compact: async (key, { dryRun }) =>
      locked(key, async () => {
        const before = await stored(key);
        if (before === undefined) throw absentDataset(key, await listKeys(dataDir));
        const { compaction, parts, files } = await planCompaction(folder(key), before);
        if (dryRun) return compaction;
        if (files.size > 0) await commit(folder(key), { ...before, parts }, files);
        await removeFiles(folder(key), compaction.removed);
        return compaction;
      }),

    repair: async (key) =>
      locked(key, async () => {
        const before = await stored(key);
        if (before === undefined) throw absentDataset(key, await listKeys(dataDir));
        const damaged = await damagedParts(folder(key), before);
        const lost = new Set(damaged.map(({ part }) => part.file));
        const parts = before.parts.filter((part) => !lost.has(part.file));
        for (const file of [...lost, ...(parts.length === 0 ? [MANIFEST_FILE] : [])]) {
          const path = join(folder(key), file);
          await rename(path, `${path}.damaged`).catch((error: unknown) => {
            if (errorCode(error) !== 'ENOENT') throw error;
          });
        }
        if (parts.length > 0) {
          const covered = before.covered.flatMap((range) =>
            subtractRanges(
              range,
              damaged.map(({ part }) => spanOf(part.file)),
            ),
          );
          await commit(folder(key), describeDataset(key, { ...before, parts, covered }), new Map());
        }
        return damaged.map(({ fault }) => fault);
      }),
  };
}

async function damagedParts(
  folder: string,
  manifest: DatasetManifest,
): Promise<{ readonly part: DatasetPart; readonly fault: string }[]> {
  const damaged: { part: DatasetPart; fault: string }[] = [];
  for (const part of manifest.parts) {
    const fault = await partFault(folder, part, manifest.timeframe);
    if (fault !== undefined) damaged.push({ part, fault });
    await yieldToEventLoop();
  }
  return damaged;
}

const kindOf = ({ synthetic }: DatasetManifest): string => (synthetic ? 'synthetic' : 'real');

const joinSources = (before: string | undefined, source: string): string =>
  before === undefined || before.split(' + ').includes(source) ? (before ?? source) : `${before} + ${source}`;

/** Folders `<exchange>/<BASE-QUOTE>/<timeframe>`; anything else in the data folder is left alone. */
async function listKeys(dataDir: string): Promise<readonly DatasetKey[]> {
  const root = join(dataDir, 'ohlcv');
  const keys: DatasetKey[] = [];
  for (const exchange of await subfolders(root)) {
    for (const pair of await subfolders(join(root, exchange))) {
      const symbol = symbolOfFolder(pair);
      if (symbol === undefined) continue;
      for (const timeframe of await subfolders(join(root, exchange, pair))) {
        if (isTimeframe(timeframe)) keys.push({ exchange, symbol, timeframe });
      }
    }
  }
  return keys;
}

async function subfolders(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}
