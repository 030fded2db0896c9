import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { applyRule } from '../../../src/core/strategy/apply.ts';
import type { Edge } from '../../../src/core/strategy/edge.ts';
import { actionOf, describeReason } from '../../../src/core/strategy/reason.ts';
import { findStrategy, strategies } from '../../../src/core/strategy/registry.ts';
import type { Rule, Setting, Situation, Strategy } from '../../../src/core/strategy/strategy.ts';
import { runningVolatility } from '../../../src/core/strategy/volatility.ts';
import { parseSymbol } from '../../../src/core/market/symbol.ts';

const skilled: Edge = {
  slope: 0.8,
  error: 0.2,
  low: 0.3,
  high: 1.3,
  samples: 5000,
  persistence: 0.9,
  deviation: 0.01,
  horizonBars: 4,
};
const setting: Setting = { cost: 0.0015, allowShort: true, edge: skilled };
const blank: Situation = {
  held: 0,
  horizonBars: 4,
  position: NaN,
  confidence: 1,
  probabilityUp: NaN,
  expectedReturn: NaN,
  lowQuantile: NaN,
  medianQuantile: NaN,
  highQuantile: NaN,
  volatility: 0.006,
  calmest: 0.006,
};

const rule = (id: string, params: object = {}, over: Partial<Setting> = {}): Rule => {
  const strategy: Strategy = findStrategy(id);
  return strategy.prepare(strategy.params.parse(params), { ...setting, ...over });
};

describe('cost-aware', () => {
  it('does not trade for an edge below the cost, and says both figures', () => {
    const { target, reason } = rule('cost-aware')({ ...blank, expectedReturn: 0.0005 });
    expect(target).toBe(0);
    expect(describeReason(reason)).toBe('edge 4 bp < cost 30 bp: stay flat');
  });

  it('says that shorts are not allowed where only that keeps it flat', () => {
    const flat = (id: string, expectedReturn: number) => {
      const { target, reason } = rule(id, {}, { allowShort: false })({ ...blank, expectedReturn });
      expect(target).toBe(0);
      return describeReason(reason);
    };
    expect(flat('cost-aware', -0.05)).toBe(
      'edge 400 bp down >= cost 30 bp, and shorts are not allowed: stay flat',
    );
    expect(flat('cost-aware', -0.0005)).toBe('edge 4 bp down < cost 30 bp: stay flat');
    expect(flat('sign', -0.05)).toBe('median -0.05 against 0, and shorts are not allowed: stay flat');
    const { reason } = rule(
      'threshold',
      {},
      { allowShort: false },
    )({
      ...blank,
      probabilityUp: 0.2,
      confidence: 0.9,
    });
    expect(describeReason(reason)).toBe(
      'probability 0.2 against 0.35, and shorts are not allowed: stay flat',
    );
  });

  it('says from which edge on opening pays where edge and cost alone do not explain the action', () => {
    const open = (expectedReturn: number, over: object, allowShort = true) => {
      const setup = { edge: { ...skilled, ...over }, allowShort };
      const { target, reason } = rule('cost-aware', {}, setup)({ ...blank, expectedReturn });
      return { target, says: describeReason(reason) };
    };
    // Twice as many bars as the horizon has are still to come, and what is bought may be held for them.
    const lasting = { persistence: 0.95 };
    const opened = open(0.0036, lasting);
    expect(opened.target).toBeGreaterThan(0);
    expect(opened.says).toMatch(
      /^edge 28\.8 bp < cost 30 bp, but such a signal outlasts its horizon and pays from [\d.]+ bp on: open$/,
    );
    const paysFrom = Number(/from ([\d.]+) bp/.exec(opened.says)?.[1]);
    expect(open((0.99 * paysFrom) / 8000, lasting)).toMatchObject({ target: 0 });
    expect(open((1.01 * paysFrom) / 8000, lasting).target).toBeGreaterThan(0);
    // Where signals are mostly far larger, a small one is gone before it has paid.
    expect(open(0.0039, { deviation: 0.5 }).says).toMatch(
      /^edge 31.2 bp >= cost 30 bp, but such a signal soon turns and pays from [\d.]+ bp on: stay flat$/,
    );
  });

  it('opens for an edge far above the cost, on its side', () => {
    const decide = rule('cost-aware');
    expect(decide({ ...blank, expectedReturn: 0.05 }).target).toBe(1);
    expect(decide({ ...blank, expectedReturn: -0.05 }).target).toBe(-1);
  });

  it('keeps a position through an edge that would not have opened it', () => {
    const decide = rule('cost-aware');
    const faint = { ...blank, expectedReturn: 0.001 };
    expect(decide(faint).target).toBe(0);
    const kept = decide({ ...faint, held: 0.3 });
    expect(kept.target).toBe(0.3);
    expect(kept.reason).toMatchObject({ kind: 'edge', action: 'hold' });
  });

  it('risk aversion and volatility make positions smaller', () => {
    const seen = { ...blank, expectedReturn: 0.012 };
    const calm = rule('cost-aware', { riskAversion: 40 })(seen).target;
    const wary = rule('cost-aware', { riskAversion: 80 })(seen).target;
    const stormy = rule('cost-aware', { riskAversion: 40 })({ ...seen, volatility: 0.01 }).target;
    expect(wary).toBeLessThan(calm);
    expect(stormy).toBeLessThan(calm);
    expect(stormy).toBeGreaterThan(0);
  });

  it('stays flat without skill, and without a measurement', () => {
    const seen = { ...blank, expectedReturn: 0.05, held: 1 };
    const unskilled = rule('cost-aware', {}, { edge: { ...skilled, low: -0.1 } })(seen);
    expect(unskilled.target).toBe(0);
    expect(describeReason(unskilled.reason)).toBe(
      'no skill out of sample (slope 0.8, 99 % -0.1 .. 1.3): stay flat',
    );
    expect(rule('cost-aware', {}, { edge: undefined })(seen)).toEqual({
      target: 0,
      reason: { kind: 'unmeasured' },
    });
  });
});

