export const LEARNED_IDS = ['deep', 'rl'] as const;
/**
 * `deep`: LSTM with attention and a softmax, trained end to end on the Sharpe ratio net of costs (Zhang, Zohren and Roberts 2020).
 * `rl`: EIIE, trained by its deterministic policy gradient on logarithmic growth net of costs, with a portfolio vector memory (Jiang, Xu
 * and Liang 2017).
 */
export type LearnedId = (typeof LEARNED_IDS)[number];

export interface LearnerParams {
  /** Bars that the network sees. */
  readonly lookback: number;
  readonly hidden: number;
  /** Consecutive decisions in a step. */
  readonly bars: number;
  readonly steps: number;
  readonly learningRate: number;
  /** Of a unit of turnover. */
  readonly costRate: number;
}

export const LEARNER_DEFAULTS: Readonly<Record<LearnedId, Omit<LearnerParams, 'costRate'>>> = {
  deep: { lookback: 30, hidden: 32, bars: 64, steps: 200, learningRate: 1e-3 },
  rl: { lookback: 30, hidden: 16, bars: 32, steps: 400, learningRate: 1e-3 },
};
