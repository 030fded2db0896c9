import type { Confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { countReasons, type Provenance } from '../../lab/backtest/document.ts';
import { outcomeLines, trialsText, verdicts } from '../../lab/backtest/verdicts.ts';
import { escapeHtml, type Section } from './page.ts';
import { figure } from './text.ts';

/** What was tested of the result, in sentences. */
export function renderTrust(result: Backtest, about: Provenance, sure: Confidence): Section {
  const { ensemble } = result;
  const rejected = Object.entries(countReasons(ensemble.run.rejections));
  const lines = [
    ...outcomeLines(result),
    ...verdicts(result),
    `${sure.bars} bars and ${sure.trades} closed trades.`,
    ...(ensemble.sample === undefined ? [] : significance(sure)),
    ...(rejected.length > 0
      ? [
          `Orders that could not trade: ${rejected.map(([reason, count]) => `${count} ${reason}`).join(', ')}.`,
        ]
      : []),
    ...(about.missingBars > 0 ? [`${about.missingBars} bars are missing; nothing trades across a gap.`] : []),
    trialsText(about.trials),
  ];
  return {
    id: 'trust',
    title: 'How far to trust it',
    body: lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n'),
  };
}

function significance(sure: Confidence): readonly string[] {
  return [
    `Standard error of the Sharpe ratio: ${figure(sure.sharpeStandardError, 2)}.`,
    `Probability that the true Sharpe ratio is above zero: ${figure(sure.probabilisticSharpe, 3)}; above what the best of ${sure.effectiveTrials} bets without skill would show: ${figure(sure.deflatedSharpe, 3)} (as published, over all ${sure.trials} rules as they came out: ${figure(sure.deflatedSharpeAllTrials, 3)}).`,
    sure.minimumTrackRecordDays === undefined
      ? 'No track record, however long, would make a ratio that is not above zero significant.'
      : `Days of such returns needed to tell it from zero at 95 %: ${figure(sure.minimumTrackRecordDays, 0)}.`,
  ];
}