describe('threshold', () => {
  it.each([
    // The levels of the published rules: median +-2 % with .6, probability .65/.35 with .7, action +-.3.
    [{ medianQuantile: 0.021, confidence: 0.61 }, 0, 1],
    [{ medianQuantile: 0.021, confidence: 0.59 }, 0, 0],
    [{ medianQuantile: 0.019, confidence: 0.9 }, 0, 0],
    [{ medianQuantile: 0.001, confidence: 0.1 }, 1, 1],
    [{ medianQuantile: -0.001, confidence: 0.1 }, 1, 0],
    [{ medianQuantile: -0.021, confidence: 0.7 }, 1, -1],
    [{ probabilityUp: 0.66, confidence: 0.71 }, 0, 1],
    [{ probabilityUp: 0.64, confidence: 0.9 }, 0, 0],
    [{ probabilityUp: 0.34, confidence: 0.71 }, 0, -1],
    [{ probabilityUp: 0.51, confidence: 0.1 }, 1, 1],
    [{ probabilityUp: 0.49, confidence: 0.1 }, 1, 0],
    [{ position: 0.31, confidence: 0.31 }, 0, 0.31],
    [{ position: 0.29, confidence: 0.29 }, 0, 0],
    [{ position: -0.4, confidence: 0.4 }, 0.5, -0.4],
  ])('%o while holding %f: %f', (seen, held, target) => {
    expect(rule('threshold')({ ...blank, ...seen, held }).target).toBe(target);
  });
});

describe('quantile', () => {
  it.each([
    [{ lowQuantile: 0.004, medianQuantile: 0.01, highQuantile: 0.02 }, 0, 1],
    [{ lowQuantile: 0.002, medianQuantile: 0.01, highQuantile: 0.02 }, 0, 0],
    [{ lowQuantile: -0.002, medianQuantile: 0.001, highQuantile: 0.02 }, 1, 1],
    [{ lowQuantile: -0.002, medianQuantile: -0.001, highQuantile: 0.02 }, 1, 0],
    [{ lowQuantile: -0.02, medianQuantile: -0.01, highQuantile: -0.004 }, 0, -1],
  ])('%o while holding %f: %f', (seen, held, target) => {
    expect(rule('quantile')({ ...blank, ...seen, held }).target).toBe(target);
  });
});

