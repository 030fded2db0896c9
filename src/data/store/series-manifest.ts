import { join } from 'node:path';
import { z } from 'zod';
import { isSeriesName, type SeriesName, seriesKind } from '../../core/market/series-kinds.ts';

/** What names one timed series in the store; `subject` is empty for a series that belongs to the world. */
export interface SeriesKey {
  readonly name: SeriesName;
  readonly subject: string;
}

export const describeSeries = ({ name, subject }: SeriesKey): string =>
  subject === '' ? name : `${name} ${subject}`;

/** `<dataDir>/series/<name>[/<subject>]` */
export const seriesFolder = (dataDir: string, { name, subject }: SeriesKey): string =>
  join(dataDir, 'series', name, subject);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const epochMs = z.int();
const rows = z.int().positive();

export const SeriesManifest = z.strictObject({
  version: z.literal(1),
  name: z.string().refine(isSeriesName),
  subject: z.string(),
  /** Where the rows came from, such as `binanceusdm` or `csv`; several joined by ` + `. */
  source: z.string(),
  rows,
  firstTimeMs: epochMs,
  lastTimeMs: epochMs,
  lastKnownMs: epochMs,
  /** The source was asked for all rows from here on. */
  askedSinceMs: epochMs.optional(),
  parts: z
    .array(
      z.strictObject({
        file: z.string().regex(/^\d{4,6}(-\d\d){0,2}\.parquet$/),
        rows,
        firstTimeMs: epochMs,
        lastTimeMs: epochMs,
        lastKnownMs: epochMs,
        sha256,
        contentSha256: sha256,
      }),
    )
    .min(1),
  /** Fingerprint of key and rows, whatever the files' encoding. */
  sha256,
});
export type SeriesManifest = z.output<typeof SeriesManifest>;
export type SeriesPart = SeriesManifest['parts'][number];

/** Columns of a series' files. */
export const seriesColumns = (name: SeriesName): readonly string[] => [
  'time',
  'known',
  ...seriesKind(name).columns.map((column) => column.name),
];
