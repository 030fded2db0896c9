import { describe, expect, it } from 'vitest';
import { type Panel, panelUntil, type Series } from '../../../../src/core/dataset/panel.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import type { PairSymbol } from '../../../../src/core/market/symbol.ts';
import { VOLATILITY } from '../../../../src/learning/learners/deep/params.ts';
import { tcnGraphLstm as model } from '../../../../src/learning/models/tcn-graph-lstm/index.ts';
import { randomWalk } from '../../../core/dataset/series.ts';
import { hitRate, labelledUntil } from './planted.ts';

const [TRAIN, VALIDATE, ROWS] = [900, 1200, 1600];
const STEP = 0.01;

/** BTC leads: what its bar did, the next bar of ETH does, under noise of half the size. SOL goes its own way. Each is told its own last bar alone. */
function ledPanel(): Panel {
  const random = createRandom(7);
  const own = (symbol: PairSymbol, seed: number) => randomWalk(symbol, ROWS, seed);
  const [btc, eth, sol] = [own('BTC/USDT', 1), own('ETH/USDT', 2), own('SOL/USDT', 3)];
  const barReturn = ({ candles: { open, close } }: Pick<Series, 'candles'>, row: number): number =>
    close[row] / open[row] - 1;
  const { candles } = eth;
  let price = 100;
  for (let row = 0; row < ROWS; row++) {
    const led = row === 0 ? 0 : barReturn(btc, row - 1);
    candles.open[row] = price;
    candles.close[row] = price *= 1 + led + 0.5 * STEP * normal(random);
    candles.high[row] = 1.001 * Math.max(candles.open[row], price);
    candles.low[row] = 0.999 * Math.min(candles.open[row], price);
  }
  const series = [btc, eth, sol].map((one): Series => {
    const rows = Array.from({ length: ROWS }, (_, row) => row);
    const columns = [
      Float64Array.from(rows, () => STEP),
      Float64Array.from(rows, () => normal(random)),
      Float64Array.from(rows, (row) => barReturn(one, row)),
    ];
    return { ...one, features: { names: [VOLATILITY, 'noise', 'last'], columns } };
  });
  return { timeframe: '1h', series };
}

const fit = (panel: Panel): Promise<FittedModel> =>
  model.fit({
    panel: panelUntil(panel, labelledUntil(VALIDATE)),
    params: model.params.parse({
      features: ['noise', 'last'],
      lookBack: 4,
      batchSize: 32,
      epochs: 12,
      learningRate: 1e-2,
      dropout: 0,
      horizonBars: 1,
      hidden: 12,
      channels: [12],
      heads: 1,
    }),
    trainUntilMs: labelledUntil(TRAIN),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

describe('convolutions, a graph and memory over three symbols, one of which leads another', async () => {
  const panel = ledPanel();
  const fitted = await fit(panel);

  it('forecasts the one that follows by what the leader did, and the others not', async () => {
    const forecasts = await fitted.forecast(panel);
    const share = (s: number): number =>
      hitRate({ ...panel, series: [panel.series[s]] }, [forecasts[s]], VALIDATE).share;
    expect(share(1)).toBeGreaterThan(0.75);
    for (const s of [0, 2]) expect(Math.abs(share(s) - 0.5)).toBeLessThan(0.1);
  });

  it('shows in the learned graph that the follower listens to the leader', () => {
    const [graph] = fitted.explanation ?? [];
    expect(graph).toMatchObject({ kind: 'matrix', rows: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] });
    if (graph?.kind !== 'matrix') return;
    const [, follower] = graph.values;
    expect(follower.reduce((sum, value) => sum + value, 0)).toBeCloseTo(100, 1);
    const [leader, itself, other] = follower;
    expect(leader).toBeGreaterThan(50);
    expect(leader).toBeGreaterThan(2 * Math.max(itself, other));
  });
});