describe.each(strategies.map((strategy) => [strategy.id, strategy] as const))('%s', (_, strategy) => {
  const number = fc.double({ min: -0.2, max: 0.2, noNaN: true });
  const situation = fc.record({
    held: fc.double({ min: -1, max: 1, noNaN: true }),
    horizonBars: fc.constant(4),
    position: fc.double({ min: -1, max: 1, noNaN: false }),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    probabilityUp: fc.double({ min: 0, max: 1, noNaN: false }),
    expectedReturn: fc.oneof(number, fc.constant(NaN)),
    lowQuantile: number.map((value) => value - 0.01),
    medianQuantile: fc.oneof(number, fc.constant(NaN)),
    highQuantile: number.map((value) => value + 0.01),
    volatility: fc.double({ min: 1e-4, max: 0.2, noNaN: true }),
    calmest: fc.constant(1e-4),
  });
  const prepared = (over: Partial<Setting> = {}): Rule =>
    strategy.prepare(strategy.params.parse({}), { ...setting, ...over });

  it('wants at most all of the capital, and nothing below zero where short sales are not allowed', () => {
    const [both, long] = [prepared(), prepared({ allowShort: false })];
    fc.assert(
      fc.property(situation, (seen) => {
        const [{ target }, only] = [both(seen), long({ ...seen, held: Math.abs(seen.held) })];
        return (
          (Number.isNaN(target) || Math.abs(target) <= 1) && (Number.isNaN(only.target) || only.target >= 0)
        );
      }),
    );
  });

  it('decides the same for the same, and keeps what it decided when nothing changes', () => {
    const decide = prepared();
    fc.assert(
      fc.property(situation, (seen) => {
        const first = decide(seen);
        expect(decide(seen)).toEqual(first);
        if (Number.isNaN(first.target)) return;
        // A rule that wants to move on at once would trade back and forth for nothing.
        const again = decide({ ...seen, held: first.target }).target;
        expect(again).toBeCloseTo(first.target, 12);
      }),
    );
  });

  it('does not look ahead: a shorter history gives the same targets', () => {
    const rows = 60;
    const column = fc.float64Array({ minLength: rows, maxLength: rows, min: -0.1, max: 0.1, noNaN: true });
    fc.assert(
      fc.property(column, column, fc.integer({ min: 1, max: rows }), (returns, moves, cut) => {
        const forecast = (n: number): Forecast => ({
          symbol: parseSymbol('BTC/USDT'),
          horizonBars: 4,
          position: returns.slice(0, n).map(Math.sign),
          confidence: returns.slice(0, n).map((value) => Math.min(1, 10 * Math.abs(value))),
          expectedReturn: returns.slice(0, n),
          probabilityUp: returns.slice(0, n).map((value) => 0.5 + 4 * value),
        });
        const close = (n: number): Float64Array => {
          let price = 100;
          return moves.slice(0, n).map((move) => (price *= 1 + move));
        };
        const run = (n: number): Float64Array =>
          applyRule(prepared(), forecast(n), runningVolatility({ close: close(n) }));
        expect(run(cut)).toEqual(run(rows).slice(0, cut));
      }),
    );
  });

  it('reads on from what is held as if it had never stopped', () => {
    const position = Float64Array.from({ length: 80 }, (_, i) => Math.sin(i / 5));
    const forecast: Forecast = {
      symbol: parseSymbol('BTC/USDT'),
      horizonBars: 4,
      position,
      confidence: position.map(Math.abs),
      expectedReturn: position.map((value) => value * 0.05),
    };
    const volatility = new Float64Array(80).fill(0.01);
    const whole = applyRule(prepared(), forecast, volatility);
    const resumed = applyRule(prepared(), forecast, volatility, { fromRow: 40, held: whole[39] });
    expect(resumed.subarray(40)).toEqual(whole.subarray(40));
  });
});

it('the scale of the price does not matter: volatility is relative', () => {
  const close = Float64Array.from({ length: 100 }, (_, i) => 100 + Math.sin(i));
  const scaled = close.map((price) => price * 4096);
  expect(runningVolatility({ close: scaled })).toEqual(runningVolatility({ close }));
});

it('running volatility is the weighted root mean square of past changes', () => {
  // Changes of one size have that size as their deviation, whatever the weights.
  const close = Float64Array.from({ length: 30 }, (_, i) => 1.01 ** i);
  const volatility = runningVolatility({ close });
  expect(volatility[19]).toBeNaN();
  expect(volatility[20]).toBeCloseTo(0.01, 12);
});

it.each([
  [0, 0, 'stay-flat'],
  [0.5, 0.5, 'hold'],
  [0, 1, 'open'],
  [1, 0, 'close'],
  [1, -1, 'reverse'],
  [0.5, 1, 'add'],
  [-1, -0.5, 'reduce'],
] as const)('from %f to %f is to %s', (held, target, action) => {
  expect(actionOf(held, target)).toBe(action);
});

it('an unknown strategy is answered with the nearest one', () => {
  expect(() => findStrategy('cost-awre')).toThrow(UserError);
});
