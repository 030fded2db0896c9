import type { TextSource } from '../source.ts';
import { feedSource } from './feed.ts';

/**
 * New posts of a subreddit as its Atom feed: no key, neither votes nor comments. Reddit refuses requests that do not say
 * who asks, and answers 403 to its JSON without a key.
 */
export const redditSource = (subreddit: string, baseUrl: string): TextSource =>
  feedSource(
    `reddit-${subreddit.toLowerCase()}`,
    `${baseUrl}/r/${encodeURIComponent(subreddit)}/new.rss?limit=100`,
  );
