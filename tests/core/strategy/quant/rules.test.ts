import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Panel, panelUntil } from '../../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { parseSymbol } from '../../../../src/core/market/symbol.ts';
import { residualProcess } from '../../../../src/core/strategy/quant/pca-reversion.ts';
import { quantRules } from '../../../../src/core/strategy/quant/registry.ts';
import type { QuantRule } from '../../../../src/core/strategy/quant/rule.ts';
import type { Candles } from '../../../../src/core/market/candles.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const NAMES = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'XRP/USDT', 'ADA/USDT'];

function candlesOf(close: readonly number[], stepMs: number): Candles {
  const prices = Float64Array.from(close);
  return {
    time: prices.map((_, i) => i * stepMs),
    open: prices.map((_, i) => close[Math.max(0, i - 1)]),
    high: prices.map((price, i) => Math.max(price, close[Math.max(0, i - 1)])),
    low: prices.map((price, i) => Math.min(price, close[Math.max(0, i - 1)])),
    close: prices,
    volume: prices.map(() => 1),
  };
}

function panelOf(closes: readonly (readonly number[])[], timeframe: '1d' | '1h' = '1d'): Panel {
  const stepMs = timeframe === '1d' ? DAY : HOUR;
  return {
    timeframe,
    series: closes.map((close, s) => ({
      symbol: parseSymbol(NAMES[s]),
      candles: candlesOf(close, stepMs),
      features: {
        names: ['funding_mean_21'],
        columns: [Float64Array.from(close, (_, i) => 5e-4 * Math.sin(i / 7))],
      },
    })),
  };
}

