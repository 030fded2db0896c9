import { MARKET_LEXICON } from '../../core/text/market-words.ts';
import type { Sentiment } from '../../core/text/sentiment.ts';
import { lexiconSentiment } from '../../core/text/vader.ts';

/** Says how good or bad the news of a text is. Equal texts get equal scores for ever: another scorer has another id. */
export interface TextScorer {
  /** As series and settings name it, such as `lexicon-1`. */
  readonly id: string;
  readonly about: string;
  /** In the order of `texts`. Throws `signal.reason` when aborted. */
  score(texts: readonly string[], signal: AbortSignal): Promise<readonly Sentiment[]>;
}

/** The scorers that need nothing but their words. A change of words or rules is another id. */
export const LEXICON_SCORERS: readonly TextScorer[] = [
  {
    id: 'lexicon-1',
    about: "VADER's rules and words, with words of markets over them",
    score: async (texts) => texts.map((text) => lexiconSentiment(text, MARKET_LEXICON)),
  },
  {
    id: 'vader',
    about: 'VADER as it was published (Hutto and Gilbert 2014)',
    score: async (texts) => texts.map((text) => lexiconSentiment(text)),
  },
];
