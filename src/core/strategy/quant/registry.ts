import { calendar } from './calendar.ts';
import { crossSectionalMomentum, crossSectionalReversal } from './cross-section.ts';
import { fundingCarry } from './funding-carry.ts';
import { pairs } from './pairs.ts';
import { pcaReversion } from './pca-reversion.ts';
import { bollingerReversion, rsiReversion } from './reversion.ts';
import type { QuantRule } from './rule.ts';
import { donchian, movingAverageCross, timeSeriesMomentum, trend, volatilityBreakout } from './trend.ts';

/** Rules that a person states and reads; each is one function from closed bars to positions. */
export const quantRules: readonly QuantRule[] = [
  trend,
  timeSeriesMomentum,
  donchian,
  movingAverageCross,
  rsiReversion,
  bollingerReversion,
  volatilityBreakout,
  crossSectionalMomentum,
  crossSectionalReversal,
  pairs,
  pcaReversion,
  fundingCarry,
  calendar,
];
