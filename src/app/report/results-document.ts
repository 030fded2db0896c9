import { formatMinute } from '../../core/foundation/time.ts';
import { FOLD_HEAD, foldRow } from '../../lab/backtest/folds.ts';
import {
  COVERAGE_HEAD,
  coverageRows,
  FORECAST_HEAD,
  forecastLines,
  forecastRow,
} from '../../lab/backtest/forecast-text.ts';
import { STRATEGY_HEAD, strategyRow } from '../../lab/backtest/strategy-text.ts';
import { outcomeLines, trialsText, verdicts } from '../../lab/backtest/verdicts.ts';
import type { Results, WindowResult } from '../workflows/results.ts';

/** Every model, strategy and ensemble on every window, as one Markdown document. */
export function resultsDocument({ windows, seed, program, machine, node }: Results): string {
  return `${[
    '# Results',
    'Made by `crypto-trader results`; do not edit. Whatever it says.',
    'Every model is fitted again for every fold, on the bars before it alone, and forecasts the fold; the stitched forecasts are traded by each strategy at the next open, with costs. What a model learned is of the size of `train --mode quick`: a full training may do otherwise, and `backtest --walk-forward` measures it.',
    `Seed ${seed}; program ${program.slice(0, 12)}; ${machine}; Node ${node.replace('v', '')}. Intervals are studentised block bootstraps at 95 %, Sharpe ratios annualised by 365 days, costs in quote currency of 10 000 at the start.`,
    ...windows.flatMap(windowParts),
  ].join('\n\n')}\n`;
}

function windowParts(one: WindowResult): readonly string[] {
  const { window, folds, strategies, embargoBars } = one;
  const [{ about, result }] = strategies;
  const { rules } = result.setting;
  const impact =
    rules.impact === undefined ? `slippage ${rules.slippageBps} bp` : 'slippage by the share of volume taken';
  return [
    `## ${window.symbols.join(', ')}, ${formatMinute(window.sinceMs)} .. ${formatMinute(window.untilMs)}`,
    `${window.timeframe} bars of ${window.exchange}${about.synthetic ? ' (SYNTHETIC)' : ''}, data ${about.dataFingerprint.slice(0, 12)}. ${folds.length} folds from ${formatMinute(folds[0].test.fromMs)} on, ${result.market.time.length} bars out of sample, ${embargoBars} bars of embargo; fee ${rules.feeBps} bp per side, ${impact}.`,
    ...about.warnings.map((warning) => `- ${warning}`),
    '### Forecasts, whatever trading them earned',
    table(FORECAST_HEAD, result.forecasts.map(forecastRow)),
    ...forecastLines(result.forecasts),
    ...coverageParts(coverageRows(result.forecasts)),
    ...strategies.flatMap(strategyParts),
    `### Fold by fold, decided by ${strategies[0].id}`,
    table(FOLD_HEAD, result.folds.map(foldRow)),
    ...auditParts(one),
  ];
}

const coverageParts = (rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0
    ? []
    : ['Adaptive conformal intervals, by the regime of the bar:', table(COVERAGE_HEAD, rows)];

function strategyParts({ id, result, about }: WindowResult['strategies'][number]): readonly string[] {
  const { ensemble, members, benchmark, setting } = result;
  return [
    `### Decided by ${id}`,
    table(
      STRATEGY_HEAD,
      [ensemble, ...members, benchmark].map((one) => strategyRow(one, setting.barsPerYear, about.trials)),
    ),
    [...outcomeLines(result), ...verdicts(result), trialsText(about.trials)]
      .map((line) => `- ${line}`)
      .join('\n'),
  ];
}

function auditParts({ audit: { findings, strategy }, folds }: WindowResult): readonly string[] {
  const failed = findings.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  return [
    '### Audit',
    `Of the models that are fitted in seconds: the first fold, trained up to ${formatMinute(folds[0].train.untilMs)} and tested on everything after it, by every check, those after it by the checks of fitting, and each fold's forecasts against a fresh fit; decided by ${strategy}: ${failed.length === 0 ? 'no check proved it wrong.' : `**proved wrong by ${failed.join(', ')}.**`}`,
    table(
      ['check', 'verdict', 'figure', 'what was found'],
      findings.map(({ check, verdict, figure = '', text }) => [check, verdict, figure, text]),
    ),
  ];
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
