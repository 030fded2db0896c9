import { z } from 'zod';

/** What a source says of one text, before it is taken in. */
export interface FoundText {
  /** The source's own name for it; what it says again under the same name is the same text, or an edit of it. */
  readonly guid: string;
  readonly url: string | undefined;
  /** Plain text, one line. */
  readonly title: string;
  readonly body: string;
  readonly author: string | undefined;
  /** When the source says that it was published; never taken for the time at which it was known. */
  readonly publishedMs: number | undefined;
  readonly language: string | undefined;
  /** Tickers that the source itself names. */
  readonly assets: readonly string[];
}

export const LONGEST_TITLE = 400;
export const LONGEST_BODY = 2000;

/** A text as the store keeps it. */
export const StoredText = z.strictObject({
  /** Hash of the canonical address, or of source and guid. */
  id: z.string(),
  source: z.string(),
  /** When this program first saw it, epoch ms; each text has one of its own. */
  seenMs: z.int(),
  /** First seen by assumption: an imported text, taken to be known this long after it says it was published. */
  assumedDelayMs: z.int().nullable(),
  publishedMs: z.int().nullable(),
  url: z.string().nullable(),
  title: z.string(),
  body: z.string(),
  /** Hash of the author's name under a key of this store. */
  author: z.string().nullable(),
  language: z.string().nullable(),
  assets: z.array(z.strictObject({ asset: z.string(), relevance: z.number() })),
  /** Hash of title and body. */
  content: z.string(),
  /** The text of the same id was there already, with another content. */
  edit: z.boolean(),
  /** The id of an earlier text that says nearly the same. */
  repeats: z.string().nullable(),
});
export type StoredText = z.output<typeof StoredText>;
