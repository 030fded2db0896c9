import { z } from 'zod';
import { searchRanges } from '../forecast/search-range.ts';
import { type Edge, shrinkage } from './edge.ts';
import { noTradeRegion, type NoTradeRegion } from './no-trade-region.ts';
import { actionOf } from './reason.ts';
import { allowed, barred, type Decision, type Strategy } from './strategy.ts';

const Params = z.strictObject({
  riskAversion: z
    .number()
    .positive()
    .default(3)
    .describe('Weight of variance against expected return, both per bar; 1 is the full Kelly position')
    .register(searchRanges, { low: 1, high: 30, log: true }),
  costMultiple: z
    .number()
    .min(0)
    .default(1)
    .describe('Costs count this many times: above 1 asks for more than breaking even')
    .register(searchRanges, { low: 0.5, high: 3 }),
});
type Params = z.output<typeof Params>;

/**
 * Holds what maximises expected return less risk less the cost of getting there. The stated return is shrunk by the
 * forecaster's slope out of sample, so that one without skill stays flat.
 */
export const costAware: Strategy<Params> = {
  id: 'cost-aware',
  summary: 'trades only when the expected gain exceeds the cost of the trade',
  source: 'Davis & Norman 1990; Garleanu & Pedersen 2013; no-trade-region.ts says how',
  params: Params,
  restsOnSkill: true,
  prepare: ({ riskAversion, costMultiple }, setting) => {
    const { edge } = setting;
    const cost = setting.cost * costMultiple;
    if (edge === undefined) return () => ({ target: 0, reason: { kind: 'unmeasured' } });
    const shrunk = shrinkage(edge);
    if (shrunk === 0) {
      const { slope, low, high } = edge;
      return () => ({ target: 0, reason: { kind: 'no-skill', slope, low, high } });
    }
    const bars = reach(edge.persistence, edge.horizonBars);
    const perBar = shrunk / bars;
    const signal = { persistence: edge.persistence, deviation: edge.deviation * perBar };
    const region = regionOf(edge, cost, () => noTradeRegion(signal, cost));
    const costBps = 2e4 * cost;
    const opensAtBps = 1e4 * bars * region.opensAt;
    return (seen): Decision => {
      const { held, expectedReturn, volatility } = seen;
      if (Number.isNaN(expectedReturn) || !(volatility > 0))
        return { target: NaN, reason: { kind: 'no-opinion' } };
      const f = expectedReturn * perBar;
      const risk = riskAversion * volatility * volatility;
      const buyTo = allowed(region.buyUpTo(f) / risk, setting);
      const down = region.sellDownTo(f) / risk;
      const sellTo = allowed(down, setting);
      const target = held < buyTo ? buyTo : held > sellTo ? sellTo : held;
      const edgeBps = 1e4 * expectedReturn * shrunk;
      const short = barred(edgeBps <= -costBps ? edgeBps : down, setting);
      const explained =
        held !== 0 || short.noShorts === true || Math.abs(edgeBps) >= costBps === (target !== 0);
      return {
        target,
        reason: {
          kind: 'edge',
          action: actionOf(held, target),
          edgeBps,
          costBps,
          ...(!explained && Number.isFinite(opensAtBps) && { opensAtBps }),
          ...short,
        },
      };
    };
  },
};

const worked = new WeakMap<Edge, Map<number, NoTradeRegion>>();

/** Worked out once for an edge, which never changes: a session asks for it at every bar. */
function regionOf(edge: Edge, cost: number, work: () => NoTradeRegion): NoTradeRegion {
  const known = worked.get(edge) ?? new Map<number, NoTradeRegion>();
  worked.set(edge, known);
  const region = known.get(cost) ?? work();
  known.set(cost, region);
  return region;
}

/** Bars' worth of today's signal that a decaying signal pays over the horizon. */
const reach = (persistence: number, bars: number): number =>
  persistence === 1 ? bars : (1 - persistence ** bars) / (1 - persistence);
