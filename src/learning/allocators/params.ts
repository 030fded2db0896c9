export const LEARNED_IDS = ['deep', 'rl', 'ppo'] as const;
/**
 * `deep`: LSTM with attention and a softmax, trained end to end on the Sharpe ratio net of costs (Zhang, Zohren and Roberts 2020).
 * `rl`: EIIE, trained by its deterministic policy gradient on logarithmic growth net of costs, with a portfolio vector memory (Jiang, Xu
 * and Liang 2017).
 * `ppo`: the same evaluators as a stochastic policy over weights with a critic, trained by proximal policy optimisation (Schulman et al. 2017)
 * in an environment whose transition pays for what it trades.
 */
export type LearnedId = (typeof LEARNED_IDS)[number];

export interface LearnerParams {
  /** Bars that the network sees. */
  readonly lookback: number;
  readonly hidden: number;
  /** Consecutive decisions in a step. */
  readonly bars: number;
  /** Of `ppo`: rounds of play and four updates each. */
  readonly steps: number;
  readonly learningRate: number;
  /** Of a unit of turnover. */
  readonly costRate: number;
}

export const LEARNER_DEFAULTS: Readonly<Record<LearnedId, Omit<LearnerParams, 'costRate'>>> = {
  deep: { lookback: 30, hidden: 32, bars: 64, steps: 200, learningRate: 1e-3 },
  rl: { lookback: 30, hidden: 16, bars: 32, steps: 400, learningRate: 1e-3 },
  ppo: { lookback: 30, hidden: 16, bars: 32, steps: 150, learningRate: 1e-3 },
};
