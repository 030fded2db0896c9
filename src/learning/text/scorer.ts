import { MARKET_LEXICON } from '../../core/text/market-words.ts';
import type { Sentiment } from '../../core/text/sentiment.ts';
import { lexiconSentiment } from '../../core/text/vader.ts';

/** Says how good or bad the news of a text is. Equal texts get equal scores for ever: another scorer has another id. */
export interface TextScorer {
  /** As series and settings name it, such as `lexicon-1`. */
  readonly id: string;
  readonly about: string;
  /** It may know what came after a text: only new texts are judged, and a score counts from when it was made. */
  readonly hindsight?: true;
  /** In the order of `texts`; `undefined`: it has no opinion. Throws `signal.reason` when aborted. */
  score(texts: readonly string[], signal: AbortSignal): Promise<readonly (TextScore | undefined)[]>;
}

export interface TextScore extends Sentiment {
  /** Of a scorer with hindsight: when it judged, a millisecond of its own for every text. */
  readonly judgedMs?: number;
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
