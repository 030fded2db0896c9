import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import {
  type Disk,
  explainDiskError,
  makeFolder,
  nodeDisk,
  syncFolder,
  writeDurably,
} from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import { pin, pinsOf, unpin } from './backtest-pins.ts';
import { seal, unseal } from '../../learning/training/sealed-json.ts';

/**
 * Finished backtests of a project, each a folder of three files that appears whole or not at all: `summary.json` for lists,
 * `document.json` with settings, hashes, trades and result, and `equity.csv`. JSON is sealed by its SHA-256, and the
 * summary has those of the other two.
 */
export interface BacktestArchive {
  /** Such as `data/backtests`. */
  readonly folder: string;
  /** Of more that are not pinned, the oldest go. */
  readonly most: number;
}

const figure = z.number().nullable();

const Summary = z.object({
  id: z.string(),
  time: z.iso.datetime(),
  exchange: z.string(),
  symbols: z.array(z.string()),
  timeframe: z.string(),
  synthetic: z.boolean(),
  range: z.object({ from: z.string(), to: z.string() }),
  bars: z.number(),
  trainedBy: z.string(),
  strategy: z.string(),
  metrics: z.object({
    totalReturnPct: figure,
    sharpe: figure,
    maxDrawdownPct: figure,
    tradeCount: figure,
  }),
  dataFingerprint: z.string(),
  documentSha256: z.string(),
  equitySha256: z.string(),
});
export type BacktestSummary = z.output<typeof Summary>;

/** What a summary takes from a document. */
const Summarised = Summary.omit({ documentSha256: true, equitySha256: true });

export type KeptBacktest =
  | { readonly kind: 'whole'; readonly summary: BacktestSummary; readonly pin?: PinText }
  | { readonly kind: 'damaged'; readonly id: string; readonly why: string; readonly pin?: PinText };

/** The name of a pinned one, or that it is pinned. */
type PinText = string;

/** The name of a backtest that ended at `nowMs`: later ones sort later, by the millisecond, and two of one millisecond differ. */
export function backtestId(nowMs: number, equity: string): string {
  const milliseconds = String(nowMs % 1000).padStart(3, '0');
  return `${formatTime(nowMs).slice(0, 19).replaceAll(':', '-')}Z-${milliseconds}${hashOf(equity).slice(0, 2)}`;
}

/** Where the files of a backtest are. */
export const keptPaths = ({ folder }: BacktestArchive, id: string) => ({
  folder: join(folder, id),
  summary: join(folder, id, 'summary.json'),
  document: join(folder, id, 'document.json'),
  equity: join(folder, id, 'equity.csv'),
});

/** Keeps a backtest for good, then removes what is too many. Throws `UserError` when the disk refuses; nothing is left then. */
export async function keepBacktest(
  archive: BacktestArchive,
  document: { readonly id: string },
  equity: string,
  disk: Disk = nodeDisk,
): Promise<void> {
  const { id } = document;
  makeFolder(archive.folder);
  const sealed = seal(document);
  const summary = seal({
    ...Summarised.parse(JSON.parse(JSON.stringify(document))),
    documentSha256: sealed.sha256,
    equitySha256: hashOf(equity),
  });
  const temporary = join(archive.folder, `.${id}.${process.pid}.tmp`);
  const target = keptPaths(archive, id).folder;
  try {
    await writeDurably(join(temporary, 'equity.csv'), equity, disk);
    await writeDurably(join(temporary, 'document.json'), sealed.text, disk);
    await writeDurably(join(temporary, 'summary.json'), summary.text, disk);
    await syncFolder(temporary, disk);
    await disk.rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error instanceof UserError ? error : explainDiskError(error, target);
  }
  await syncFolder(archive.folder, disk).catch((error: unknown) => {
    throw error instanceof UserError ? error : explainDiskError(error, target);
  });
  await removeOldest(archive);
}

/** Oldest first. */
export async function listBacktests(archive: BacktestArchive): Promise<readonly KeptBacktest[]> {
  const kept: KeptBacktest[] = [];
  const ids = await keptIds(archive);
  const pins = await pinsOf(archive.folder, ids);
  for (const id of ids) {
    const pinned = pins.has(id) ? { pin: pins.get(id) ?? 'pinned' } : {};
    try {
      kept.push({ kind: 'whole', summary: await read(keptPaths(archive, id).summary, Summary), ...pinned });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      kept.push({ kind: 'damaged', id, why: error.message, ...pinned });
    }
  }
  return kept;
}

/**
 * The one backtest that `name` means: the name it was pinned by, its id, or as much of its beginning as no other shares; `undefined`: the newest.
 * Throws `UserError` when there is none, or several.
 */
