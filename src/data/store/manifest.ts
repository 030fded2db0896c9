import { join } from 'node:path';
import { z } from 'zod';
import { jsonIn } from '../json.ts';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Gap } from '../../core/market/gaps.ts';
import { parseSymbol, type PairSymbol, symbolFolder } from '../../core/market/symbol.ts';
import { parseTimeframe, type Timeframe } from '../../core/market/timeframe.ts';
import { readJson } from '../files.ts';
import { PART_FILE } from './layout.ts';
import type { TimeRange } from '../time-range.ts';

/** What names one series of candles in the store. */
export interface DatasetKey {
  readonly exchange: string;
  readonly symbol: PairSymbol;
  readonly timeframe: Timeframe;
}

/** A month of a dataset, or its newest day: a parquet file and what must be found in it. */
export interface DatasetPart {
  readonly file: string;
  readonly rows: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** Runs of missing bars inside its first and last bar. */
  readonly gaps: readonly Gap[];
  /** SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** SHA-256 of the candles themselves, whatever the file's encoding: see fingerprint.ts. */
  readonly contentSha256: string;
}

/** A run of missing bars; `checked` when the source was asked for them and had none. */
export interface DatasetGap extends Gap {
  readonly checked: boolean;
}

export interface DatasetManifest extends DatasetKey {
  /** Where the candles came from, such as `binance`, `yahoo BTC-USD`, `csv`; several joined by ` + `. */
  readonly source: string;
  readonly synthetic: boolean;
  readonly rows: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** Runs of missing bars between the first and the last bar. */
  readonly gaps: readonly DatasetGap[];
  /** Times for which the source has answered: a bar missing inside does not exist there. */
  readonly covered: readonly TimeRange[];
  readonly parts: readonly DatasetPart[];
  /** Fingerprint of key and candles: equal for equal candles, however they were fetched. */
  readonly sha256: string;
}

/** `<dataDir>/ohlcv/<exchange>/<BASE-QUOTE>/<timeframe>` */
export const datasetFolder = (dataDir: string, key: DatasetKey): string =>
  join(dataDir, 'ohlcv', key.exchange, symbolFolder(key.symbol), key.timeframe);

export const MANIFEST_FILE = 'manifest.json';

export const describeKey = (key: DatasetKey): string => `${key.exchange} ${key.symbol} ${key.timeframe}`;

/** A manifest that came from elsewhere. Throws `UserError` when it is none. */
export function parseManifest(text: string): DatasetManifest {
  const parsed = Manifest.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data;
  throw new UserError(`That is no manifest of a dataset: ${issueLines(parsed.error).join('; ')}.`, {
    hint: 'Install the same version on both machines.',
  });
}

/** `undefined` when there is no such file; `UserError` when it is not a manifest. */
export const readManifest = (path: string): Promise<DatasetManifest | undefined> =>
  readManifestAs(Manifest, path);

/** The same for any schema of a manifest. */
export const readManifestAs = <Schema extends z.ZodType>(
  schema: Schema,
  path: string,
): Promise<z.output<Schema> | undefined> =>
  readJson(path, schema, 'Put it back from a backup, or move its folder away and fetch its data again.');

export const manifestText = (manifest: object): string =>
  `${JSON.stringify({ version: 1, ...manifest }, undefined, 2)}\n`;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const epochMs = z.number().int();
const rows = z.number().int().positive();
const gap = z.strictObject({ fromMs: epochMs, toMs: epochMs, bars: z.number().int().positive() });

const Manifest = z
  .strictObject({
    version: z.literal(1),
    exchange: z.string().min(1),
    symbol: z.string().transform(parseSymbol),
    timeframe: z.string().transform(parseTimeframe),
    source: z.string(),
    synthetic: z.boolean(),
    rows,
    firstTimeMs: epochMs,
    lastTimeMs: epochMs,
    gaps: z.array(gap.extend({ checked: z.boolean() })),
    covered: z.array(z.strictObject({ fromMs: epochMs, untilMs: epochMs })),
    parts: z
      .array(
        z.strictObject({
          file: z.string().regex(PART_FILE),
          rows,
          firstTimeMs: epochMs,
          lastTimeMs: epochMs,
          gaps: z.array(gap),
          sha256,
          contentSha256: sha256,
        }),
      )
      .min(1),
    sha256,
  })
  .transform(({ version: _, ...manifest }): DatasetManifest => manifest);
