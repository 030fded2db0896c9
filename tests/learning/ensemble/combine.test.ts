import { describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { measureSkill } from '../../../src/core/strategy/decide.ts';
import {
  combineForecasts,
  continueEnsemble,
  type EnsembleMember,
  type EnsembleState,
} from '../../../src/learning/ensemble/combine.ts';
import { shownWeights } from '../../../src/learning/ensemble/adaptive.ts';
import { forecastEnsemble } from '../../../src/learning/ensemble/equal-weight.ts';
import { chooseEnsemble, ensembles, priorWeights } from '../../../src/learning/ensemble/registry.ts';
import { driftingWalk } from '../../support/planted.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const BARS = 3000;
const at = (row: number): number => START + row * HOUR;
const symbols = ['BTC/USDT', 'ETH/USDT'] as const;
const worlds = symbols.map((symbol, seed) => ({
  symbol,
  ...driftingWalk(BARS, { startMs: START, seed, noise: 0.006, drift: 0.002, persistence: 0.9 }),
}));
const panel: Panel = {
  timeframe: '1h',
  series: worlds.map(({ symbol, candles }) => ({
    symbol,
    candles,
    features: { names: [], columns: [] },
  })),
};
const spans = [{ fromMs: at(1500), measured: { fromMs: at(500), untilMs: at(1500) } }];
const random = createRandom(3);

/** Knows the drift, in whatever unit it states it; the rest is noise of its own. */
const member = (
  id: string,
  states: 'return' | 'probability' | 'position',
  {
    signal = 1,
    noise = 0,
    kind = 'classical',
  }: {
    readonly signal?: number;
    readonly noise?: number;
    readonly kind?: EnsembleMember['kind'];
  } = {},
): EnsembleMember => ({
  id,
  kind,
  forecasts: worlds.map(({ symbol, drift }): Forecast => {
    const belief = drift.map((value) => signal * value + noise * normal(random));
    const position = belief.map((value) => Math.max(-1, Math.min(1, value / 0.004)));
    return {
      symbol,
      horizonBars: states === 'position' ? 1 : 4,
      position,
      confidence: position.map(Math.abs),
      ...(states === 'return' && { expectedReturn: belief.map((value) => 3 * value) }),
      ...(states === 'probability' && { probabilityUp: belief.map((value) => 0.5 + 20 * value) }),
    };
  }),
});
const choose = (id: string, params: Record<string, unknown> = {}) => chooseEnsemble(id, params);
const combine = (members: readonly EnsembleMember[], id = 'enhanced', params = {}) =>
  combineForecasts(panel, members, choose(id, params), { spans });

const reader = member('ridge', 'return');
const network = member('lstm-cnn', 'probability', { kind: 'deep' });
const agent = member('ppo', 'position', { kind: 'agent' });
const guesser = member('tft', 'return', { signal: 0, noise: 0.002, kind: 'deep' });

describe('the enhanced ensemble', () => {
  it('begins with the prior; groups divide theirs among members, absent models theirs among all', () => {
    const facts = ['ppo', 'dqn', 'tft', 'boosted-trees', 'ridge'].map((id) => ({
      id,
      kind: ['ppo', 'dqn'].includes(id) ? ('agent' as const) : ('deep' as const),
    }));
    expect([...priorWeights({ agent: 30, tft: 25, trees: 5 }, facts)]).toEqual([
      15 / 60,
      15 / 60,
      25 / 60,
      5 / 60,
      0,
    ]);
    expect([...priorWeights({ gru: 1 }, facts)]).toEqual([0.2, 0.2, 0.2, 0.2, 0.2]);
    // The 40 of an absent model go to all five alike.
    expect([...priorWeights({ gru: 40, tft: 60 }, facts)]).toEqual([0.08, 0.08, 0.68, 0.08, 0.08]);
  });

  it.each([
    ['a probability', network],
    ['a position', agent],
  ])('makes a return of %s, measured on bars that no fit has seen', (_, one) => {
    const { forecasts, learned } = combine([one]);
    expect(learned.horizonBars).toBe(one.forecasts[0].horizonBars);
    const edge = measureSkill(panel, forecasts, { fromMs: at(1500), untilMs: at(BARS) });
    // An honest forecaster has a slope of 1; its interval must hold it, and not 0.
    expect(edge?.low).toBeGreaterThan(0.3);
    expect(edge?.high).toBeGreaterThan(1);
  });

  it('leaves out who has no skill, says so, and makes the rest sum to 1', () => {
    const { learned, shares } = combine([agent, guesser, network]);
    expect(learned.leftOut).toEqual([{ id: 'tft', reason: 'no skill on bars it was not fitted on' }]);
    for (const [, series] of shares.entries()) {
      expect(series[1].every((value) => value === 0 || Number.isNaN(value))).toBe(true);
      for (let row = 1500; row < BARS; row++)
        expect(series.reduce((sum, column) => sum + column[row], 0)).toBeCloseTo(1, 12);
    }
  });

  it('leaves out who has no opinion in a bar, for that bar alone', () => {
    const silent: EnsembleMember = {
      ...agent,
      forecasts: agent.forecasts.map((one) => ({
        ...one,
        position: one.position.map((value, row) => (row === 2000 ? NaN : value)),
      })),
    };
    const { shares } = combine([silent, network]);
    expect(shares[0].map((column) => column[2000])).toEqual([0, 1]);
    expect(shares[0][0][2001]).toBeGreaterThan(0);
  });

  it('gives twins together about what one of them had', () => {
    const twin = { ...network, id: 'cnn-lstm' };
    const prior = { 'lstm-cnn': 1, 'cnn-lstm': 1, ridge: 1 };
    const other = member('ridge', 'return', { noise: 0.004 });
    const params = { prior, weights: 'fixed' };
    const weights: number[][] = [];
    combineForecasts(panel, [network, twin, other], choose('enhanced', params), {
      spans,
      onBar: (_, now) => weights.push([...now]),
    });
    const [first, second, third] = weights[0];
    expect(first).toBeCloseTo(second, 12);
    expect(first + second).toBeLessThan(1.6 * third);
  });

  it('when nobody has skill, everybody speaks and the whole is measured to have none', () => {
    const { learned, forecasts } = combine([guesser]);
    expect(learned.leftOut).toEqual([]);
    expect(measureSkill(panel, forecasts, spans[0].measured)?.low).toBeLessThan(0);
  });

  it('begins with what was shown as far as errors do not explain it, and then follows what is earned', () => {
    /** As good as the other on the measured bars, and then without any skill. */
    const fading = member('momentum-garch', 'return', { noise: 0.001 });
    const lost = member('momentum-garch', 'return', { signal: 0, noise: 0.003 });
    const faded: EnsembleMember = {
      ...fading,
      forecasts: fading.forecasts.map((one, s) => {
        const column = (name: 'position' | 'confidence' | 'expectedReturn') =>
          one.position.map((_, row) => (row < 1500 ? one : lost.forecasts[s])[name]?.[row] ?? NaN);
        return {
          ...one,
          position: column('position'),
          confidence: column('confidence'),
          expectedReturn: column('expectedReturn'),
        };
      }),
    };
    const params = { prior: { 'momentum-garch': 1, ridge: 1 }, halfLifeDays: 40 };
    const weights: number[][] = [];
    combineForecasts(panel, [faded, reader], choose('enhanced', params), {
      spans,
      onBar: (_, now) => weights.push([...now]),
    });
    expect(weights[0][0]).toBeGreaterThan(0.2);
    expect(weights[40][0]).toBe(weights[0][0]);
    expect(weights[1400][0]).toBeLessThan(weights[0][0] - 0.1);
  });

  it('moves the prior to evidence as far as voters differ by more than errors of 1', () => {
    const prior = Float64Array.of(1, 0, 0);
    // Alike: the spread of 2, 2, 2 is 0. Each counts with 1 - 1 / t^2 = .75 of itself, which changes no proportion.
    expect([...shownWeights(prior, [2, 2, 2])]).toEqual([1, 0, 0]);
    // Spread of 2, 6, 7: 7; moved 6 / 7. Squares 4, 36, 49 of 89: (1/7 + 6/7 * 4/89) * 3/4; 6/7 * 36/89 * 35/36; 6/7 * 49/89 * 48/49.
    const raw = [
      (1 / 7 + (6 / 7) * (4 / 89)) * 0.75,
      (6 / 7) * (36 / 89) * (35 / 36),
      (6 / 7) * (49 / 89) * (48 / 49),
    ];
    const total = raw[0] + raw[1] + raw[2];
    shownWeights(prior, [2, 6, 7]).forEach((weight, m) => expect(weight).toBeCloseTo(raw[m] / total, 12));
    // Nobody is surer than chance: the prior.
    expect([...shownWeights(prior, [0.9, 0.2, -3])]).toEqual([1, 0, 0]);
  });

  it('takes the evidence of a model over the bars that it speaks of, where these are fewer', () => {
    // Both say the same of the first bar alone; one names it, the other four, of which three are noise.
    const quick = (horizonBars: number): EnsembleMember => ({
      id: `over ${horizonBars}`,
      kind: 'classical',
      forecasts: panel.series.map(({ symbol, candles: { open } }) => {
        const told = open.map(
          (_, row) => Math.log((open[row + 2] ?? NaN) / open[row + 1]) + 0.006 * normal(random),
        );
        return {
          symbol,
          horizonBars,
          position: told.map(Math.sign),
          confidence: told.map(() => 1),
          expectedReturn: told,
        };
      }),
    });
    let seen: readonly number[] = [];
    const { method, params } = choose('stacking');
    combineForecasts(
      panel,
      [quick(1), quick(4), quick(4)],
      {
        method: {
          ...method,
          weigh: (own, shown) => {
            seen = shown.evidence;
            return method.weigh(own, shown);
          },
        },
        params,
      },
      { spans },
    );
    // 2000 bars of two symbols at a correlation near .7: about sqrt(2000) * .7 / sqrt(1 - .5) over one, half of that over four.
    expect(seen[0]).toBeGreaterThan(1.5 * seen[1]);
    expect(seen[1]).toBeGreaterThan(5);
  });

  it('takes confidence against what is usual for each model, not against other models', () => {
    const timidOne: EnsembleMember = {
      ...network,
      forecasts: network.forecasts.map((one) => ({
        ...one,
        confidence: one.confidence.map((value) => value / 10),
      })),
    };
    const weights = (one: EnsembleMember) => {
      const { shares } = combine([reader, one], 'enhanced', {
        weights: 'fixed',
        prior: { ridge: 1, 'lstm-cnn': 1 },
      });
      return shares[0].map((column) => column.slice(1500));
    };
    const [timid, plain] = [weights(timidOne), weights(network)];
    timid.forEach((column, m) =>
      column.forEach((share, row) => expect(share).toBeCloseTo(plain[m][row], 12)),
    );
  });
});

describe.each(ensembles.map(({ id }) => [id]))('%s', (id) => {
  const members = [member('ridge', 'return', { noise: 0.002 }), network, agent, guesser];

  it('sees nothing of the future: later bars change no earlier row', () => {
    const cut = 2200;
    const shorter = (one: Float64Array): Float64Array => one.slice(0, cut);
    const early: Panel = {
      ...panel,
      series: panel.series.map((one) => ({
        ...one,
        candles: {
          time: shorter(one.candles.time),
          open: shorter(one.candles.open),
          high: shorter(one.candles.high),
          low: shorter(one.candles.low),
          close: shorter(one.candles.close),
          volume: shorter(one.candles.volume),
        },
      })),
    };
    const cutMembers = members.map((one) => ({
      ...one,
      forecasts: one.forecasts.map((forecast) => ({
        ...forecast,
        position: shorter(forecast.position),
        confidence: shorter(forecast.confidence),
        ...(forecast.expectedReturn && { expectedReturn: shorter(forecast.expectedReturn) }),
        ...(forecast.probabilityUp && { probabilityUp: shorter(forecast.probabilityUp) }),
      })),
    }));
    const whole = combine(members, id).forecasts;
    const part = combineForecasts(early, cutMembers, choose(id), { spans }).forecasts;
    part.forEach((forecast, s) => {
      expect(forecast.position).toEqual(whole[s].position.slice(0, cut));
      expect(forecast.expectedReturn).toEqual(whole[s].expectedReturn?.slice(0, cut));
    });
  });

  it('has skill where its members have', () => {
    const edge = measureSkill(panel, combine(members, id).forecasts, { fromMs: at(1500), untilMs: at(BARS) });
    expect(edge?.low).toBeGreaterThan(0);
  });
});

describe.each([['adaptive'], ['hedge'], ['fixed-share']])('a session with %s weights', (weights) => {
  it('goes on from any bar as if it had never stopped', () => {
    const members = [member('ridge', 'return', { noise: 0.002 }), network, agent];
    const params = { weights };
    const states = new Map<number, { weights: number[]; state: EnsembleState | undefined }>();
    const whole = combineForecasts(panel, members, choose('enhanced', params), {
      spans,
      onBar: (time, now, state) => states.set(time, { weights: [...now], state }),
    });
    for (const row of [1500, 1501, 1777, 2400]) {
      const later = new Map<number, number[]>();
      const { forecasts } = continueEnsemble(panel, members, choose('enhanced', params), {
        learned: whole.learned,
        fromMs: at(row + 1),
        // As it is read back from a ledger.
        state: JSON.parse(JSON.stringify(states.get(at(row))?.state)) as EnsembleState,
        onBar: (time, now) => later.set(time, [...now]),
      });
      expect(later.get(at(2900))).toEqual(states.get(at(2900))?.weights);
      forecasts.forEach((one, s) =>
        expect(one.position.subarray(row + 1)).toEqual(whole.forecasts[s].position.subarray(row + 1)),
      );
    }
  });
});

it('equal weights are the plain mean of all voters', () => {
  const members = [reader, network, guesser];
  const { forecasts } = combine(members, 'equal');
  expect(forecasts[0]).toEqual(forecastEnsemble(members.map((one) => one.forecasts[0])));
});

it('labels of the measured bars end before the first decision', () => {
  // Everything that only labels beyond the first decision could teach is turned around.
  const truth = panel.series.map(({ candles }) => forwardReturns(candles, '1h', 4));
  const one = member('ridge', 'return');
  const turned: EnsembleMember = {
    ...one,
    forecasts: one.forecasts.map((forecast, s) => ({
      ...forecast,
      expectedReturn: truth[s].map((value, row) =>
        row >= 1500 - 4 ? -value : (forecast.expectedReturn?.[row] ?? NaN),
      ),
    })),
  };
  const coefficients = [one, turned].map((each) => combine([each]).learned.coefficients[0]);
  expect(coefficients[1]).toBe(coefficients[0]);
});
