import { join } from 'node:path';
import { z } from 'zod';
import { type Disk, writeFileAtomic } from '../../data/files.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { jsonIn } from '../../data/json.ts';
import { readBytes } from '../../data/text-file.ts';
import { encodeLink, expectedHash, hashOf, jsonOf } from '../../data/journal/chain.ts';
import type { JournalPosition } from '../../data/journal/journal.ts';
import { holds } from '../../data/journal/read.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import type { OpenOrder } from '../../core/trading/orders/order.ts';
import type { RiskState } from '../../core/trading/risk/gate.ts';
import type { PortfolioSnapshot } from '../../core/trading/snapshot.ts';
import { ledgerFile, SNAPSHOT_FILE } from './ledger.ts';
import { BarRecord, cause, off } from './record.ts';

/**
 * The account at a position of the ledger, so that a restart need not replay months of minutes. The ledger is
 * the truth: a snapshot that is not whole, or of another version, is ignored, and the replay starts from the first bar.
 */
interface Snapshot {
  readonly position: JournalPosition;
  readonly last: BarRecord;
  readonly portfolio: PortfolioSnapshot;
  readonly risk: RiskState | undefined;
}

/** One of a hundred pairs has a few hundred kilobytes. */
const LARGEST_BYTES = 64 * 2 ** 20;

const pathIn = (folder: string): string => join(folder, SNAPSHOT_FILE);

/** Its line carries its own hash: a flipped bit must not become somebody's cash. */
export const writeSnapshot = (folder: string, snapshot: Snapshot, disk: Disk): Promise<void> =>
  writeFileAtomic(pathIn(folder), encodeLink(snapshot, '').line, disk);

/**
 * The snapshot in `folder`, when there is a whole one. It was written after the ledger's line was on the disk: when
 * the ledger lacks that line, the ledger has lost something, and a `UserError` says so.
 */
export async function readSnapshot(folder: string): Promise<Snapshot | undefined> {
  const path = pathIn(folder);
  const bytes = readBytes({ path, what: 'the snapshot', largestBytes: LARGEST_BYTES });
  if (bytes === undefined) return undefined;
  const line = bytes.subarray(0, -1);
  const hash = hashOf(line);
  if (hash === undefined || hash !== expectedHash(line, '')) return undefined;
  const parsed = SnapshotSchema.safeParse(jsonIn(jsonOf(line)));
  if (!parsed.success) return undefined;
  const { position } = parsed.data;
  if (await holds(ledgerFile(folder), position)) return parsed.data;
  throw new UserError(
    `The paper ledger "${ledgerFile(folder).path}" lacks the bar that ended at byte ${position.offset}, which its snapshot was taken of: bars are missing at its end, or it is another ledger.`,
    {
      hint: `Put the ledger back from a backup. To continue from what it still holds, delete "${path}"; to start another session: \`paper --fresh\`.`,
    },
  );
}

const stored = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const column = z.array(stored);

const RiskStateSchema = z.strictObject({
  peakEquity: z.number(),
  day: off(z.number()),
  dayEquity: z.number(),
  lastEquity: z.number(),
  killedAt: off(z.number()),
  trades: z.array(
    z.strictObject({
      symbol: z.string().transform(parseSymbol),
      side: z.enum(['long', 'short']),
      exit: cause,
      exitTime: z.number(),
      profitPct: z.number(),
    }),
  ),
}) satisfies z.ZodType<RiskState>;

const price = z.number();
const OpenOrderSchema = z.strictObject({
  id: z.int(),
  request: z.strictObject({
    s: z.int(),
    side: z.enum(['buy', 'sell']),
    baseAmount: z.number(),
    kind: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('market') }),
      z.strictObject({ kind: z.literal('limit'), price, postOnly: z.boolean().exactOptional() }),
      z.strictObject({ kind: z.literal('stop'), price }),
      z.strictObject({ kind: z.literal('stop-limit'), price, limitPrice: price }),
      z.strictObject({ kind: z.literal('take-profit'), price }),
      z.strictObject({
        kind: z.literal('trailing'),
        by: z.enum(['price', 'percent', 'atr']),
        distance: z.number(),
      }),
    ]),
    timeInForce: z.union([z.enum(['GTC', 'IOC', 'FOK']), z.number()]).exactOptional(),
    reduceOnly: z.boolean().exactOptional(),
    notBeforeMs: z.number().exactOptional(),
    group: z.string().exactOptional(),
    after: z.string().exactOptional(),
    name: z.string().exactOptional(),
  }),
  left: z.number(),
  filled: z.number(),
  rests: z.boolean(),
  triggered: z.boolean(),
  best: off(z.number()),
}) satisfies z.ZodType<OpenOrder>;

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
      fundingQuote: stored,
      interestQuote: stored,
      turnoverQuote: stored,
    }),
    columns: z.strictObject({
      amount: column,
      mark: column,
      barTime: column,
      target: column,
      blocked: column,
      entryPrice: column,
      stopPrice: column,
      stopTrails: column,
      takePrice: column,
      bestPrice: column,
      trueRange: column,
      rangeBars: column,
      entryRange: column,
      partials: column,
      kept: column,
      liquidityBars: column,
      lastHigh: column,
      lastLow: column,
      lastClose: column,
      spread: column,
      barVariance: column,
      barVolume: column,
      margin: column,
      openedFunding: column,
      entryTime: column,
      entryBar: column,
      openedBase: column,
      openedQuote: column,
      openedFees: column,
      closedQuote: column,
      closedFees: column,
    }),
    orders: z.strictObject({ placed: z.int(), open: z.array(OpenOrderSchema) }).optional(),
    turnover: z.strictObject({ day: stored, days: z.array(z.number()).length(31) }).optional(),
  }),
  risk: off(RiskStateSchema),
}) satisfies z.ZodType<Snapshot>;
