import { z } from 'zod';
import { shrinkage } from './edge.ts';
import type { Decision, Rule, Setting, Situation, Strategy } from './strategy.ts';

const common = {
  most: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('No position is larger than this share of what is allotted to the symbol'),
  band: z
    .number()
    .min(0)
    .default(0.25)
    .describe(
      'A position on the right side is left alone while it is off by no more than this share of its size',
    ),
};

/** How large positions are that a strategy wants: `sizing` in config.yaml, or among the parameters of a strategy. */
export const Sizing = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('fixed'),
    share: z.number().positive().max(1).describe('Of what is allotted to the symbol'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('volatility'),
    barPct: z.number().positive().describe('Wanted deviation of the return of one bar, in percent'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('kelly'),
    fraction: z
      .number()
      .positive()
      .max(1)
      .default(0.25)
      .describe('Of the position that makes wealth grow fastest, were the shrunk edge the truth'),
    ...common,
  }),
  z.strictObject({ kind: z.literal('confidence'), ...common }),
  z.strictObject({ kind: z.literal('equal-risk'), ...common }),
]);
export type Sizing = z.output<typeof Sizing>;

/**
 * The strategy with its positions multiplied by a size in [0, `most`]. It sees what is held in units of the present size, so that it
 * decides as it would alone; like every strategy it keeps no state. `params` are its own, as parsed.
 */
export const withSizing = (strategy: Strategy, params: unknown, sizing: Sizing): Strategy => ({
  ...strategy,
  restsOnSkill: strategy.restsOnSkill === true || sizing.kind === 'kelly',
  prepare: (_, setting) => sizedRule(strategy.prepare(params, setting), sizing, setting),
});

function sizedRule(rule: Rule, sizing: Sizing, setting: Setting): Rule {
  const { most, band } = sizing;
  const inner = { ...NOTHING };
  return (seen): Decision => {
    const size = Math.min(most, sizeOf(sizing, seen, setting));
    if (Number.isNaN(size)) return { target: NaN, reason: { kind: 'no-opinion' } };
    const { held } = seen;
    const units = size === 0 ? 0 : held / size;
    Object.assign(inner, seen);
    inner.held = Math.min(1, Math.max(-1, units));
    const { target, reason } = rule(inner);
    if (target === units) return { target: held, reason };
    const wanted = target * size + 0;
    const near = wanted * held > 0 && Math.abs(wanted - held) <= band * Math.abs(wanted);
    return { target: near ? held : wanted, reason };
  };
}

/** At least 0; `NaN`: what it rests on is not known. */
function sizeOf(sizing: Sizing, seen: Situation, { edge }: Setting): number {
  switch (sizing.kind) {
    case 'fixed':
      return sizing.share;
    case 'volatility':
      // Moreira & Muir 2017 scale by the inverse of the last month's variance; this, as is common, by that of the deviation.
      return sizing.barPct / 100 / seen.volatility;
    case 'kelly': {
      // Kelly 1956 for small normal returns: mean over variance, here of the return over the horizon.
      if (edge === undefined) return 0;
      const mean = shrinkage(edge) * Math.abs(seen.expectedReturn);
      return (sizing.fraction * mean) / (seen.volatility ** 2 * seen.horizonBars);
    }
    case 'confidence':
      return seen.confidence;
    case 'equal-risk':
      // Inverse volatility: a full position of each symbol moves the account by what one of the calmest does.
      return seen.calmest / seen.volatility;
  }
}

const NOTHING: Situation = {
  held: 0,
  horizonBars: 1,
  position: NaN,
  confidence: NaN,
  probabilityUp: NaN,
  expectedReturn: NaN,
  lowQuantile: NaN,
  medianQuantile: NaN,
  highQuantile: NaN,
  volatility: NaN,
  calmest: NaN,
};
