import { describe, expect, test } from 'vitest';
import { backtest, type BacktestInput } from '../../../src/lab/backtest/backtest.ts';
import { backtestDocument } from '../../../src/lab/backtest/document.ts';
import { money } from '../../../src/lab/backtest/money.ts';
import { overSeeds, seedRow } from '../../../src/lab/backtest/seeds.ts';
import { strategyRow } from '../../../src/lab/backtest/strategy-text.ts';
import { verdicts } from '../../../src/lab/backtest/verdicts.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const instruments = (['BTC/USDT', 'ETH/USDT'] as const).map((symbol) => ({
  symbol,
  amountStep: 0,
  priceTick: 0,
  minNotional: 0,
}));

function input(bars: number, changes: Partial<BacktestInput> = {}): BacktestInput {
  const panel = randomPanel(bars, 11);
  const reversal = forecastsOf(panel, (close, row) => (row > 0 && close[row] < close[row - 1] ? 1 : 0));
  return {
    panel,
    range: { fromMs: 0, untilMs: bars * HOUR_MS },
    ensemble: reversal,
    members: [{ id: 'reversal', kind: 'model', forecasts: reversal }],
    instruments,
    rules: { ...SPOT_RULES },
    seed: 1,
    ...changes,
  };
}

describe('a backtest of several seeds', () => {
  const given = input(600);
  const held = forecastsOf(given.panel, () => 1);
  const flat = forecastsOf(given.panel, () => 0);
  const result = backtest({
    ...given,
    ensemble: held,
    members: [
      { id: 'network', kind: 'model', forecasts: held },
      { id: 'rule', kind: 'model', forecasts: held },
    ],
    otherSeeds: [{ ensemble: flat, members: [{ id: 'network', forecasts: flat }] }],
  });

  test('shows mean and deviation of what has other seeds, and one run of what has not', () => {
    expect(result.seeds.map(({ name, runs }) => [name, runs.length])).toEqual([
      ['ensemble', 2],
      ['network', 2],
      ['rule', 1],
    ]);
    const { totalReturnPct } = overSeeds(result.seeds[1]);
    const first = result.members[0].metrics.totalReturnPct;
    // The other seed stays flat and returns nothing: mean r / 2, deviation |r| / sqrt 2.
    expect(totalReturnPct?.mean).toBeCloseTo(first / 2, 10);
    expect(totalReturnPct?.deviation).toBeCloseTo(Math.abs(first) / Math.SQRT2, 10);
    expect(seedRow(result.seeds[2])[1]).toBe('no chance in it');
  });

  test('leaves all other figures those of the first seed', () => {
    expect(result.ensemble).toEqual(backtest({ ...given, ensemble: held }).ensemble);
    expect(backtest(given).seeds).toEqual([]);
  });
});

