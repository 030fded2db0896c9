import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Artifact, Forecast } from '../../core/forecast/model.ts';
import { ownBuffer } from '../../core/foundation/bytes.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { jsonIn } from '../../data/json.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { codeOfModel } from './model-code.ts';
import { forecastColumns, statedBy, unknownForecast } from './forecast-columns.ts';

/** What a fold came to. */
export interface FoldResult {
  /** One a symbol, on the rows of the test span alone. */
  readonly forecasts: readonly Forecast[];
  /** Why the model had no skill on the validation bars. */
  readonly noSkill?: string;
}

/** Results of folds, kept under a name made of everything that they depend on: another run of the same folds finds them. */
export interface FoldCache {
  /** The name of a fold that depends on `facts` (JSON) and on the code of its model. */
  keyOf(facts: { readonly model: string; readonly [fact: string]: unknown }): string;
  has(key: string): boolean;
  /** `undefined` where it was never kept, or is damaged: then it is computed again. */
  find(key: string): Promise<FoldResult | undefined>;
  findWarm(key: string): Promise<Artifact | undefined>;
  /** Durable when this resolves. The weights to begin the next fold from replace those of the fold `before`. */
  keep(key: string, result: FoldResult, warm?: { of: Artifact; before: string | undefined }): Promise<void>;
  /** What is kept, as files: for another machine. */
  files(key: string): Promise<FoldFiles>;
  /** Keeps the files of another machine, if they are whole; the weights of the fold `before` go. */
  take(key: string, files: FoldFiles, before: string | undefined): Promise<boolean>;
}

/** A fold as its two files; without what was not kept. */
export interface FoldFiles {
  readonly forecast?: Uint8Array | undefined;
  /** Weights to begin the next fold from. */
  readonly warm?: Uint8Array | undefined;
}

/** Results as files in `folder`, which may be deleted at any time. */
export function openFoldCache(folder: string): FoldCache {
  const forecastFile = (key: string): string => join(folder, `${key}.forecast`);
  const warmFile = (key: string): string => join(folder, `${key}.warm`);
  return {
    keyOf: (facts) => sha256(JSON.stringify([codeOfModel(facts.model), facts])).slice(0, 40),
    has: (key) => existsSync(forecastFile(key)),
    async find(key) {
      const packed = await read(forecastFile(key), Result);
      return packed && unpackForecasts(packed.json, packed.blobs);
    },
    async findWarm(key) {
      const bytes = await readPlainFile(warmFile(key), MOST_BYTES);
      return bytes && unpackWarm(bytes);
    },
    async keep(key, { forecasts, noSkill }, warm) {
      if (warm !== undefined) {
        const { json, blobs } = warm.of;
        await writeFileAtomic(warmFile(key), pack({ json, blobs: Object.keys(blobs) }, Object.values(blobs)));
      }
      const columns = forecasts.flatMap((one) => forecastColumns(one).map(bytesOf));
      await writeFileAtomic(
        forecastFile(key),
        pack({ forecasts: forecasts.map(describe), noSkill }, columns),
      );
      if (warm?.before !== undefined) await rm(warmFile(warm.before), { force: true });
    },
    files: async (key) => ({
      forecast: await readPlainFile(forecastFile(key), MOST_BYTES),
      warm: await readPlainFile(warmFile(key), MOST_BYTES),
    }),
    async take(key, { forecast, warm }, before) {
      const packed = forecast && unpack(forecast, Result);
      if (forecast === undefined || packed === undefined) return false;
      if (unpackForecasts(packed.json, packed.blobs) === undefined) return false;
      if (warm !== undefined) {
        if (unpackWarm(warm) === undefined) return false;
        await writeFileAtomic(warmFile(key), warm);
      }
      await writeFileAtomic(forecastFile(key), forecast);
      if (before !== undefined) await rm(warmFile(before), { force: true });
      return true;
    },
  };
}

/** The weights in a file that a cache kept; `undefined` where it is damaged. */
export function unpackWarm(bytes: Uint8Array): Artifact | undefined {
  const packed = unpack(bytes, Warm);
  if (packed === undefined || packed.blobs.length !== packed.json.blobs.length) return undefined;
  const blobs = packed.json.blobs.map((name, i) => [name, packed.blobs[i]] as const);
  return { json: packed.json.json, blobs: Object.fromEntries(blobs) };
}

const Described = z.strictObject({
  symbol: z.templateLiteral([z.string(), '/', z.string()]),
  horizonBars: z.int().min(1),
  rows: z.int().min(0),
  probabilityUp: z.boolean(),
  expectedReturn: z.boolean(),
  levels: z.array(z.number()).optional(),
});

const Result = z.strictObject({ forecasts: z.array(Described), noSkill: z.string().optional() });

const Warm = z.strictObject({ json: z.unknown(), blobs: z.array(z.string()) });

const describe = (forecast: Forecast): unknown => ({ ...statedBy(forecast), rows: forecast.position.length });

function unpackForecasts(
  { forecasts: described, noSkill }: z.output<typeof Result>,
  blobs: readonly Uint8Array[],
): FoldResult | undefined {
  let next = 0;
  const forecasts = described.map(({ rows, levels, ...stated }) => {
    const forecast = unknownForecast({ ...stated, ...(levels && { levels }) }, rows);
    for (const column of forecastColumns(forecast)) {
      const bytes = blobs[next++] ?? new Uint8Array();
      if (bytes.byteLength === column.byteLength) column.set(new Float64Array(ownBuffer(bytes)));
      else next = NaN;
    }
    return forecast;
  });
  if (next !== blobs.length) return undefined;
  return { forecasts, ...(noSkill !== undefined && { noSkill }) };
}

/** No result of a fold comes near this. */
const MOST_BYTES = 2 ** 30;

const HASH_BYTES = 32;

/** SHA-256 of all that follows, the length of the JSON, the JSON with the lengths of the blobs, the blobs. */
function pack(json: unknown, blobs: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from(JSON.stringify({ json, lengths: blobs.map(({ byteLength }) => byteLength) }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const body = Buffer.concat([length, head, ...blobs]);
  return Buffer.concat([createHash('sha256').update(body).digest(), body]);
}

const Head = z.object({ json: z.unknown(), lengths: z.array(z.int().min(0)) });

async function read<Schema extends z.ZodType>(path: string, schema: Schema) {
  const bytes = await readPlainFile(path, MOST_BYTES);
  return bytes && unpack(bytes, schema);
}

function unpack<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
): { readonly json: z.output<Schema>; readonly blobs: readonly Uint8Array[] } | undefined {
  if (bytes.length < HASH_BYTES + 4) return undefined;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(HASH_BYTES);
  const hash = createHash('sha256').update(body).digest();
  if (!hash.equals(bytes.subarray(0, HASH_BYTES))) return undefined;
  const end = 4 + body.readUInt32LE(0);
  const head = Head.safeParse(jsonIn(body.subarray(4, end).toString()));
  const json = head.success ? schema.safeParse(head.data.json) : undefined;
  if (!head.success || json?.success !== true) return undefined;
  let at = end;
  const blobs = head.data.lengths.map((length) => body.subarray(at, (at += length)));
  return { json: json.data, blobs };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