export async function findBacktest(archive: BacktestArchive, name: string | undefined): Promise<string> {
  const ids = await keptIds(archive);
  if (ids.length === 0) {
    throw new UserError(`No backtest is kept in "${archive.folder}".`, {
      hint: 'Run one: crypto-trader backtest',
    });
  }
  if (name === undefined) return ids[ids.length - 1];
  const named = [...(await pinsOf(archive.folder, ids))].find(([, known]) => known === name);
  if (named !== undefined) return named[0];
  const found = ids.filter((id) => id === name || (name !== '' && id.startsWith(name)));
  if (found.length === 1) return found[0];
  throw new UserError(
    found.length === 0 ? `No backtest "${name}" is kept.` : `"${name}" may mean ${found.length} backtests.`,
    {
      hint: `${found.length === 0 ? suggest(name, ids.slice(-20)) : `Say which: ${found.slice(-5).join(', ')}.`} \`crypto-trader backtest list\` shows all.`,
    },
  );
}

/** Keeps a backtest whatever comes after it, under a name if one is given. */
export async function pinBacktest(archive: BacktestArchive, id: string, name?: string): Promise<void> {
  await pin(archive.folder, id, name, await pinsOf(archive.folder, await keptIds(archive)));
}

export const unpinBacktest = ({ folder }: BacktestArchive, id: string): Promise<void> => unpin(folder, id);

/** What is read of a document; the rest is passed on as it is. */
const Document = Summarised.extend({
  settings: z.unknown(),
  weights: z.record(z.string(), z.unknown()),
  trials: z.object({ count: z.number(), effective: z.number(), barSharpes: z.array(z.number()) }),
  sentences: z.array(z.string()),
  models: z.array(
    z.looseObject({ model: z.string(), kind: z.string(), metrics: z.record(z.string(), z.unknown()) }),
  ),
  metrics: z.looseObject(Summarised.shape.metrics.shape),
  benchmark: z.looseObject({
    name: z.string(),
    totalReturnPct: figure,
    sharpe: figure,
    maxDrawdownPct: figure,
  }),
  /** What each fill was charged, as a clause. */
  costTerms: z.string(),
  costs: z.looseObject({}),
  rules: z.looseObject({ initialBalance: z.number() }),
  trades: z.array(
    z.looseObject({
      symbol: z.string(),
      side: z.string(),
      entryTime: z.string(),
      exitTime: z.string(),
      profitQuote: z.number(),
      profitPct: z.number(),
    }),
  ),
}).loose();
export type BacktestDocument = z.output<typeof Document>;

/** The whole document and the curves; throws `UserError` when one of the files is not what was written. */
export async function readBacktest(
  archive: BacktestArchive,
  id: string,
): Promise<{ readonly document: BacktestDocument; readonly equity: string }> {
  const paths = keptPaths(archive, id);
  const summary = await read(paths.summary, Summary);
  const document = await read(paths.document, Document, summary.documentSha256);
  const bytes = await readPlainFile(paths.equity, MOST_BYTES);
  const equity = bytes && new TextDecoder().decode(bytes);
  if (equity === undefined || hashOf(equity) !== summary.equitySha256)
    throw damaged(paths.equity, 'its hash differs');
  return { document, equity };
}

/** A document of two million trades; more is none of ours. */
const MOST_BYTES = 2 ** 30;

async function read<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  expected?: string,
): Promise<z.output<Schema>> {
  const bytes = await readPlainFile(path, MOST_BYTES);
  if (bytes === undefined) throw damaged(path, 'it is missing');
  const sealed = unseal(new TextDecoder().decode(bytes));
  if (sealed === undefined || (expected !== undefined && sealed.sha256 !== expected))
    throw damaged(path, 'it does not match its SHA-256');
  const parsed = schema.safeParse(sealed.value);
  if (!parsed.success) throw damaged(path, issueLines(parsed.error).join('; '));
  return parsed.data;
}

const damaged = (path: string, why: string): UserError =>
  new UserError(`"${path}" is damaged or of another version: ${why}.`, {
    hint: 'Move its folder away, and run the backtest again.',
  });

/** Oldest first; what is being written or removed has a dot before it. */
async function keptIds({ folder }: BacktestArchive): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

const STALE_MS = 86_400_000;

/** Pinned ones stay and do not count. A folder that goes is renamed first: it is whole or hidden. What a killed process left hidden goes after a day. */
async function removeOldest(archive: BacktestArchive): Promise<void> {
  const { folder, most } = archive;
  const all = await keptIds(archive);
  const pins = await pinsOf(folder, all);
  // Only what is a backtest: whatever else lies there, or where a link leads, is somebody's.
  const ids = all.filter((id) => !pins.has(id) && existsSync(keptPaths(archive, id).summary));
  for (const id of ids.slice(0, Math.max(0, ids.length - most))) {
    const hidden = join(folder, `.${id}.${process.pid}.tmp`);
    // Another backtest that ends now may remove it first.
    await rename(join(folder, id), hidden).catch(() => undefined);
    await rm(hidden, { recursive: true, force: true });
  }
  for (const name of await readdir(folder)) {
    if (!/^\..+\.\d+\.tmp$/.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

const hashOf = (text: string): string => sha256(new TextEncoder().encode(text));
