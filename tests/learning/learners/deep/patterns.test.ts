import { describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../../src/core/dataset/labels.ts';
import { type Panel, panelUntil, type Series } from '../../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { VOLATILITY } from '../../../../src/learning/learners/deep/params.ts';
import { models } from '../../../../src/learning/models/registry.ts';
import { modelParams } from '../../../../src/learning/training/plan.ts';
import { candlesOf } from '../../../core/dataset/series.ts';
import { labelledUntil, oneBarAhead } from './planted.ts';

const [TRAIN, VALIDATE, ROWS] = [1500, 2000, 2600];
const STEP = 0.01;
const PERIOD = 8;

/**
 * One market that swings, and one whose drift turns about every fortieth bar; both under noise. The only inputs beside
 * the volatility are the return of the bar and noise: what comes next is in the order of the returns alone.
 */
function patternPanel(): Panel {
  const [swinging, turning] = [createRandom(21), createRandom(22)];
  let drift = 1;
  const series = [
    seriesOf('BTC/USDT', 23, (row) => 2 * Math.sin((2 * Math.PI * row) / PERIOD) + normal(swinging)),
    seriesOf('ETH/USDT', 24, () => {
      if (turning() < 1 / 40) drift = -drift;
      return drift + normal(turning);
    }),
  ];
  return { timeframe: '1h', series };
}

/** A market from its scaled log returns, bar by bar. */
function seriesOf(symbol: Series['symbol'], seed: number, next: (row: number) => number): Series {
  const random = createRandom(seed);
  const changes = Float64Array.from({ length: ROWS }, (_, row) => next(row));
  let price = 100;
  const opens = Array.from(changes, (change) => {
    const open = price;
    price *= Math.exp(STEP * change);
    return open;
  });
  const columns = [changes.map(() => STEP), changes, changes.map(() => normal(random))];
  return { symbol, candles: candlesOf(opens), features: { names: [VOLATILITY, 'change', 'noise'], columns } };
}

describe.each(models.filter(({ kind }) => kind === 'deep').map((model) => [model.id, model] as const))(
  '%s',
  (id, model) => {
    it('reads from the order of returns where a noisy sine and a drift that turns will go', async () => {
      const panel = patternPanel();
      const fitted = await model.fit({
        panel: panelUntil(panel, labelledUntil(VALIDATE)),
        params: modelParams(model, 'quick', {
          features: ['change', 'noise'],
          ...{ lookBack: PERIOD, batchSize: 64, epochs: 8, learningRate: 1e-2 },
          ...oneBarAhead(id),
        }),
        trainUntilMs: labelledUntil(TRAIN),
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      });
      const forecasts = await fitted.forecast(panel);
      fitted.dispose?.();
      const [swing, turn] = panel.series.map(({ candles }, s) => {
        const returns = forwardReturns(candles, '1h', 1);
        const rows = Array.from({ length: ROWS - 1 - VALIDATE - 1 }, (_, i) => VALIDATE + i);
        const right = rows.filter(
          (row) => (forecasts[s].probabilityUp?.[row] ?? NaN) > 0.5 === returns[row] > 0,
        );
        return right.length / rows.length;
      });
      // Whoever knows the phase is right in the mean of Phi(2 |sin|), 83 %; whoever knows the drift in Phi(1), 84 %.
      expect(swing).toBeGreaterThan(0.75);
      expect(turn).toBeGreaterThan(0.67);
    });
  },
);
