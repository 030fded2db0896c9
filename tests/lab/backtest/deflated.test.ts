import { describe, expect, test } from 'vitest';
import { deflatedSharpe, noSkillVariance, sharpeSample } from '../../../src/core/evaluation/sharpe-test.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { type Assessment, confidence } from '../../../src/lab/backtest/assess.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { coarsen } from '../../../src/lab/backtest/coarse-returns.ts';
import { summariseTrials, type TrialSummary } from '../../../src/lab/backtest/trial-summary.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const BARS = 3500;
const YEAR = 8760;
const panel = randomPanel(BARS, 17);
const random = createRandom(23);

/** Changes its mind at random: no skill, and it bleeds costs. */
const gambler = () => {
  let held = 0;
  return forecastsOf(panel, () => (held = random() < 0.4 ? 1 - held : held));
};
/** Knows the next bar of a few: an edge that costs leave alone. */
const seer = forecastsOf(panel, (close, row) => {
  const up = close[row + 1] > close[row];
  return Math.sin(row * 12.9898) > 0.9984 ? Number(up) : 0;
});

describe('the deflated Sharpe ratio beside twenty losers', () => {
  const members = Array.from({ length: 20 }, (_, i) => ({
    id: `gambler-${i}`,
    kind: 'model' as const,
    forecasts: gambler(),
  }));
  const result = backtest({
    panel,
    range: { fromMs: 0, untilMs: BARS * HOUR_MS },
    ensemble: seer,
    members,
    instruments: panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
    rules: { ...SPOT_RULES, feeBps: 10, slippageBps: 5 },
    seed: 1,
  });
  const trials = summariseTrials(
    [result.ensemble, ...result.members].map((one: Assessment) => ({
      time: '2026-01-01T00:00:00.000Z',
      id: one.strategy.name,
      market: 'm',
      strategy: one.strategy.name,
      bars: BARS,
      barSharpe: one.sample?.sharpe,
      returns: coarsen(result.market.time, one.returns, HOUR_MS),
    })),
  );
  const sure = (one: Assessment) => confidence(one, YEAR, trials);

  test('the losers lose, by their costs', () => {
    const losing = result.members.filter(({ metrics }) => (metrics.sharpe ?? 0) < -3);
    expect(losing.length).toBeGreaterThan(10);
  });

  test('lets a planted edge with a Sharpe ratio near 7 pass, which the published form cannot', () => {
    expect(result.ensemble.metrics.sharpe).toBeGreaterThan(6);
    expect(result.ensemble.metrics.sharpe).toBeLessThan(9);
    expect(sure(result.ensemble).deflatedSharpe).toBeGreaterThan(0.95);
    expect(sure(result.ensemble).deflatedSharpeAllTrials).toBeLessThan(0.5);
  });
});

test('of twenty random walks without costs, at least nineteen do not pass, in each of fifty draws', () => {
  for (let draw = 0; draw < 50; draw++) {
    const walks = Array.from({ length: 20 }, () => {
      const returns = Float64Array.from({ length: 1500 }, () => 0.01 * normal(random));
      const time = returns.map((_, row) => row * HOUR_MS);
      return { returns, coarse: coarsen(time, returns, HOUR_MS) };
    });
    const trials = summariseTrials(
      walks.map(({ coarse }, i) => ({
        time: '2026-01-01T00:00:00.000Z',
        id: String(i),
        market: 'm',
        strategy: String(i),
        returns: coarse,
      })),
    );
    const passed = walks.filter(({ returns }) => passes(returns, trials));
    expect(passed.length).toBeLessThanOrEqual(1);
  }
});

function passes(returns: Float64Array, { effective }: TrialSummary): boolean {
  const sample = sharpeSample(returns);
  if (sample === undefined) return false;
  return deflatedSharpe(sample, { count: effective, variance: noSkillVariance(sample.bars) }) > 0.95;
}
