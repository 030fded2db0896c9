import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, writeFileAtomic } from '../../data/files.ts';
import type { PortfolioSnapshot } from '../../core/trading/snapshot.ts';
import { LEDGER_FILE, type LedgerPosition } from './ledger.ts';
import { BarRecord } from './record.ts';

/**
 * The account at a position of the ledger, so that a restart need not replay months of minutes. The ledger is
 * the truth: a snapshot that does not belong to it is ignored, and the replay starts from the first bar.
 */
interface Snapshot {
  readonly position: LedgerPosition;
  readonly last: BarRecord;
  readonly portfolio: PortfolioSnapshot;
}

const SNAPSHOT_FILE = 'snapshot.json';

export async function writeSnapshot(folder: string, snapshot: Snapshot): Promise<void> {
  const json = JSON.stringify(snapshot, (_, value: unknown) => (value === undefined ? null : value));
  await writeFileAtomic(join(folder, SNAPSHOT_FILE), json);
}

/** The snapshot in `folder`, when there is a whole one and the ledger still holds the line it was taken at. */
export async function readSnapshot(folder: string): Promise<Snapshot | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, SNAPSHOT_FILE), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = SnapshotSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const belongs = await endsWithHash(join(folder, LEDGER_FILE), parsed.data.position);
  return belongs ? parsed.data : undefined;
}

const stored = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const column = z.array(stored);

const SnapshotSchema = z.strictObject({
  position: z.strictObject({ offset: z.int().min(1), hash: z.string().length(64) }),
  last: BarRecord,
  portfolio: z.strictObject({
    totals: z.strictObject({
      time: stored,
      bars: stored,
      ruinedAt: stored.default('NaN'),
      cash: stored,
      feesQuote: stored,
      slippageQuote: stored,
      turnoverQuote: stored,
    }),
    columns: z.strictObject({
      amount: column,
      mark: column,
      target: column,
      blocked: column,
      entryPrice: column,
      stopPrice: column,
      stopTrails: column,
      takePrice: column,
      bestPrice: column,
      entryTime: column,
      entryBar: column,
      openedBase: column,
      openedQuote: column,
      openedFees: column,
      closedQuote: column,
      closedFees: column,
    }),
  }),
}) satisfies z.ZodType<Snapshot>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function endsWithHash(path: string, position: LedgerPosition): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const tail = `,"hash":"${position.hash}"}\n`;
    const bytes = Buffer.alloc(tail.length);
    const { bytesRead } = await file.read(bytes, 0, tail.length, position.offset - tail.length);
    return bytesRead === tail.length && bytes.toString('latin1') === tail;
  } finally {
    await file.close();
  }
}
