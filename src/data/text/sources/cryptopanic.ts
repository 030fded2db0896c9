import { z } from 'zod';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { Unanswered } from '../../answer.ts';
import type { FoundText } from '../item.ts';
import { foundText, parseJson, type TextSource } from '../source.ts';

/** Pages of one poll: what is older was read before, or is left to the next one. */
const MOST_PAGES = 5;

/**
 * CryptoPanic's API v2, paid since April 2026. Its token stands in the address, as the API wants it: it is redacted
 * wherever an address is shown. Which fields are there depends on the plan: all but id, title, time and kind may lack.
 */
export const cryptopanicSource = (options: {
  readonly baseUrl: string;
  readonly plan: 'developer' | 'growth' | 'enterprise';
  readonly token: string;
}): TextSource => ({
  id: 'cryptopanic',
  async *pages(state, ask, nowMs) {
    const { baseUrl, plan, token } = options;
    let newest = state.cursor;
    for (let page = 1; page <= MOST_PAGES; page++) {
      const params = new URLSearchParams({ auth_token: token, public: 'true', kind: 'news' });
      if (page > 1) params.set('page', String(page));
      const { body } = await ask(`${baseUrl}/api/${plan}/v2/posts/?${params.toString()}`);
      const answer = Answer.safeParse(parseJson(body));
      if (!answer.success) throw new Unanswered(`no list of posts: "${plainLine(body, 100)}"`);
      const found: FoundText[] = [];
      const rejected: string[] = [];
      let reachedKnown = false;
      for (const entry of answer.data.results) {
        const post = Post.safeParse(entry);
        const one = post.success ? read(post.data, nowMs) : 'a post without id, title or time';
        if (typeof one === 'string') rejected.push(one);
        else found.push(one);
        if (!post.success) continue;
        if (state.cursor !== undefined && post.data.id <= Number(state.cursor)) reachedKnown = true;
        if (post.data.id > Number(newest ?? -1)) newest = String(post.data.id);
      }
      const last = reachedKnown || answer.data.next === null || found.length === 0 || page === MOST_PAGES;
      // Remembered when all that is newer than the last poll has been read, not before.
      yield { found, rejected, state: last && newest !== undefined ? { ...state, cursor: newest } : state };
      if (last) return;
    }
  },
});

const Answer = z.object({
  next: z.string().nullable().default(null),
  results: z.array(z.unknown()),
});
const Post = z.object({
  id: z.int().min(0),
  title: z.string(),
  description: z.string().nullish(),
  published_at: z.string(),
  author: z.string().nullish(),
  original_url: z.string().nullish(),
  url: z.string().nullish(),
  source: z.object({ region: z.string().nullish() }).nullish(),
  instruments: z.array(z.object({ code: z.string() })).nullish(),
});

const read = (post: z.output<typeof Post>, nowMs: number): FoundText | string =>
  foundText(
    {
      guid: String(post.id),
      url: post.original_url ?? post.url ?? undefined,
      title: post.title,
      body: post.description ?? '',
      author: post.author ?? undefined,
      language: post.source?.region ?? undefined,
      assets: post.instruments?.map(({ code }) => code) ?? [],
    },
    { nowMs, published: post.published_at },
  );
