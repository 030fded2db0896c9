import { z } from 'zod';
import type { Model } from '../../../core/forecast/model.ts';

/** Stationary inputs: where the price is, how it moves, how much, and the time of day. */
const FEATURES = [
  'return_1',
  'return_5',
  'return_30',
  'ema_distance_25',
  'ma_spread_25_99',
  'bollinger_position',
  'rsi_14',
  'macd_histogram',
  'volatility_20',
  'volatility_ratio_5_20',
  'range_position_100',
  'volume_score_20',
  'hour_sin',
  'hour_cos',
];

const weight = (meaning: string) => z.number().min(0).describe(`Weight in the reward: ${meaning}`);

/**
 * What every trading agent is told, beside its learning algorithm's own parameters. `forecasters`: the models whose
 * forecasts it may see.
 */
export const agentParams = (forecasters: readonly Model[]) => ({
  features: z.array(z.string()).min(1).default(FEATURES).describe('Names from the feature catalogue'),
  forecasts: z
    .array(z.enum(forecasters.map(({ id }) => id)))
    .default(['momentum-garch', 'logistic', 'ridge'])
    .describe('Models whose forecasts the agent sees; `--mode full` adds tft and lstm-cnn'),
  forecastRefits: z
    .int()
    .min(1)
    .default(4)
    .describe(
      'Equal parts of the training bars, behind the first, that each model forecasts from the bars before',
    ),
  forecastParams: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .default({})
    .describe('Parameters of these models, by id, where not their defaults'),
  totalTimesteps: z.int().min(1).default(500_000).describe('Bars of practice, all symbols together'),
  windowBars: z.int().min(2).default(336).describe('Bars of an episode'),
  returnWeight: weight('change of log equity, net of costs').default(1),
  sharpeWeight: weight('change of the Sharpe ratio of the last 240 bars').default(0.1),
  drawdownWeight: weight('deepening of the drawdown').default(0.1),
  feeBps: z.number().min(0).default(10).describe('Fee of each fill in practice'),
  slippageBps: z.number().min(0).default(5).describe('Slippage of each fill in practice'),
  allowShort: z.boolean().default(false).describe('Whether practice may go short'),
  evaluations: z
    .int()
    .min(1)
    .default(20)
    .describe('Times the agent is tried on the validation bars while it trains; the best is kept'),
});
export type AgentParams = z.output<z.ZodObject<ReturnType<typeof agentParams>>>;
