import type { LoadedConfig } from './load.ts';
import type { Config } from './schema.ts';

/** Settings that somebody has set and that change nothing beside the others, each as a sentence. */
export function idleSettings({ trading }: Config, settings: LoadedConfig['settings']): readonly string[] {
  const set = new Set(settings.filter(({ origin }) => origin !== 'default').map(({ path }) => path));
  const stops = trading.stopLossPct !== undefined || trading.trailingStopPct !== undefined;
  const takesProfit = trading.takeProfitPct !== undefined;
  const rules: readonly (readonly [setting: string, works: boolean, needs: string])[] = [
    ['trading.trailingActivationPct', trading.trailingStopPct !== undefined, 'trading.trailingStopPct'],
    ['trading.intrabarOrder', stops && takesProfit, 'a stop and trading.takeProfitPct'],
    ['trading.reentry', stops || takesProfit, 'a stop or trading.takeProfitPct'],
  ];
  return rules
    .filter(([setting, works]) => set.has(setting) && !works)
    .map(([setting, , needs]) => `${setting} has no effect: it needs ${needs}.`);
}
