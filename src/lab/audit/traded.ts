import { selectFeatures } from '../../core/dataset/panel.ts';
import type { Candles } from '../../core/market/candles.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { BacktestRun } from '../../core/trading/run.ts';
import type { Setting } from '../backtest/assess.ts';
import { marketOf } from '../backtest/strategies.ts';
import type { Subject } from './subject.ts';

/** The result's decisions on its test bars, traded, and how to trade them otherwise. */
export interface Traded {
  readonly subject: Subject;
  readonly setting: Setting;
  readonly targets: readonly Float64Array[];
  readonly run: BacktestRun;
  again(changes: { rules?: ExecutionRules; targets?: readonly Float64Array[] }): BacktestRun;
  /** What would be decided on other candles, on the rows of `targets`. */
  forecastOn(candles: readonly Candles[]): Promise<readonly Float64Array[]>;
}

export async function tradeSubject(subject: Subject): Promise<Traded> {
  const range = { fromMs: subject.validateUntilMs, untilMs: Infinity };
  const { market, targetsOf } = marketOf(subject.panel, range);
  const setting = { ...subject.setting, market };
  const targetsOn = async (panel: Subject['panel']): Promise<readonly Float64Array[]> => {
    const all = await Promise.all(
      subject.members.map(({ fitted, model, params }) =>
        fitted.forecast(selectFeatures(panel, model.features(params))),
      ),
    );
    return targetsOf(subject.decide(panel, subject.combine(panel, all)));
  };
  const targets = await targetsOn(subject.panel);
  const run = subject.trade(targets, setting);
  return {
    subject,
    setting,
    targets,
    run,
    again: (changes) =>
      subject.trade(changes.targets ?? targets, { ...setting, rules: changes.rules ?? setting.rules }),
    forecastOn: async (candles) => targetsOn(await subject.panelOf(candles)),
  };
}
