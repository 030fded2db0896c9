import type { PairSymbol } from '../../core/market/symbol.ts';
import type { ExitRules } from '../../core/trading/exit-rules.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { MODELLED_IMPACT, SPOT_RULES } from '../../core/trading/rules.ts';
import type { Config } from './schema.ts';

/**
 * The sections `trading` and `exits` as rules of the execution core for so many symbols; what has no setting takes the
 * pessimistic choice. Without `maxPositionPct` every symbol may use an equal share of the allowed exposure.
 */
export function executionRules(
  { trading, exits }: Pick<Config, 'trading' | 'exits'>,
  symbols: number,
): ExecutionRules {
  const { trailingStopPct, trailingActivationPct, delistedAfterHours, ...others } = trading;
  const { amountStep: _, minNotional: __, slippageBps, impactFactor, participationPct, ...settings } = others;
  return {
    ...SPOT_RULES,
    ...settings,
    slippageBps: slippageBps ?? SPOT_RULES.slippageBps,
    impact:
      slippageBps === undefined ? { ...MODELLED_IMPACT, factor: impactFactor, participationPct } : undefined,
    maxPositionPct: settings.maxPositionPct ?? settings.maxExposurePct / symbols,
    maxVolumeSharePct: settings.maxVolumeSharePct,
    stopLossPct: settings.stopLossPct,
    takeProfitPct: settings.takeProfitPct,
    delistedAfterMs: delistedAfterHours === 0 ? undefined : delistedAfterHours * 3_600_000,
    trailingStop:
      trailingStopPct === undefined
        ? undefined
        : {
            distancePct: trailingStopPct,
            activationPct: trailingActivationPct,
            from: 'extreme',
            ratchet: 'next-bar',
          },
    exits: exitRules(exits),
  };
}

function exitRules({
  maxMinutes,
  breakEvenPct,
  breakEvenLockPct,
  timedTargets,
  ...exits
}: Config['exits']): ExitRules | undefined {
  const { atrBars, stopLossAtr, takeProfitAtr, trailingStopAtr, maxBars, partialTargets } = exits;
  const single = [stopLossAtr, takeProfitAtr, trailingStopAtr, maxBars, maxMinutes, breakEvenPct];
  const none = single.every((value) => value === undefined);
  if (none && partialTargets.length === 0 && timedTargets.length === 0) return undefined;
  return {
    atrBars,
    stopLossAtr,
    takeProfitAtr,
    trailingStopAtr,
    breakEven:
      breakEvenPct === undefined ? undefined : { triggerPct: breakEvenPct, lockPct: breakEvenLockPct },
    maxBars,
    maxHeldMs: maxMinutes === undefined ? undefined : maxMinutes * 60_000,
    partialTargets,
    timedTargets: timedTargets.map(({ afterMinutes, pct }) => ({ afterMs: afterMinutes * 60_000, pct })),
  };
}

/** The `risk` section; `undefined` when nothing in it is set. */
export function riskRules(risk: Config['risk']): RiskRules | undefined {
  const limits = {
    maxDrawdownPct: risk.maxDrawdownPct,
    maxDailyLossPct: risk.maxDailyLossPct,
    maxTradePct: risk.maxTradePct,
    maxOrdersPerMinute: risk.maxOrdersPerMinute,
    priceCollarPct: risk.priceCollarPct,
    minBalance: risk.minBalance,
  };
  const none = risk.protections.length === 0 && Object.values(limits).every((value) => value === undefined);
  return none ? undefined : { ...limits, protections: risk.protections };
}

/** Instruments as the settings describe them, for runs that do not ask an exchange. */
export const configuredInstruments = (
  trading: Config['trading'],
  symbols: readonly PairSymbol[],
): readonly Instrument[] =>
  symbols.map((symbol) => ({
    symbol,
    amountStep: trading.amountStep,
    priceTick: 0,
    minNotional: trading.minNotional,
  }));
