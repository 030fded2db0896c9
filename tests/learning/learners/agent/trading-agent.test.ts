import { describe, expect, it } from 'vitest';
import { runBacktest } from '../../../../src/core/trading/run.ts';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import { panelUntil } from '../../../../src/core/dataset/panel.ts';
import {
  agentEnvironments,
  fitAgentScaler,
  playThrough,
} from '../../../../src/learning/learners/agent/trading-agent.ts';
import { dqn } from '../../../../src/learning/models/dqn/index.ts';
import { DqnAgentParams } from '../../../../src/learning/models/dqn/params.ts';
import { ppo } from '../../../../src/learning/models/ppo/index.ts';
import { PpoAgentParams } from '../../../../src/learning/models/ppo/params.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
import { SPOT_RULES } from '../../../../src/core/trading/rules.ts';
import { randomPanel } from '../../../core/environments/random-panel.ts';

const HOUR_MS = 3_600_000;
const ROWS = 3000;
const TRAIN_ROWS = 2000;

const taskOf = (panel: Panel, totalTimesteps: number, changes: object = {}) => ({
  panel,
  params: PpoAgentParams.parse({
    features: [...panel.series[0].features.names],
    forecasts: [],
    totalTimesteps,
    windowBars: 100,
    netArch: [32, 32],
    evaluations: 2,
    learningRate: 1e-3,
    ...changes,
  }),
  trainUntilMs: TRAIN_ROWS * HOUR_MS,
  seed: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
});

const fit = (panel: Panel, totalTimesteps: number): Promise<FittedModel> =>
  ppo.fit(taskOf(panel, totalTimesteps));

/** Log equity gained on the bars that training has not seen, mean of the symbols. */
async function growth(model: FittedModel, panel: Panel): Promise<number> {
  const forecasts = await model.forecast(panel);
  const logs = forecasts.map(({ position, symbol }, s) => {
    const { candles } = panel.series[s];
    const run = runBacktest({
      market: { time: candles.time, barMs: HOUR_MS, candles: [candles] },
      targets: [position],
      instruments: [{ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }],
      rules: SPOT_RULES,
    });
    return Math.log(run.equity[ROWS - 1] / run.equity[TRAIN_ROWS]);
  });
  return logs.reduce((sum, value) => sum + value, 0) / logs.length;
}

describe('the trading agent', () => {
  it('gets rich when the future leaks into what it sees', async () => {
    const panel = randomPanel({ rows: ROWS, seed: 3, leak: true });
    const model = await fit(panel, 40_960);
    // Knowing every direction earns about 0.4 % a bar before costs; a tenth of it over 1000 bars is e^0.4.
    expect(await growth(model, panel)).toBeGreaterThan(0.4);
  });

  it('finds nothing to earn in a random walk', async () => {
    const panel = randomPanel({ rows: ROWS, seed: 3 });
    const model = await fit(panel, 40_960);
    // One deviation of a random walk over 1000 bars of 1 % is 0.32, of the mean of two 0.22; three of them.
    expect(await growth(model, panel)).toBeLessThan(0.67);
  });

  it('holds in a backtest of its forecast what it saw itself hold', () => {
    const panel = randomPanel({ rows: 400, seed: 4 });
    const params = PpoAgentParams.parse({ features: ['return'], windowBars: 50 });
    const scaler = fitAgentScaler(panel, Infinity);
    const [environment] = agentEnvironments(panel, scaler, params, 'target', 1);
    const seenPositions: number[] = [];
    const { position } = playThrough(environment, { s: 0, fromRow: 0, rows: 400 }, (seen) => {
      seenPositions.push(seen[1]);
      return Math.sin(0.4 * seenPositions.length);
    });
    const { candles, symbol } = panel.series[0];
    const held: number[] = [];
    for (let rows = 2; rows <= 400; rows++) {
      const cut = panelUntil(panel, rows * HOUR_MS).series[0].candles;
      if (rows % 37 !== 0) continue;
      const { portfolio, equity } = runBacktest({
        market: { time: cut.time, barMs: HOUR_MS, candles: [cut] },
        targets: [position.subarray(0, rows)],
        instruments: [{ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }],
        rules: SPOT_RULES,
      });
      held.push((portfolio.columns.amount[0] * candles.close[rows - 1]) / equity[rows - 1]);
      // Row 0 has no return and so no decision: the first one is made at row 1.
      expect(held[held.length - 1]).toBeCloseTo(seenPositions[rows - 2], 5);
    }
    expect(Math.max(...held)).toBeGreaterThan(0.1);
  });

  it('keeps the weights of its best trial on bars that training does not see, and tells each trial', async () => {
    const panel = randomPanel({ rows: ROWS, seed: 3, leak: true });
    const trials: number[] = [];
    const model = await ppo.fit({
      // A rate so high that the last weights are not the best.
      ...taskOf(panel, 16_384, { evaluations: 4, learningRate: 0.1 }),
      onProgress: ({ step, figures = {} }) => {
        if (step % 4096 === 0) trials.push(figures.validationLogGrowth);
        expect(Object.keys(figures)).toEqual(
          expect.arrayContaining(['approxKl', 'entropy', 'explainedVariance', 'meanReward']),
        );
      },
    });
    const best = Math.max(...trials);
    expect(trials).toHaveLength(4);
    expect(best).toBeGreaterThan(trials[3]);
    expect(model.report).toMatchObject({
      validationLogGrowth: best,
      keptAtStep: 4096 * (1 + trials.indexOf(best)),
    });
  });

  it.each([
    ['ppo', (panel: Panel, task: object) => ppo.fit({ ...taskOf(panel, 60_000), ...task })],
    [
      'dqn',
      (panel: Panel, task: object) => {
        const { params, ...rest } = taskOf(panel, 60_000);
        const own = { features: params.features, forecasts: [], windowBars: 100, totalTimesteps: 60_000 };
        return dqn.fit({ ...rest, params: DqnAgentParams.parse(own), ...task });
      },
    ],
  ])('%s gives Ctrl-C its turn while it trains', async (_, fitWith) => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const onProgress = (): void => void setTimeout(() => stop.abort(reason));
    const fitting = fitWith(randomPanel({ rows: ROWS, seed: 3 }), { signal: stop.signal, onProgress });
    await expect(fitting).rejects.toBe(reason);
  });

  it('refuses to act on another layout of what it sees', async () => {
    const panel = randomPanel({ rows: ROWS, seed: 3 });
    const model = await fit(panel, 2048);
    await expect(model.forecast(randomPanel({ rows: 100, seed: 3, leak: true }))).rejects.toThrow(
      'was trained to see "return", and is shown "return, future"',
    );
  });

  it('refuses weights of another network', async () => {
    const model = await fit(randomPanel({ rows: ROWS, seed: 3 }), 2048);
    const { json, blobs } = model.save();
    const cut = { weights: blobs.weights.slice(4) };
    await expect(ppo.load({ json, blobs: cut })).rejects.toThrow("The agent's weights have");
  });
});
