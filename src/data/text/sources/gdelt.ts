import { z } from 'zod';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { Unanswered } from '../../answer.ts';
import type { FoundText } from '../item.ts';
import { foundText, parseJson, type TextSource } from '../source.ts';

const DAY_MS = 86_400_000;

/**
 * The GDELT project's search over the world's news (DOC 2.0), no key: headlines of at most three months, renewed every
 * 15 minutes. Errors and rate limits arrive as plain text with any status.
 */
export const gdeltSource = (query: string, baseUrl: string): TextSource => ({
  id: 'gdelt',
  async *pages(state, ask, nowMs) {
    const sinceMs = Math.max(nowMs - 7 * DAY_MS, state.lastPollMs ?? nowMs - DAY_MS);
    const minutes = Math.max(60, Math.ceil((nowMs - sinceMs) / 60_000) + 30);
    const params = new URLSearchParams({
      query,
      mode: 'artlist',
      format: 'json',
      maxrecords: '250',
      sort: 'datedesc',
      timespan: `${minutes}min`,
    });
    const { body } = await ask(`${baseUrl}/api/v2/doc/doc?${params.toString()}`);
    // A search that finds nothing is answered with {}.
    const answer = Answer.safeParse(parseJson(body));
    if (!answer.success) throw new Unanswered(`no list of articles: "${plainLine(body, 100)}"`);
    const found: FoundText[] = [];
    const rejected: string[] = [];
    for (const entry of answer.data.articles) {
      const article = Article.safeParse(entry);
      const one = article.success ? read(article.data, nowMs) : 'an article without address or title';
      if (typeof one === 'string') rejected.push(one);
      else found.push(one);
    }
    yield { found, rejected, state };
  },
});

const Answer = z.object({ articles: z.array(z.unknown()).default([]) });
const Article = z.object({
  url: z.string(),
  title: z.string(),
  seendate: z.string().optional(),
  language: z.string().optional(),
});

function read(
  { url, title, seendate, language }: z.output<typeof Article>,
  nowMs: number,
): FoundText | string {
  const [, date, time] = /^(\d{8})T(\d{6})Z$/.exec(seendate ?? '') ?? [];
  const published =
    date === undefined || time === undefined
      ? undefined
      : `${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  // GDELT sets words apart from the marks behind them.
  const tidy = title.replaceAll(/\s+([,.:;!?%)\]’'])/g, '$1').replaceAll(/([([$])\s+/g, '$1');
  return foundText({ guid: url, url, title: tidy, language }, { nowMs, published });
}