function rule(id: string): QuantRule {
  const found = quantRules.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no rule ${id}`);
  return found;
}

function positionsOf(id: string, closes: readonly (readonly number[])[], params: object = {}): number[][] {
  const found = rule(id);
  const parsed = found.params.parse(params);
  return found.positions(panelOf(closes), parsed, undefined).map((column) => [...column]);
}

describe('rules worked by hand', () => {
  it('trend: above the mean of the last three closes', () => {
    // Means from row 2 on: 2, 3, 3.33, 2.67.
    const [positions] = positionsOf('trend', [[1, 2, 3, 4, 3, 1]], {
      bars: 3,
      volatilityTargetPct: 0,
    });
    expect(positions).toEqual([NaN, NaN, 1, 1, 0, 0]);
  });

  it('time-series momentum: the sign of the return of two bars', () => {
    const [positions] = positionsOf('time-series-momentum', [[10, 11, 12, 9, 12, 8]], {
      bars: 2,
      volatilityTargetPct: 0,
    });
    expect(positions).toEqual([NaN, NaN, 1, -1, 0, -1]);
  });

  it('a volatility target scales by weighted deviation, in steps', () => {
    // Returns .1, -.1, .1 (half-life 1: weights 1/4, 1/2, 1): mean .0428571, sum of squares .0146939... by hand:
    // weighted mean m = (.025 - .05 + .1) / 1.75 = .0428571; sum w (x - m)^2 = .0142857;
    // sample variance = .0142857 / (1.75 - 1.3125 / 1.75) = .0142857; deviation .119523, yearly x sqrt(365) = 2.28349.
    // Aim 57 % of it: .5 of 114.2 % is 1.142 / 2.28349 = .50011, to the nearest .1: .5.
    const [positions] = positionsOf('trend', [[100, 110, 99, 108.9]], {
      bars: 1,
      volatilityTargetPct: 114.2,
      volatilityHalfLife: 1,
      step: 0,
    });
    // A mean of one bar is the close itself: never above it.
    expect(positions[3]).toBe(0);
    const [momentum] = positionsOf('time-series-momentum', [[100, 110, 99, 108.9]], {
      bars: 1,
      volatilityTargetPct: 114.2,
      volatilityHalfLife: 1,
      step: 0,
    });
    expect(momentum[3]).toBeCloseTo(1.142 / (Math.sqrt(0.0142857142857) * Math.sqrt(365)), 6);
  });

  it('donchian: in above the highest of two closes, out below the lowest of one', () => {
    const [positions] = positionsOf('donchian', [[1, 2, 3, 3, 4, 3.5, 3.6]], { entryBars: 2, exitBars: 1 });
    expect(positions).toEqual([NaN, NaN, 1, 1, 1, 0, 0]);
  });

  it('moving averages: fast above slow', () => {
    // Fast (1) is the close, slow (3): 2, 3, 3.33, 2.67.
    const [positions] = positionsOf('ma-cross', [[1, 2, 3, 4, 3, 1]], { fastBars: 1, slowBars: 3 });
    expect(positions).toEqual([NaN, NaN, 1, 1, 0, 0]);
  });

  it('volatility breakout: a rise beyond the mean range of the bars before', () => {
    // Ranges 0, 1, 1, 3, 0, 0 (mean of two before row 3: 1); row 3 rises by 3 > 1: in for two bars.
    const [positions] = positionsOf('volatility-breakout', [[10, 11, 10, 13, 13, 13]], {
      rangeBars: 2,
      multiple: 1,
      holdBars: 2,
    });
    expect(positions).toEqual([NaN, NaN, 0, 1, 1, 0]);
  });

  it('RSI: in when oversold, out in the middle', () => {
    // Wilder with 2 bars: changes -1, -1 seed up 0, down 1: RSI 0; +3: up 1.5, down .5: RSI 75.
    const [positions] = positionsOf('rsi-reversion', [[10, 9, 8, 11, 11]], { bars: 2, entry: 30, exit: 55 });
    expect(positions).toEqual([NaN, NaN, 1, 0, 0]);
  });

  it('Bollinger: in below the band, out at the mean', () => {
    // Last three of 10, 10, 7: mean 9, deviation 1.414; one deviation below is 7.59 > 7: in. Then 7, 9.5: mean 8.83 <= 9.5.
    const [positions] = positionsOf('bollinger-reversion', [[10, 10, 10, 7, 9.5]], {
      bars: 3,
      deviations: 1,
    });
    expect(positions).toEqual([NaN, NaN, 0, 1, 0]);
  });

  it('cross-section: the best long, the worst short, held until the next ranking', () => {
    // Of five, percent ranks .2 and 1 are held: returns on day 2 are 9 %, 0, -11 %, 0, -1 %.
    const closes = [
      [10, 11, 12, 20],
      [10, 10, 10, 10],
      [10, 9, 8, 30],
      [10, 10, 10, 10],
      [10, 10.5, 10.4, 1],
    ];
    const params = { bars: 1, everyBars: 2, share: 0.2 };
    const momentum = positionsOf('cross-sectional-momentum', closes, params);
    // Ranked on days 0 (no past yet) and 2; the gross position is the whole account of five equal allotments.
    expect(momentum.map((column) => column.slice(2))).toEqual([
      [1, 1],
      [0, 0],
      [-1, -1],
      [0, 0],
      [0, 0],
    ]);
    const reversal = positionsOf('cross-sectional-reversal', closes, params);
    expect(reversal[0].slice(2)).toEqual([-1, -1]);
    expect(reversal[2].slice(2)).toEqual([1, 1]);
  });

  it('pairs: sells the dear leg, buys the cheap one, and waits until the spread is back', () => {
    const found = rule('pairs');
    const params = found.params.parse({ entry: 2, exit: 0, stop: 4 });
    // ln y = .5 ln x + spread, deviation .01; spreads in deviations: 0, 2.5, 1, -.1, -2, -1, 4.5, 3, 1, 2.2.
    const scores = [0, 2.5, 1, -0.1, -2.1, -1, 0.1, 4.5, 3, 1, 2.2];
    const x = scores.map((_, row) => 100 + row);
    const y = x.map((price, row) => Math.sqrt(price) * Math.exp(0.01 * scores[row]));
    const fitted = {
      tested: 2,
      pairs: [{ y: 0, x: 1, hedgeRatio: 0.5, intercept: 0, deviation: 0.01, pValue: 0.01, halfLifeBars: 5 }],
    };
    const [ofY, ofX] = found.positions(panelOf([y, x]), params, fitted);
    // Short at 2.5, back at -.1; long at -2.1, back at .1; given up at 4.5, and again possible from 1 on.
    expect([...ofY]).toEqual([0, -1, -1, 0, 1, 1, 0, 0, 0, 0, -1]);
    expect([...ofX]).toEqual([0, 0.5, 0.5, 0, -0.5, -0.5, 0, 0, 0, 0, 0.5]);
  });

  it('pairs: finds the pair that belongs together on the training bars, and no other', () => {
    const random = createRandom(4);
    let [first, stray, spread] = [0, 0, 0];
    const closes: number[][] = [[], [], []];
    for (let row = 0; row < 600; row++) {
      first += 0.01 * normal(random);
      stray += 0.01 * normal(random);
      spread = 0.8 * spread + 0.004 * normal(random);
      closes[0].push(100 * Math.exp(first));
      closes[1].push(50 * Math.exp(0.7 * first + spread));
      closes[2].push(10 * Math.exp(stray));
    }
    const found = rule('pairs');
    const { pairs, tested } = found.fitted?.fit(panelOf(closes), found.params.parse({})) as {
      pairs: { y: number; x: number; hedgeRatio: number; deviation: number; halfLifeBars: number }[];
      tested: number;
    };
    expect(tested).toBe(6);
    expect(pairs).toHaveLength(1);
    const [{ y, x, hedgeRatio, halfLifeBars }] = pairs;
    expect([y, x].sort()).toEqual([0, 1]);
    expect(y === 1 ? hedgeRatio : 1 / hedgeRatio).toBeCloseTo(0.7, 1);
    // ln 2 / -ln .8 = 3.1 bars.
    expect(halfLifeBars).toBeGreaterThan(2);
    expect(halfLifeBars).toBeLessThan(5);
  });

  it('PCA: the factors, s-scores and positions of an independent computation', () => {
    const golden = JSON.parse(
      readFileSync(new URL('../../../golden/strategy/pca-reversion.json', import.meta.url), 'utf8'),
    ) as {
      closes: number[][];
      factors: number[][];
      explained: number;
      firstRow: number;
      scores: (number | null)[][];
      positions: number[][];
    };
    const panel = panelOf(golden.closes);
    const found = rule('pca-reversion');
    const params = found.params.parse({ window: golden.firstRow });
    const fitted = found.fitted?.fit(panel, params) as { factors: number[][]; explained: number };
    expect(fitted.explained).toBeCloseTo(golden.explained, 12);
    fitted.factors.forEach((factor, j) =>
      factor.forEach((value, s) => expect(value).toBeCloseTo(golden.factors[j][s], 9)),
    );
    const returns = golden.closes.map((close) =>
      Float64Array.from(close, (price, row) => (row === 0 ? NaN : price / close[row - 1] - 1)),
    );
    const factorReturns = golden.factors.map((weights) =>
      returns[0].map((_, row) => weights.reduce((sum, weight, s) => sum + weight * returns[s][row], 0)),
    );
    golden.scores.forEach((scores, i) =>
      scores.forEach((score, s) => {
        const seen = residualProcess(returns[s], factorReturns, golden.firstRow + i, golden.firstRow);
        if (score === null) expect(seen).toBeUndefined();
        else expect(seen?.score).toBeCloseTo(score, 9);
      }),
    );
    const positions = found.positions(panel, params, fitted);
    golden.positions.forEach((wanted, i) =>
      wanted.forEach((value, s) => expect(positions[s][golden.firstRow + i]).toBeCloseTo(value, 9)),
    );
  });

  it('funding carry: short while longs pay', () => {
    const panel = panelOf([[1, 1, 1, 1, 1, 1]]);
    const [series] = panel.series;
    const paid = {
      ...panel,
      series: [
        {
          ...series,
          features: {
            names: ['funding_mean_21'],
            columns: [Float64Array.from([0, 4e-4, 2e-4, 0.5e-4, -4e-4, NaN])],
          },
        },
      ],
    };
    const carry = rule('funding-carry');
    const [positions] = carry.positions(paid, carry.params.parse({}), undefined);
    expect([...positions]).toEqual([0, -1, -1, 0, 1, 1]);
  });

  it('calendar: in the market in the planted hour, decided the hour before', () => {
    const hours = 168 * 12;
    let price = 100;
    const close = Array.from({ length: hours }, (_, i) => {
      // Hour 5 of the week always rises by 1 %, all others swing by .1 % without direction.
      price *= i % 168 === 5 ? 1.01 : Math.floor(i / 168) % 2 === 0 ? 1.001 : 1 / 1.001;
      return price;
    });
    const panel = panelOf([close], '1h');
    const found = rule('calendar');
    const params = found.params.parse({});
    const fitted = found.fitted?.fit(panel, params);
    const [positions] = found.positions(panel, params, fitted);
    const held = [...positions].flatMap((at, row) => (at !== 0 ? [row % 168] : []));
    expect(new Set(held)).toEqual(new Set([4]));
  });
});

describe.each(quantRules.map((one) => [one.id, one] as const))('%s', (_, one) => {
  const params = one.params.parse({});
  const walks = fc.array(
    fc.array(fc.double({ min: -0.08, max: 0.08, noNaN: true }), { minLength: 130, maxLength: 130 }),
    { minLength: 4, maxLength: 4 },
  );
  const panelFrom = (moves: readonly (readonly number[])[], scale = 1): Panel =>
    panelOf(
      moves.map((column) => {
        let price = 64 * scale;
        return column.map((move) => (price *= 1 + Math.round(move * 1024) / 1024));
      }),
    );
  const run = (panel: Panel, fitted: unknown): readonly Float64Array[] =>
    one.positions(panel, params, fitted);

  it('stays within the account, looks only back, and does not know the price level', () => {
    fc.assert(
      fc.property(walks, fc.integer({ min: 1, max: 130 }), (moves, cut) => {
        const panel = panelFrom(moves);
        const fitted = one.fitted?.fit(panel, params);
        const whole = run(panel, fitted);
        for (const column of whole)
          for (const position of column)
            if (!Number.isNaN(position)) expect(Math.abs(position)).toBeLessThanOrEqual(1);
        const short = run(panelUntil(panel, cut * DAY), fitted);
        short.forEach((column, s) => expect(column).toEqual(whole[s].slice(0, cut)));
        // A power of two changes no bit of a ratio.
        expect(run(panelFrom(moves, 8), fitted)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  it('has parameters with defaults that survive JSON', () => {
    expect(one.params.parse(JSON.parse(JSON.stringify(params)))).toEqual(params);
  });
});
