import { z } from 'zod';
import { plainFromMarkup } from '../../core/text/markup.ts';
import type { Answer } from '../answer.ts';
import { type FoundText, LONGEST_BODY, LONGEST_TITLE } from './item.ts';

/** What is remembered of a source between two polls. */
export const SourceState = z.strictObject({
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** The newest thing that was read, in the source's own words. */
  cursor: z.string().optional(),
  /** Not asked before then: the source asked for a pause. */
  notBeforeMs: z.int().optional(),
  /** Paid reads of a UTC day. */
  reads: z.strictObject({ day: z.string(), count: z.int() }).optional(),
  lastPollMs: z.int().optional(),
});
export type SourceState = z.output<typeof SourceState>;

/** One page of what a source has. */
export interface TextPage {
  readonly found: readonly FoundText[];
  /** Why parts of the answer are no texts. They are asked for again by the next poll. */
  readonly rejected: readonly string[];
  /** What is to be remembered once the page is stored. */
  readonly state: SourceState;
}

/** Asks for one address; the answer's status is 2xx or 304. */
export type Ask = (
  url: string,
  options?: {
    readonly method?: 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
) => Promise<Answer>;

/** Somewhere texts come from: one small file each in `sources/`. */
export interface TextSource {
  /** As the store keeps it: `coindesk`, `reddit-bitcoin`, `gdelt`. */
  readonly id: string;
  /** What is new, newest first, page after page. Each page is on disk before the next is asked for. */
  pages(state: SourceState, ask: Ask, nowMs: number): AsyncIterable<TextPage>;
}

/** What a source says of one text, cut, without markup; or why it is none. */
export function foundText(
  raw: {
    readonly guid?: string | undefined;
    readonly url?: string | undefined;
    readonly title: string;
    readonly body?: string | undefined;
    readonly author?: string | undefined;
    readonly language?: string | undefined;
    readonly assets?: readonly string[];
  },
  { nowMs, published }: { readonly nowMs: number; readonly published: string | number | undefined },
): FoundText | string {
  const title = plainFromMarkup(raw.title, LONGEST_TITLE);
  const body = plainFromMarkup(raw.body ?? '', LONGEST_BODY);
  const text = (value: string | undefined): string | undefined =>
    value === undefined || value.trim() === '' ? undefined : value.trim().slice(0, 2000);
  const guid = text(raw.guid) ?? text(raw.url);
  if (title === '') return `a text without a title${guid === undefined ? '' : ` (${guid.slice(0, 80)})`}`;
  if (guid === undefined) return `"${title.slice(0, 60)}" has neither an address nor an id`;
  return {
    guid,
    url: text(raw.url),
    title,
    body: body === title ? '' : body,
    author: text(raw.author),
    publishedMs: published === undefined ? undefined : publishedMs(published, nowMs),
    language: text(raw.language)?.slice(0, 20).toLowerCase(),
    assets: (raw.assets ?? []).filter((one) => /^[A-Z0-9]{1,12}$/.test(one)),
  };
}

const EARLIEST_MS = Date.UTC(2009, 0, 3);
const AHEAD_MS = 3_600_000;

/** Epoch ms of what a source calls a time, RFC 822 or ISO 8601; `undefined` for none, and for one that cannot be. */
function publishedMs(time: string | number, nowMs: number): number | undefined {
  // A zone that Date.parse does not know is UTC's neighbour at most by hours; a time without zone is UTC.
  const text = String(time).trim();
  const ms =
    typeof time === 'number' ? time : Date.parse(/[a-z]$|[+-]\d\d:?\d\d$/i.test(text) ? text : `${text}Z`);
  const known = Number.isNaN(ms) ? Date.parse(text.replace(/\s+[A-Z]{2,5}$/, ' GMT')) : ms;
  return known >= EARLIEST_MS && known <= nowMs + AHEAD_MS ? Math.round(known) : undefined;
}

/** The answer is not what the source promises: worth another try. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
