import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { SPOT_RULES } from '../../core/trading/rules.ts';
import type { Config } from './schema.ts';

/**
 * The `trading` section as rules of the execution core for so many symbols; what has no setting takes the
 * pessimistic choice. Without `maxPositionPct` every symbol may use an equal share of the allowed exposure.
 */
export function executionRules(trading: Config['trading'], symbols: number): ExecutionRules {
  const { trailingStopPct, trailingActivationPct, delistedAfterHours, ...others } = trading;
  const { amountStep: _, minNotional: __, ...settings } = others;
  return {
    ...SPOT_RULES,
    ...settings,
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