describe('a backtest', () => {
  test('of random walks earns nothing beyond luck, and loses more the more trading costs', () => {
    const { costs, ensemble } = backtest(input(3000));
    const returns = (costs?.points ?? []).map(({ totalReturnPct }) => totalReturnPct);
    expect(returns).toHaveLength(5);
    expect(returns.toSorted((a, b) => b - a)).toEqual(returns);
    const { low, high } = ensemble.intervals?.barSharpe ?? {};
    expect(low).toBeLessThan(0.05);
    expect(high).toBeGreaterThan(-0.2);
    expect(ensemble.metrics.totalReturnPct).toBeLessThan(0);
  });

  test('whose forecasts see the next bar makes anybody rich: the control that the numbers can move', () => {
    const seer = input(1000);
    const leaked = forecastsOf(seer.panel, (close, row) => (close[row + 1] > close[row] ? 1 : 0));
    const { ensemble, timing, costs } = backtest({ ...seer, ensemble: leaked });
    expect(ensemble.metrics.sharpe).toBeGreaterThan(20);
    expect(timing?.asGoodShare).toBe(0);
    expect(costs?.breakEvenBps).toBeGreaterThan(20);
  });

  test('of a dated universe holds nothing of a pair before it is listed and after it is gone, nor does any benchmark', () => {
    const whole = input(600);
    const [listedMs, delistedMs] = [200 * HOUR_MS, 400 * HOUR_MS];
    const range = { ...whole.range, members: [undefined, { listedMs, delistedMs }] };
    const rules = {
      ...SPOT_RULES,
      delistedAfterMs: 48 * HOUR_MS,
      delistingHaircutPct: 30,
      feeBps: 0,
      slippageBps: 0,
    };
    const held = forecastsOf(whole.panel, () => 1);
    const { ensemble, benchmark } = backtest({ ...whole, range, rules, ensemble: held });
    const close = whole.panel.series[1].candles.close[399];
    for (const { run } of [ensemble, benchmark]) {
      const own = run.fills.filter(({ symbol }) => symbol === 'ETH/USDT');
      // Decided at its first close, filled at the open after; gone at 400, silent for more than 48 hours after the bar of 399.
      expect(own[0].time).toBe(201 * HOUR_MS);
      expect(own.at(-1)).toMatchObject({ cause: 'delisted', time: 448 * HOUR_MS });
      expect(own.at(-1)?.price).toBeCloseTo(0.7 * close, 9);
    }
  });

  test('over a range equals the run on those bars alone', () => {
    const whole = input(600);
    const range = { fromMs: 200 * HOUR_MS, untilMs: 500 * HOUR_MS };
    const part = backtest({ ...whole, range });
    expect(part.market.time.length).toBe(300);
    expect(part.ensemble.run.fills.every(({ time }) => time > range.fromMs && time < range.untilMs)).toBe(
      true,
    );
  });

  test('of buy and hold spends the capital once and evenly', () => {
    const { benchmark } = backtest(input(300));
    expect(benchmark.run.fills.map(({ time }) => time)).toEqual([HOUR_MS, HOUR_MS]);
    const [first, second] = benchmark.run.fills.map(({ price, baseAmount }) => price * baseAmount);
    expect(first / second).toBeCloseTo(1, 6);
  });

  test('shows the intrabar band only where stop and target can collide', () => {
    expect(backtest(input(300)).intrabar).toEqual([]);
    const rules = { ...SPOT_RULES, stopLossPct: 0.1, takeProfitPct: 0.1 };
    const { intrabar } = backtest(input(1000, { rules }));
    expect(intrabar.map(({ order }) => order)).toEqual(['stop-first', 'nearest-first', 'target-first']);
    expect(intrabar[0].totalReturnPct).toBeLessThan(intrabar[2].totalReturnPct);
    const apart = { ...SPOT_RULES, stopLossPct: 90, takeProfitPct: 900 };
    const same = verdicts(backtest(input(300, { rules: apart }))).filter((line) => line.includes('one bar'));
    expect(same).toEqual([
      expect.stringMatching(/^When one bar reaches stop and target, in any order: .* %\.$/),
    ]);
  });

  test('prints money in the digits that the start makes of use', () => {
    expect([money(3066.4, 10_000), money(-12.345, 100), money(0.0712, 1), money(0.00712, 0.1)]).toEqual([
      '3066',
      '-12.3',
      '0.071',
      '0.0071',
    ]);
    // Of one coin, as of ten thousand dollars.
    const coin = backtest(input(300, { rules: { ...SPOT_RULES, initialBalance: 1 } })).ensemble;
    const cost = strategyRow(coin, 8760, { count: 1, effective: 1, barSharpes: [] })[9];
    expect(Number(cost)).toBeCloseTo(coin.run.portfolio.feesQuote + coin.run.portfolio.slippageQuote, 3);
    expect(Number(cost)).toBeGreaterThan(0);
  });

  test('says the same twice', () => {
    const [one, other] = [backtest(input(500)), backtest(input(500))].map(
      ({ barsPerSecond: _, ...rest }) => rest,
    );
    expect(one).toEqual(other);
  });
});

test('the document keeps the key of a figure that is not defined', () => {
  const flat = input(50);
  const idle = forecastsOf(flat.panel, () => 0);
  const result = backtest({ ...flat, ensemble: idle, members: [] });
  const about = {
    exchange: 'test',
    symbols: ['BTC/USDT'],
    timeframe: '1h',
    synthetic: true,
    dataFingerprint: '',
    trainedBy: '',
    fromMs: 0,
    untilMs: 50 * HOUR_MS,
    missingBars: 0,
    seed: 1,
    warnings: [],
    trials: { count: 0, effective: 0, barSharpes: [] },
  };
  const document: unknown = JSON.parse(JSON.stringify(backtestDocument(result, about, 'equity.csv')));
  expect(document).toMatchObject({
    range: { from: '1970-01-01T00:00:00.000Z', to: '1970-01-03T02:00:00.000Z' },
    bars: 50,
    metrics: { sharpe: null, tradeCount: 0, totalReturnPct: 0 },
    confidence: { deflatedSharpe: null },
    costs: { breakEvenBps: null },
    trades: [],
    equityCurve: 'equity.csv',
  });
});
