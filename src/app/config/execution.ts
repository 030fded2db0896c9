import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { ExitRules } from '../../core/trading/exit-rules.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { MODELLED_IMPACT, SPOT_RULES } from '../../core/trading/rules.ts';
import { accountRules, requireSpot } from './account.ts';
import { entryRules } from './entry.ts';
import type { Config } from './schema.ts';

/** Longest pause between polls of the exchange, for a session of this timeframe. */
export const pollIntervalMs = ({ paper }: Pick<Config, 'paper'>, timeframe: Timeframe): number =>
  1000 * (paper.intervalSecondsOf[timeframe] ?? paper.intervalSeconds);

/**
 * The sections `trading` and `exits` as rules of the execution core for so many symbols; what has no
 * setting takes the pessimistic choice. Without `maxPositionPct` every symbol may use an equal share of the allowed exposure.
 */
export function executionRules({ trading, exits }: Trading, symbols: number): ExecutionRules {
  const { trailingStopPct, trailingActivationPct, delistedAfterHours, delistingHaircutPct, ...others } =
    trading;
  const {
    amountStep: _,
    minNotional: __,
    priceTick: ___,
    latencyBars: ____,
    latencyMs: _____,
    account: ______,
    members: _______,
    ...costs
  } = others;
  const { slippageBps, impactFactor, maxHalfSpreadBps, participationPct, feeTiers, ...settings } = costs;
  return {
    ...SPOT_RULES,
    ...settings,
    account: accountRules(trading.account),
    entry: entryRules(trading.entry),
    priority: trading.priority.length === 0 ? undefined : trading.priority,
    feeTiers,
    feeBps: feeTiers?.[0].takerBps ?? settings.feeBps,
    slippageBps: slippageBps ?? SPOT_RULES.slippageBps,
    impact:
      slippageBps === undefined
        ? { ...MODELLED_IMPACT, factor: impactFactor, maxHalfSpreadBps, participationPct }
        : undefined,
    maxPositionPct: settings.maxPositionPct ?? settings.maxExposurePct / symbols,
    maxVolumeSharePct: settings.maxVolumeSharePct,
    stopLossPct: settings.stopLossPct,
    takeProfitPct: settings.takeProfitPct,
    delistedAfterMs: delistedAfterHours === 0 ? undefined : delistedAfterHours * 3_600_000,
    // Named only where it is asked for: what a rule is called in the ledger of trials hangs on its settings.
    ...(delistingHaircutPct > 0 && { delistingHaircutPct }),
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

type Trading = Pick<Config, 'trading' | 'exits'>;

/** The same for live trading, whose orders are those of `execution`. Throws `UserError` where `trading.entry` asks for others. */
export function marketRules(config: Trading, symbols: number): ExecutionRules {
  if (config.trading.entry.kind !== 'market')
    throw new UserError(
      `trading.entry.kind is "${config.trading.entry.kind}", and live trading has orders of its own.`,
      {
        hint: 'Set trading.entry.kind to market; execution.restSeconds lets live orders rest before they pay the spread.',
      },
    );
  return executionRules(config, symbols);
}

/** Bars by which a decision fills later than at the next open: those that are asked for, and those that pass in the time. */
export const latencyBars = ({ latencyBars: late, latencyMs }: Config['trading'], barMs: number): number =>
  late + Math.ceil(latencyMs / barMs);

/** The same for `what`, such as `paper`, that trades spot accounts only and refuses another by name. */
export function spotRules(config: Trading, symbols: number, what: string): ExecutionRules {
  requireSpot(config.trading.account, what);
  return executionRules(config, symbols);
}

/** What models are trained and scored under: the same costs on a spot account and at the market, whatever account and orders trade them. */
export function trainingRules(config: Trading, symbols: number): ExecutionRules {
  const rules = executionRules(config, symbols);
  const { maxExposurePct, maxPositionPct } = rules;
  return {
    ...rules,
    account: undefined,
    entry: undefined,
    maxExposurePct: Math.min(100, maxExposurePct),
    maxPositionPct: Math.min(100, maxPositionPct),
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
    priceTick: trading.priceTick,
    minNotional: trading.minNotional,
  }));
