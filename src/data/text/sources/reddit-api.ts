import { z } from 'zod';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { Unanswered } from '../../answer.ts';
import type { FoundText } from '../item.ts';
import { type Ask, foundText, parseJson, type TextSource } from '../source.ts';

const MOST_PAGES = 5;

/**
 * New posts of subreddits by Reddit's API, for an application's id and secret (client credentials): 100 requests a minute. A post
 * is the same text as in the subreddit's feed. One token serves all subreddits of a poll.
 */
export function redditApi(options: {
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}): (subreddit: string) => TextSource {
  let token: Promise<string> | undefined;
  return (subreddit) => ({
    id: `reddit-${subreddit.toLowerCase()}`,
    async *pages(state, ask, nowMs) {
      // A request for a token that failed is made again by the next subreddit.
      token ??= tokenOf(options, ask).catch((error: unknown) => {
        token = undefined;
        throw error;
      });
      const headers = { Authorization: `Bearer ${await token}` };
      let newest = state.cursor;
      let after: string | undefined;
      for (let page = 1; page <= MOST_PAGES; page++) {
        const params = new URLSearchParams({
          limit: '100',
          raw_json: '1',
          ...(after === undefined ? {} : { after }),
        });
        const path = `/r/${encodeURIComponent(subreddit)}/new?${params.toString()}`;
        const { body } = await ask(`${options.apiUrl}${path}`, { headers });
        const answer = Listing.safeParse(parseJson(body));
        if (!answer.success) throw new Unanswered(`no list of posts: "${plainLine(body, 100)}"`);
        const found: FoundText[] = [];
        const rejected: string[] = [];
        let reachedKnown = false;
        for (const child of answer.data.data.children) {
          const post = Post.safeParse(child);
          const one = post.success ? read(post.data.data, nowMs) : 'a post without id, title or time';
          if (typeof one === 'string') rejected.push(one);
          else found.push(one);
          if (!post.success) continue;
          const { id } = post.data.data;
          if (state.cursor !== undefined && place(id) <= place(state.cursor)) reachedKnown = true;
          if (newest === undefined || place(id) > place(newest)) newest = id;
        }
        after = answer.data.data.after ?? undefined;
        const last = reachedKnown || after === undefined || found.length === 0 || page === MOST_PAGES;
        yield { found, rejected, state: last && newest !== undefined ? { ...state, cursor: newest } : state };
        if (last) return;
      }
    },
  });
}

/** Ids count upwards, in base 36. */
const place = (id: string): number => parseInt(id, 36);

async function tokenOf(
  { tokenUrl, clientId, clientSecret }: Parameters<typeof redditApi>[0],
  ask: Ask,
): Promise<string> {
  const { body } = await ask(`${tokenUrl}/api/v1/access_token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const answer = Token.safeParse(parseJson(body));
  if (answer.success) return answer.data.access_token;
  throw new Unanswered('an answer without a token');
}

const Token = z.object({ access_token: z.string().regex(/^[\w.~+/=-]{1,4096}$/) });
const Listing = z.object({
  kind: z.literal('Listing'),
  data: z.object({ after: z.string().nullish(), children: z.array(z.unknown()) }),
});
const Post = z.object({
  data: z.object({
    id: z.string().regex(/^[0-9a-z]{1,10}$/),
    title: z.string(),
    selftext: z.string().nullish(),
    created_utc: z.number(),
    permalink: z.string().regex(/^\//),
    author: z.string().nullish(),
  }),
});

const read = (
  { id, title, selftext, created_utc: seconds, permalink, author }: z.output<typeof Post>['data'],
  nowMs: number,
): FoundText | string =>
  foundText(
    {
      guid: `t3_${id}`,
      url: `https://www.reddit.com${permalink}`,
      title,
      body: selftext ?? '',
      author: author ? `/u/${author}` : undefined,
      language: 'en',
    },
    { nowMs, published: 1000 * seconds },
  );
