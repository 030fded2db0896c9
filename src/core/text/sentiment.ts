/** What a scorer makes of a text. */
export interface Sentiment {
  /** -1 bad news to 1 good news. */
  readonly polarity: number;
  /** 0 facts alone to 1 judgements alone: the share of the text that is not neutral. */
  readonly subjectivity: number;
}
