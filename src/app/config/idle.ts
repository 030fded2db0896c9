import type { LoadedConfig } from './load.ts';
import type { Config } from './schema.ts';

/** Settings that somebody has set and that change nothing beside the others, each as a sentence. */
export function idleSettings(
  { trading, exits }: Config,
  settings: LoadedConfig['settings'],
): readonly string[] {
  const set = new Set(settings.filter(({ origin }) => origin !== 'default').map(({ path }) => path));
  const isSet = (...values: readonly unknown[]): boolean => values.some((value) => value !== undefined);
  const byRange = isSet(exits.stopLossAtr, exits.takeProfitAtr, exits.trailingStopAtr);
  const stops = isSet(
    trading.stopLossPct,
    trading.trailingStopPct,
    exits.stopLossAtr,
    exits.trailingStopAtr,
    exits.breakEvenPct,
  );
  const takesProfit =
    isSet(trading.takeProfitPct, exits.takeProfitAtr) ||
    exits.partialTargets.length + exits.timedTargets.length > 0;
  const leaves = stops || takesProfit || isSet(exits.maxBars, exits.maxMinutes);
  const rules: readonly (readonly [setting: string, works: boolean, needs: string])[] = [
    ['trading.trailingActivationPct', trading.trailingStopPct !== undefined, 'trading.trailingStopPct'],
    ['trading.intrabarOrder', stops && takesProfit, 'a stop and a target'],
    ['trading.reentry', leaves, 'a stop, a target or another exit'],
    ['trading.impactFactor', trading.slippageBps === undefined, 'trading.slippageBps to be left out'],
    ['trading.maxHalfSpreadBps', trading.slippageBps === undefined, 'trading.slippageBps to be left out'],
    ['trading.delistingHaircutPct', trading.delistedAfterHours > 0, 'trading.delistedAfterHours above 0'],
    ['trading.participationPct', trading.slippageBps === undefined, 'trading.slippageBps to be left out'],
    ['trading.entry.offsetPct', trading.entry.kind !== 'market', 'trading.entry.kind: limit or stop'],
    ['trading.entry.parts', trading.entry.kind === 'limit', 'trading.entry.kind: limit'],
    ['trading.entry.bars', trading.entry.kind !== 'market', 'trading.entry.kind: limit or stop'],
    ['trading.entry.postOnly', trading.entry.kind === 'limit', 'trading.entry.kind: limit'],
    ['exits.atrBars', byRange, 'a distance in ATR'],
    ['exits.breakEvenLockPct', isSet(exits.breakEvenPct), 'exits.breakEvenPct'],
  ];
  return rules
    .filter(([setting, works]) => set.has(setting) && !works)
    .map(([setting, , needs]) => `${setting} has no effect: it needs ${needs}.`);
}
