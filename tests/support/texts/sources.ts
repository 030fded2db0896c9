import type { TextSource } from '../../../src/data/text/source.ts';
import { cryptopanicSource } from '../../../src/data/text/sources/cryptopanic.ts';
import { feedSource } from '../../../src/data/text/sources/feed.ts';
import { gdeltSource } from '../../../src/data/text/sources/gdelt.ts';
import { redditSource } from '../../../src/data/text/sources/reddit.ts';
import { redditApi } from '../../../src/data/text/sources/reddit-api.ts';
import { xSource } from '../../../src/data/text/sources/x.ts';
import type { TextAnswer } from './server.ts';

/** What a double of a source serves. */
export interface ServedText {
  readonly id: number;
  readonly title: string;
  readonly timeMs: number;
}

/** A source in its own wire format. */
export interface WireFormat {
  readonly name: string;
  readonly open: (url: string) => TextSource;
  /** The answer that lists `texts`, newest first. */
  readonly body: (texts: readonly ServedText[]) => string;
  readonly entry: (text: ServedText) => string;
  /** What is answered to a request that comes before the list, by its path. */
  readonly before?: (path: string) => TextAnswer | undefined;
  /** An entry that lacks what every text has. */
  readonly withoutTitle: (text: ServedText) => string;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const link = (id: number): string => `https://news.example/story/${id}`;

const rssItem = ({ id, title, timeMs }: ServedText): string =>
  `<item>${title === '' ? '' : `<title><![CDATA[${title}]]></title>`}<link>${link(id)}?utm_source=rss&amp;a=1</link><guid isPermaLink="false">story-${id}</guid><pubDate>${new Date(timeMs).toUTCString()}</pubDate><dc:creator>Ann</dc:creator><description>&lt;p&gt;More of ${id}&lt;/p&gt;</description></item>`;
const rss = (items: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title><language>en</language>${items}</channel></rss>`;

const atomEntry = ({ id, title, timeMs }: ServedText): string =>
  `<entry><author><name>/u/x${id}</name></author><id>t3_${id}</id><link href="https://www.reddit.com/r/Bitcoin/comments/${id}/"/><published>${new Date(timeMs).toISOString()}</published>${title === '' ? '' : `<title>${escape(title)}</title>`}<content type="html">&lt;!-- SC_OFF --&gt;&lt;div&gt;More of ${id}&lt;/div&gt;&lt;!-- SC_ON --&gt;</content></entry>`;

const panicPost = ({ id, title, timeMs }: ServedText): object => ({
  id,
  slug: 'x',
  ...(title === '' ? {} : { title }),
  description: null,
  published_at: new Date(timeMs).toISOString(),
  kind: 'news',
  source: { title: 'CoinDesk', region: 'en', domain: 'coindesk.com', type: 'feed' },
  original_url: link(id),
  url: `https://cryptopanic.com/news/${id}/x`,
  instruments: [{ code: 'BTC', title: 'Bitcoin' }],
  author: null,
});

const gdeltArticle = ({ id, title, timeMs }: ServedText): object => ({
  url: link(id),
  url_mobile: '',
  ...(title === '' ? {} : { title }),
  seendate: new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, ''),
  domain: 'news.example',
  language: 'English',
  sourcecountry: 'United States',
});

const redditPost = ({ id, title, timeMs }: ServedText): object => ({
  kind: 't3',
  data: {
    id: id.toString(36),
    name: `t3_${id.toString(36)}`,
    ...(title === '' ? {} : { title }),
    selftext: `More of ${id}`,
    created_utc: timeMs / 1000,
    score: 12,
    permalink: `/r/Bitcoin/comments/${id}/`,
    author: 'x',
    over_18: false,
  },
});

const xPost = ({ id, title, timeMs }: ServedText): object => ({
  // Longer than a double counts exactly.
  id: `19000000000000000${id}`,
  ...(title === '' ? {} : { text: title }),
  created_at: new Date(timeMs).toISOString(),
  lang: 'en',
  author_id: '7',
  edit_history_tweet_ids: [],
});

export const WIRE_FORMATS: readonly WireFormat[] = [
  {
    name: 'RSS',
    open: (url) => feedSource('news', `${url}/rss`),
    body: (texts) => rss(texts.map(rssItem).join('')),
    entry: rssItem,
    withoutTitle: (text) => rssItem({ ...text, title: '' }),
  },
  {
    name: 'Reddit Atom',
    open: (url) => redditSource('Bitcoin', url),
    body: (texts) =>
      `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>r/Bitcoin</title>${texts.map(atomEntry).join('')}</feed>`,
    entry: atomEntry,
    withoutTitle: (text) => atomEntry({ ...text, title: '' }),
  },
  {
    name: 'GDELT',
    open: (url) => gdeltSource('bitcoin', url),
    body: (texts) => JSON.stringify({ articles: texts.map(gdeltArticle) }),
    entry: (text) => JSON.stringify(gdeltArticle(text)),
    withoutTitle: (text) => JSON.stringify(gdeltArticle({ ...text, title: '' })),
  },
  {
    name: 'CryptoPanic',
    open: (url) => cryptopanicSource({ baseUrl: url, plan: 'developer', token: 'secret-token' }),
    body: (texts) => JSON.stringify({ next: null, previous: null, results: texts.map(panicPost) }),
    entry: (text) => JSON.stringify(panicPost(text)),
    withoutTitle: (text) => JSON.stringify(panicPost({ ...text, title: '' })),
  },
  {
    name: "Reddit's API",
    open: (url) =>
      redditApi({ tokenUrl: url, apiUrl: url, clientId: 'an-id', clientSecret: 'a-secret' })('Bitcoin'),
    before: (path) =>
      path === '/api/v1/access_token'
        ? {
            body: JSON.stringify({
              access_token: 'a-token',
              token_type: 'bearer',
              expires_in: 86_400,
              scope: '*',
            }),
          }
        : undefined,
    body: (texts) =>
      JSON.stringify({ kind: 'Listing', data: { after: null, children: texts.map(redditPost) } }),
    entry: (text) => JSON.stringify(redditPost(text)),
    withoutTitle: (text) => JSON.stringify(redditPost({ ...text, title: '' })),
  },
  {
    name: 'X',
    open: (url) => xSource({ baseUrl: url, token: 'a-token', query: 'bitcoin', readsPerDay: 1000 }),
    body: (texts) => JSON.stringify({ data: texts.map(xPost), meta: { result_count: texts.length } }),
    entry: (text) => JSON.stringify(xPost(text)),
    withoutTitle: (text) => JSON.stringify(xPost({ ...text, title: '' })),
  },
];
