import { z } from 'zod';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { formatDay } from '../../../core/foundation/time.ts';
import { Unanswered } from '../../answer.ts';
import type { FoundText } from '../item.ts';
import { foundText, parseJson, type TextSource } from '../source.ts';

const MOST_PAGES = 5;
/** Fewer posts a page are not given. */
const [LEAST, MOST] = [10, 100];

/**
 * Posts of the last seven days that match a search, by X's API v2. Every post that is read costs money (about half a cent in
 * 2026): `readsPerDay` is how many may be read in a UTC day, counted across processes before a page is asked for.
 */
export const xSource = (options: {
  readonly baseUrl: string;
  readonly token: string;
  readonly query: string;
  readonly readsPerDay: number;
}): TextSource => ({
  id: 'x',
  async *pages(state, ask, nowMs) {
    const { baseUrl, token, query, readsPerDay } = options;
    const day = formatDay(nowMs);
    let count = state.reads?.day === day ? state.reads.count : 0;
    let newest = state.cursor;
    let next: string | undefined;
    for (let page = 1; page <= MOST_PAGES; page++) {
      const left = readsPerDay - count;
      if (left < LEAST) {
        // What the budget leaves unread stays unread: the next day begins with what is new then.
        const spent = `the budget of ${readsPerDay} posts a day is spent (${count} read)`;
        yield {
          found: [],
          rejected: [spent],
          state: { ...state, reads: { day, count }, ...cursorOf(newest) },
        };
        return;
      }
      const params = new URLSearchParams({
        query,
        max_results: String(Math.min(MOST, left)),
        'tweet.fields': 'created_at,lang,author_id',
        ...(state.cursor === undefined ? {} : { since_id: state.cursor }),
        ...(next === undefined ? {} : { next_token: next }),
      });
      const { body } = await ask(`${baseUrl}/2/tweets/search/recent?${params.toString()}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      const answer = Answer.safeParse(parseJson(body));
      if (!answer.success) throw new Unanswered(`no list of posts: "${plainLine(body, 100)}"`);
      const { data = [], meta } = answer.data;
      count += data.length;
      const found: FoundText[] = [];
      const rejected: string[] = [];
      for (const entry of data) {
        const post = Post.safeParse(entry);
        const one = post.success ? read(post.data, nowMs) : 'a post without id, text or time';
        if (typeof one === 'string') rejected.push(one);
        else found.push(one);
        if (post.success && (newest === undefined || BigInt(post.data.id) > BigInt(newest)))
          newest = post.data.id;
      }
      next = meta.next_token;
      const last = next === undefined || data.length === 0 || page === MOST_PAGES;
      yield {
        found,
        rejected,
        state: { ...state, reads: { day, count }, ...(last ? cursorOf(newest) : {}) },
      };
      if (last) return;
    }
  },
});

const cursorOf = (cursor: string | undefined): { readonly cursor?: string } =>
  cursor === undefined ? {} : { cursor };

const Answer = z.object({
  data: z.array(z.unknown()).optional(),
  meta: z.object({ result_count: z.int().min(0), next_token: z.string().max(200).optional() }),
});
const Post = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  text: z.string(),
  created_at: z.string(),
  lang: z.string().nullish(),
  author_id: z.string().nullish(),
});

const read = (
  { id, text, created_at: published, lang, author_id: author }: z.output<typeof Post>,
  nowMs: number,
): FoundText | string =>
  foundText(
    {
      guid: id,
      url: `https://x.com/i/status/${id}`,
      title: text,
      author: author ?? undefined,
      language: lang ?? undefined,
    },
    { nowMs, published },
  );
