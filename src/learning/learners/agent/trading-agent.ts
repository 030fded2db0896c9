import { z } from 'zod';
import { fitScaler, scaleColumn, type Scaler } from '../../../core/dataset/scaler.ts';
import type { Panel } from '../../../core/dataset/panel.ts';
import {
  type TradingEnvironment,
  tradingEnvironments,
  type TradingTask,
} from '../../../core/environments/trading.ts';
import { ExactNumber } from '../../../core/foundation/exact-json.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import type { AgentParams } from './params.ts';

/** The action for an observation, nothing left to chance. */
export type Decide = (seen: Float32Array) => number;

/** Environments over `panel` with features scaled as in training and the agent's costs. */
export function agentEnvironments(
  panel: Panel,
  scaler: Scaler,
  params: AgentParams,
  actions: TradingTask['actions'],
  count: number,
): readonly TradingEnvironment[] {
  const { feeBps, slippageBps, allowShort, windowBars } = params;
  const series = panel.series.map((one) => {
    const columns = one.features.columns.map((column, k) => scaleColumn(scaler, k, column));
    return { ...one, features: { names: one.features.names, columns } };
  });
  return tradingEnvironments(
    {
      panel: { timeframe: panel.timeframe, series },
      rules: { ...SPOT_RULES, feeBps, slippageBps, allowShort },
      weights: params,
      actions,
      windowBars,
    },
    count,
  );
}

/** Location and scale of the features over the bars of all symbols that opened before `untilMs`. */
export function fitAgentScaler(panel: Panel, untilMs: number): Scaler {
  const rows = panel.series.map(({ candles }) => lowerBound(candles.time, untilMs));
  const total = rows.reduce((sum, count) => sum + count, 0);
  const columns = panel.series[0].features.names.map((_, k) => {
    const joined = new Float64Array(total);
    let at = 0;
    panel.series.forEach(({ features }, s) => {
      joined.set(features.columns[k].subarray(0, rows[s]), at);
      at += rows[s];
    });
    return joined;
  });
  return fitScaler(
    columns,
    Int32Array.from({ length: total }, (_, row) => row),
  );
}

/** Where an agent stands at the close of a bar: it has acted, and the next bar has not come. */
export const Standing = z.strictObject({
  /** As the environment's `snapshot` gives it. */
  account: z.array(ExactNumber).readonly(),
  action: ExactNumber,
  /** The position that was asked for last. */
  stance: ExactNumber,
  /** Bars since the first on which it acted. */
  bars: z.int(),
  startEquity: ExactNumber,
  logGrowth: ExactNumber,
});
export type Standing = Readonly<z.output<typeof Standing>>;

/**
 * What the agent wants at the close of each bar of series `s` from `fromRow` on, in [-1, 1]: its own
 * account moves along, through the execution core, and is part of what it sees. `NaN` before the first complete bar
 * and wherever a feature is missing; there it keeps what it holds. Also the log equity it gained, and where it stands after the
 * last row: `before`, of the row before `fromRow`, goes on from there; without it, or where it never acted, it starts flat.
 */
export function playThrough(
  environment: TradingEnvironment,
  { s, fromRow, rows }: { readonly s: number; readonly fromRow: number; readonly rows: number },
  decide: Decide,
  before?: Standing,
): { readonly position: Float64Array; readonly logGrowth: number; readonly standing: Standing | undefined } {
  const position = new Float64Array(rows).fill(NaN);
  const seen = new Float32Array(environment.observation.length);
  const action = new Float32Array(1);
  let first = fromRow;
  if (before === undefined) {
    while (first < rows && !environment.isComplete(s, first)) first++;
    if (first >= rows) return { position, logGrowth: 0, standing: undefined };
    environment.start(s, first, seen, 0);
  } else {
    environment.restore([s, fromRow - 1, ...before.account.slice(2)]);
    action[0] = before.action;
  }
  let { stance, bars, startEquity, logGrowth } = before ?? {
    stance: 0,
    bars: -1,
    startEquity: environment.equity,
    logGrowth: 0,
  };
  for (let row = first; row < rows; row++) {
    if (++bars > 0) environment.step(action, 0, seen, 0);
    if (environment.terminated) {
      logGrowth += Math.log(environment.equity / startEquity);
      environment.start(s, row, seen, 0);
      startEquity = environment.equity;
      stance = 0;
    }
    // As in training, where no episode is longer: drawdown counts from the start of the window.
    if (bars > 0 && bars % environment.maxSteps === 0) environment.startWindow(seen, 0);
    const complete = environment.isComplete(s, row);
    action[0] = complete ? decide(seen) : environment.hold;
    if (complete) {
      stance = environment.targetOf(action[0], stance);
      position[row] = stance;
    }
  }
  return {
    position,
    logGrowth: logGrowth + Math.log(environment.equity / startEquity),
    standing: { account: environment.snapshot(), action: action[0], stance, bars, startEquity, logGrowth },
  };
}
