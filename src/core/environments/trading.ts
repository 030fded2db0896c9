import type { Panel } from '../dataset/panel.ts';
import { UserError } from '../foundation/errors.ts';
import type { Random } from '../foundation/random.ts';
import { TIMEFRAME_MS } from '../market/timeframe.ts';
import { createPortfolio, equity } from '../trading/portfolio.ts';
import type { ExecutionRules } from '../trading/rules.ts';
import { advance, setTarget } from '../trading/step.ts';
import type { ActionSpace, Environment } from './environment.ts';
import {
  ACCOUNT_OBSERVATION,
  observeAccount,
  portfolioNumbers,
  restorePortfolio,
} from './trading-account.ts';
import { type RewardWeights, rewardOf, startReward } from './trading-reward.ts';
import { type Start, startsOf, type World, worldOf } from './trading-world.ts';

/** The market that an agent trades, and how it is rewarded. */
export interface TradingTask {
  /** Bars and what the agent sees of the market; rows with a missing feature are never part of an episode. */
  readonly panel: Panel;
  readonly rules: ExecutionRules;
  readonly weights: RewardWeights;
  /** `target`: one number in [-1, 1]. `buy-hold-sell`: actions 0 sell (flat, or short where allowed), 1 hold, 2 buy. */
  readonly actions: 'target' | 'buy-hold-sell';
  /** Bars of an episode; its end is a truncation. */
  readonly windowBars: number;
}

/** One symbol traded by one agent over the execution core, which fills, charges and values as in a backtest. */
export interface TradingEnvironment extends Environment {
  /** Starts flat at the close of bar `row` of series `s`: for evaluation and forecasts, which leave nothing to chance. */
  start(s: number, row: number, into: Float32Array, at: number): void;
  /** A new window of the same account: drawdown and Sharpe part start anew, what is held stays. */
  startWindow(into: Float32Array, at: number): void;
  /** Quote currency, at the last close. */
  readonly equity: number;
  /** The action that changes nothing. */
  readonly hold: number;
  /** The position in [-1, 1] that `action` asks for; `held` is what was asked for before. */
  targetOf(action: number, held: number): number;
  /** Rows of series `s` whose features are all there. */
  isComplete(s: number, row: number): boolean;
}

const ACTIONS: Readonly<Record<TradingTask['actions'], ActionSpace>> = {
  target: { kind: 'box', size: 1, low: -1, high: 1 },
  'buy-hold-sell': { kind: 'discrete', count: 3 },
};
/** Equity below this share of the start is ruin: the episode terminates. */
const RUIN_SHARE = 0.1;
/** Nobody reads the fills of practice, so a step makes no object. */
const SILENT = { keepsEvents: false };
/**
 * A window of one symbol's history, drawn at random. At the close of a bar the agent sees the bar's features and its
 * own account, and its decision fills at the next open; the reward is earned up to the next close.
 * `reset` throws `UserError` when no window of `windowBars` complete bars exists. The copies share the history.
 */
export function tradingEnvironments(task: TradingTask, count: number): readonly TradingEnvironment[] {
  const { panel, windowBars } = task;
  const worlds = panel.series.map((series) => worldOf(series, TIMEFRAME_MS[panel.timeframe]));
  const starts = startsOf(worlds, windowBars);
  return Array.from({ length: count }, () => environmentIn(worlds, starts, task));
}

/** One of them. */
export const tradingEnvironment = (task: TradingTask): TradingEnvironment => tradingEnvironments(task, 1)[0];

function drawStart(starts: readonly Start[], random: Random, windowBars: number): Start {
  if (starts.length === 0) {
    throw new UserError(`No window of ${windowBars} bars with all features exists in the data.`, {
      hint: 'Fetch more history with `fetch --since`, or lower windowBars of the agent.',
    });
  }

  return starts[Math.floor(random() * starts.length)];
}

function environmentIn(
  worlds: readonly World[],
  starts: readonly Start[],
  task: TradingTask,
): TradingEnvironment {
  const { panel, rules, weights, windowBars } = task;
  const { names } = panel.series[0].features;
  let world = worlds[0];
  let s = 0;
  let row = 0;
  let portfolio = createPortfolio([world.instrument], rules, SILENT);
  let reward = startReward(rules.initialBalance);
  let ruined = false;

  const observe = (into: Float32Array, at: number): void => {
    const { inputs, width } = world;
    for (let k = 0, from = row * width; k < width; k++) into[at + k] = inputs[from + k];
    observeAccount(portfolio, reward, into, at + width);
  };
  const start = (series: number, from: number): void => {
    s = series;
    row = from;
    world = worlds[s];
    portfolio = createPortfolio([world.instrument], rules, SILENT);
    advance(portfolio, world.market, row);
    reward = startReward(rules.initialBalance);
    ruined = false;
  };
  return {
    id: 'trading',
    observation: [...names, ...ACCOUNT_OBSERVATION],
    actions: ACTIONS[task.actions],
    maxSteps: windowBars,
    get terminated() {
      return ruined;
    },
    get equity() {
      return reward.equity;
    },
    hold: task.actions === 'target' ? NaN : 1,
    targetOf(action, held) {
      const wanted = targetOf(task.actions, action);
      return Number.isNaN(wanted) ? held : wanted;
    },
    isComplete: (series, at) => worlds[series].complete[at] === 1,
    reset(random, into, at) {
      const drawn = drawStart(starts, random, windowBars);
      start(drawn.s, drawn.row);
      observe(into, at);
    },
    start(series, from, into, at) {
      start(series, from);
      observe(into, at);
    },
    startWindow(into, at) {
      reward = startReward(reward.equity);
      observe(into, at);
    },
    step(actions, actionAt, into, at) {
      setTarget(portfolio, 0, targetOf(task.actions, actions[actionAt]));
      row++;
      advance(portfolio, world.market, row);
      const worth = equity(portfolio);
      ruined = worth < RUIN_SHARE * rules.initialBalance;
      const earned = rewardOf(reward, Math.max(worth, 1e-6 * rules.initialBalance), weights);
      observe(into, at);
      return earned;
    },
    snapshot: () => [s, row, ...Object.values({ ...reward }), ...portfolioNumbers(portfolio)],
    restore(state) {
      start(state[0], state[1]);
      [, , reward.equity, reward.peak, reward.drawdown, reward.mean, reward.square] = state;
      restorePortfolio(portfolio, state.slice(7));
    },
  };
}

/** `NaN`: hold. */
function targetOf(kind: TradingTask['actions'], action: number): number {
  if (kind === 'target') return Math.min(1, Math.max(-1, action));
  return action === 1 ? NaN : action - 1;
}
