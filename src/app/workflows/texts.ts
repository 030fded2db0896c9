import type { TextSource } from '../../data/text/source.ts';
import { cryptopanicSource } from '../../data/text/sources/cryptopanic.ts';
import { feedSource } from '../../data/text/sources/feed.ts';
import { gdeltSource } from '../../data/text/sources/gdelt.ts';
import { redditSource } from '../../data/text/sources/reddit.ts';
import { redditApi } from '../../data/text/sources/reddit-api.ts';
import { xSource } from '../../data/text/sources/x.ts';
import { type StoredText } from '../../data/text/item.ts';
import { readTexts } from '../../data/text/store.ts';

/** Which sources are wanted, as settings say it. */
export interface TextSettings {
  readonly feeds: Readonly<Record<string, string>>;
  readonly subreddits: readonly string[];
  readonly redditUrl: string;
  readonly redditApiUrl: string;
  readonly x: { readonly query: string; readonly readsPerDay: number; readonly url: string };
  readonly gdelt: { readonly query: string; readonly url: string };
  readonly cryptopanic: { readonly plan: 'developer' | 'growth' | 'enterprise'; readonly url: string };
}

/** A source that is set, or why it is not there. */
export type TextSourceEntry =
  | { readonly kind: 'ready'; readonly id: string; readonly about: string; readonly source: TextSource }
  | { readonly kind: 'absent'; readonly id: string; readonly about: string; readonly why: string };

/** Every source of texts, those without their key absent by name. */
export function textSources(
  settings: TextSettings,
  environment: Readonly<Record<string, string | undefined>>,
): readonly TextSourceEntry[] {
  const ready = (about: string, source: TextSource): TextSourceEntry => ({
    kind: 'ready',
    id: source.id,
    about,
    source,
  });
  const token = environment['CRYPTOPANIC_TOKEN'];
  const { gdelt, cryptopanic, redditUrl, x } = settings;
  const { REDDIT_CLIENT_ID: clientId = '', REDDIT_CLIENT_SECRET: clientSecret = '' } = environment;
  const api =
    clientId === '' || clientSecret === ''
      ? undefined
      : redditApi({ tokenUrl: redditUrl, apiUrl: settings.redditApiUrl, clientId, clientSecret });
  return [
    ...Object.entries(settings.feeds).map(([id, url]) => ready(`feed ${url}`, feedSource(id, url))),
    ...settings.subreddits.map((name) =>
      api === undefined
        ? ready(`new posts of r/${name}, its feed`, redditSource(name, redditUrl))
        : ready(`new posts of r/${name}, by Reddit's API`, api(name)),
    ),
    gdelt.query === ''
      ? { kind: 'absent', id: 'gdelt', about: 'news of the world', why: 'text.gdelt.query is empty' }
      : ready(`news of the world: ${gdelt.query}`, gdeltSource(gdelt.query, gdelt.url)),
    token === undefined || token === ''
      ? {
          kind: 'absent',
          id: 'cryptopanic',
          about: 'news collected by CryptoPanic (paid)',
          why: 'CRYPTOPANIC_TOKEN is not set',
        }
      : ready(
          'news collected by CryptoPanic (paid)',
          cryptopanicSource({ baseUrl: cryptopanic.url, plan: cryptopanic.plan, token }),
        ),
    xEntry(x, environment['X_BEARER_TOKEN']),
  ];
}

/** X is there when a search, a budget and a token are: reading it costs money. */
function xEntry({ query, readsPerDay, url }: TextSettings['x'], token: string | undefined): TextSourceEntry {
  const lacking =
    query === ''
      ? 'text.x.query is empty'
      : readsPerDay === 0
        ? 'text.x.readsPerDay, its budget, is 0'
        : token === undefined || token === ''
          ? 'X_BEARER_TOKEN is not set'
          : undefined;
  const about = 'posts on X that match a search (paid by the post)';
  return lacking !== undefined || token === undefined
    ? { kind: 'absent', id: 'x', about, why: lacking ?? 'X_BEARER_TOKEN is not set' }
    : { kind: 'ready', id: 'x', about, source: xSource({ baseUrl: url, token, query, readsPerDay }) };
}

export interface TextFilter {
  readonly asset?: string | undefined;
  readonly source?: string | undefined;
  readonly sinceMs?: number | undefined;
}

export interface TextListing {
  /** The newest that match, newest first. */
  readonly texts: readonly StoredText[];
  readonly matching: number;
  readonly bySource: readonly SourceCount[];
}

export interface SourceCount {
  readonly source: string;
  readonly texts: number;
  /** First seen by assumption: imported without the time at which they were seen. */
  readonly assumed: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** What the store holds: counts of every source, and the newest texts that match. */
export async function listTexts(dataDir: string, filter: TextFilter, most: number): Promise<TextListing> {
  const counts = new Map<string, SourceCount>();
  const newest: StoredText[] = [];
  let matching = 0;
  await readTexts(dataDir, (text) => {
    const { source, seenMs } = text;
    const before = counts.get(source);
    counts.set(source, {
      source,
      texts: (before?.texts ?? 0) + 1,
      assumed: (before?.assumed ?? 0) + (text.assumedDelayMs === null ? 0 : 1),
      firstSeenMs: Math.min(before?.firstSeenMs ?? Infinity, seenMs),
      lastSeenMs: Math.max(before?.lastSeenMs ?? -Infinity, seenMs),
    });
    if (!matches(text, filter)) return;
    matching++;
    newest.push(text);
    if (newest.length > 2 * most + 100) keepNewest(newest, most);
  });
  keepNewest(newest, most);
  return { texts: newest, matching, bySource: [...counts.values()] };
}

const matches = (text: StoredText, { asset, source, sinceMs = -Infinity }: TextFilter): boolean =>
  (asset === undefined || text.assets.some((one) => one.asset === asset)) &&
  (source === undefined || text.source === source) &&
  text.seenMs >= sinceMs;

function keepNewest(texts: StoredText[], most: number): void {
  texts.sort((a, b) => b.seenMs - a.seenMs);
  texts.length = Math.min(texts.length, most);
}
