import { type Panel, panelWithin } from '../src/core/dataset/panel.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import type { Forecast } from '../src/core/forecast/model.ts';
import { decidePaths, measureSkill } from '../src/core/strategy/decide.ts';
import { chooseStrategy } from '../src/core/strategy/registry.ts';
import { knowVolatility, marketVolatility } from '../src/core/strategy/volatility.ts';
import {
  combineForecasts,
  continueEnsemble,
  type EnsembleMember,
  type EnsembleState,
} from '../src/learning/ensemble/combine.ts';
import { chooseEnsemble } from '../src/learning/ensemble/registry.ts';
import { driftingWalk } from '../tests/support/planted.ts';
import { type BenchRow, medianMs } from './bench.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
const situation = {
  held: 0.4,
  horizonBars: 4,
  position: NaN,
  confidence: NaN,
  probabilityUp: NaN,
  lowQuantile: NaN,
  medianQuantile: NaN,
  highQuantile: NaN,
};
const MEMBERS = 20;
const BARS = 17_520;

/** What combining and deciding cost, forecasts given: 20 members that each know a little. */
export async function run(): Promise<readonly BenchRow[]> {
  const random = createRandom(5);
  const worlds = SYMBOLS.map((symbol, seed) => ({
    symbol,
    ...driftingWalk(BARS, { startMs: START, seed, noise: 0.006, drift: 0.002, persistence: 0.9 }),
  }));
  const panel: Panel = {
    timeframe: '1h',
    series: worlds.map(({ symbol, candles }) => ({ symbol, candles, features: { names: [], columns: [] } })),
  };
  const members = Array.from({ length: MEMBERS }, (_, m): EnsembleMember => ({
    id: `model-${m}`,
    kind: 'classical',
    forecasts: worlds.map(({ symbol, drift }): Forecast => {
      const expectedReturn = drift.map((value) => 3 * (value + 0.003 * normal(random)));
      return {
        symbol,
        horizonBars: 4,
        position: expectedReturn.map(Math.sign),
        confidence: expectedReturn.map((value) => Math.min(1, 50 * Math.abs(value))),
        expectedReturn,
      };
    }),
  }));
  const measured = { fromMs: START + 2000 * HOUR, untilMs: START + 4000 * HOUR };
  const spans = [{ fromMs: measured.untilMs, measured }];
  const choice = chooseEnsemble('enhanced', {});
  const { learned } = combineForecasts(panel, members, choice, { spans });
  const terms = { ...chooseStrategy('cost-aware', {}), cost: 0.0015, allowShort: false };
  const decide = (fromMs: number, state?: EnsembleState): void => {
    const combined = continueEnsemble(panel, members, choice, { learned, fromMs, state });
    decidePaths(panel, combined.forecasts, terms, { spans: [{ fromMs, asOfMs: START, edge }] });
  };
  const edge = measureSkill(panel, combineForecasts(panel, members, choice, { spans }).forecasts, measured);
  const learning = await medianMs(() => combineForecasts(panel, members, choice, { spans }), 3);
  const whole = await medianMs(() => decide(START), 5);
  const newestMs = START + (BARS - 1) * HOUR;
  const { state } = continueEnsemble(panel, members, choice, { learned, fromMs: START, state: undefined });
  // What a session lays out for a new bar: see desk/paper/standing.ts.
  const recent = panelWithin(panel, { fromMs: newestMs - 2 * HOUR, untilMs: Infinity });
  const said = members.map((member) => ({
    ...member,
    forecasts: member.forecasts.map((forecast) => ({
      ...forecast,
      position: forecast.position.slice(-3),
      confidence: forecast.confidence.slice(-3),
      expectedReturn: forecast.expectedReturn?.slice(-3) ?? new Float64Array(3),
    })),
  }));
  const volatility = marketVolatility(panel).volatility.map((column) => column.slice(-3));
  const live = await medianMs(() => {
    const seen = { ...recent, series: [...recent.series] };
    knowVolatility(seen, volatility);
    const combined = continueEnsemble(seen, said, choice, { learned, fromMs: newestMs, state });
    decidePaths(seen, combined.forecasts, terms, { spans: [{ fromMs: newestMs, asOfMs: START, edge }] });
  }, 501);
  const rule = terms.strategy.prepare(terms.params, { cost: terms.cost, allowShort: false, edge });
  const seen = { ...situation, expectedReturn: 0.002, volatility: 0.006, calmest: 0.006 };
  const asked = await medianMs(() => {
    for (let i = 0; i < 1000; i++) rule(seen);
  }, 51);
  return [
    {
      name: `combining and deciding 3 x ${BARS} bars with ${MEMBERS} members`,
      value: whole,
      unit: 'ms',
      target: '<= 150 ms',
    },
    {
      name: 'one bar of one symbol in that',
      value: (1000 * whole) / (SYMBOLS.length * BARS),
      unit: 'us',
      target: '<= 50 us',
      note: 'a share of the run above',
    },
    {
      name: `the newest bar of 3 symbols alone, as a session combines and decides it, behind ${BARS} others`,
      value: 1000 * live,
      unit: 'us',
      target: '<= 50 us',
    },
    {
      name: 'a decision of the strategy on what the members came to',
      value: asked,
      unit: 'us',
      target: '<= 50 us',
    },
    {
      name: 'learning what 20 members count for on 2 000 bars, five parts each, and all of the above',
      value: learning,
      unit: 'ms',
      note: 'once a session, once a fold',
    },
  ];
}
