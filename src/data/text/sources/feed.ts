import { XMLParser } from 'fast-xml-parser';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { decodeReferences } from '../../../core/text/markup.ts';
import { type Answer, Unanswered } from '../../answer.ts';
import type { FoundText } from '../item.ts';
import { foundText, type SourceState, type TextPage, type TextSource } from '../source.ts';

/**
 * A feed in RSS 0.9-2.0 (with Dublin Core and `content:encoded`), RDF or Atom (RFC 4287), wherever it stands. Asked with
 * the ETag and the date of the last answer (RFC 9110, 13.1): what has not changed costs nothing.
 */
export const feedSource = (
  id: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): TextSource => ({
  id,
  async *pages(state, ask, nowMs) {
    const { etag, lastModified } = state;
    const answer = await ask(url, {
      headers: {
        Accept: 'application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8',
        ...(etag === undefined ? {} : { 'If-None-Match': etag }),
        ...(lastModified === undefined ? {} : { 'If-Modified-Since': lastModified }),
        ...headers,
      },
    });
    if (answer.status === 304) return;
    yield readFeed(answer, state, nowMs);
  },
});

function readFeed({ body, headers }: Answer, state: SourceState, nowMs: number): TextPage {
  const root = parse(body);
  const channel = record(root['rss'])?.['channel'] ?? record(root['rdf:RDF'])?.['channel'] ?? root['feed'];
  const entries = [
    ...list(record(channel)?.['item']),
    ...list(record(root['rdf:RDF'])?.['item']),
    ...list(record(root['feed'])?.['entry']),
  ];
  const language = text(record(channel)?.['language']) ?? text(record(channel)?.['@xml:lang']);
  const found: FoundText[] = [];
  const rejected: string[] = [];
  for (const entry of entries) {
    const one = readEntry(record(entry) ?? {}, language, nowMs);
    if (typeof one === 'string') rejected.push(one);
    else found.push(one);
  }
  const { etag, 'last-modified': lastModified } = headers;
  // With something missing the same answer is wanted again.
  const { etag: _, lastModified: __, ...kept } = state;
  const marks = {
    ...(etag === undefined ? {} : { etag: etag.slice(0, 500) }),
    ...(lastModified === undefined ? {} : { lastModified: lastModified.slice(0, 100) }),
  };
  return { found, rejected, state: rejected.length > 0 ? kept : { ...kept, ...marks } };
}

function readEntry(
  entry: Readonly<Record<string, unknown>>,
  language: string | undefined,
  nowMs: number,
): FoundText | string {
  const author = record(entry['author'])?.['name'] ?? entry['author'] ?? entry['dc:creator'];
  const published =
    entry['pubDate'] ?? entry['published'] ?? entry['dc:date'] ?? entry['date'] ?? entry['updated'];
  const body = entry['description'] ?? entry['summary'] ?? entry['content:encoded'] ?? entry['content'] ?? '';
  return foundText(
    {
      guid: text(entry['guid']) ?? text(entry['id']) ?? text(entry['@rdf:about']),
      url: linkOf(entry),
      title: text(entry['title']) ?? '',
      body: text(body),
      author: text(author),
      language,
    },
    { nowMs, published: text(published) },
  );
}

/** RSS writes the address into the element, Atom into `href` of the link whose `rel` is alternate or absent. */
function linkOf(entry: Readonly<Record<string, unknown>>): string | undefined {
  for (const link of list(entry['link'])) {
    const atom = record(link);
    const rel = text(atom?.['@rel']) ?? 'alternate';
    const address = text(atom?.['@href']) ?? text(link);
    if (rel === 'alternate' && address !== undefined && /^https?:/i.test(address)) return address;
  }
  const guid = text(entry['guid']);
  return guid !== undefined && /^https?:/i.test(guid) ? guid : undefined;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  // References are decoded below, as text: no entity of the document's own is ever expanded.
  processEntities: false,
  maxNestedTags: 64,
});

const ROOT = /<(rss|feed|rdf:RDF)[\s>]/;

/** The document as nested records. What ends before its root element does is cut off, and asked for again. */
function parse(body: string): Readonly<Record<string, unknown>> {
  const [, root] = ROOT.exec(body.slice(0, 4000)) ?? [];
  if (root === undefined)
    throw new Unanswered(`no feed in the answer: it begins with "${plainLine(body, 60)}"`);
  if (!body.trimEnd().endsWith(`</${root}>`)) throw new Unanswered('the feed is cut off');
  let parsed: unknown;
  try {
    parsed = parser.parse(body);
  } catch (error) {
    throw new Unanswered(
      `the feed is no XML: ${plainLine(error instanceof Error ? error.message : '', 100)}`,
    );
  }
  return record(parsed) ?? {};
}

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;

const list = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** The text of an element, with or without attributes; of several the first. */
function text(value: unknown): string | undefined {
  const [first] = list(value);
  const own = typeof first === 'object' ? record(first)?.['#text'] : first;
  return typeof own === 'string' && own !== '' ? decodeReferences(own) : undefined;
}
