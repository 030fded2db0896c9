import { z } from 'zod';
import type { Assessment, Confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { countReasons, type Provenance } from '../../lab/backtest/document.ts';
import { outcomeLines, trialsText, verdicts } from '../../lab/backtest/verdicts.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';
import { range, renderPlot } from './plot.ts';
import { figure } from './text.ts';

/** What was tested of the result, in sentences. */
export function renderTrust(
  result: Backtest,
  about: Provenance,
  sure: Confidence,
  document: object | undefined,
): Section {
  const { ensemble, setting } = result;
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
    body: `${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
${trials(about, ensemble, setting.barsPerYear)}
${audit(about, document)}`,
  };
}

const Audited = z.object({
  audit: z.array(
    z.object({ check: z.string(), verdict: z.string(), figure: z.string().optional(), text: z.string() }),
  ),
});

/** What tried to prove the result wrong, where the document has it. */
function audit({ trainedBy }: Provenance, document: object | undefined): string {
  const found = Audited.safeParse(document);
  const run = /^training run (\S+)$/.exec(trainedBy)?.[1];
  const body = found.success
    ? renderTable(
        ['check', 'verdict', 'figure', 'what was found'],
        found.data.audit.map((one) => [one.check, one.verdict, one.figure ?? '', one.text]),
        { name: 'audit', textColumns: [0, 1, 2, 3], longColumns: [3] },
      )
    : `<p class="faint">Absent: no audit is part of this backtest.${run === undefined ? '' : ` To try to prove the training run wrong: <code>crypto-trader audit ${escapeHtml(run)}</code>`}</p>`;
  return `<h3>Audit</h3>\n${body}`;
}

/** Where this ratio stands among those of all rules that were tried on this market. */
function trials({ trials: all }: Provenance, { sample }: Assessment, barsPerYear: number): string {
  if (all.barSharpes.length < 3) return '';
  const ratios = all.barSharpes.map((ratio) => ratio * Math.sqrt(barsPerYear));
  const own = sample && sample.sharpe * Math.sqrt(barsPerYear);
  const [low, high] = range([...ratios, 0, ...(own === undefined ? [] : [own])]);
  const better = own === undefined ? 0 : ratios.filter((ratio) => ratio > own).length;
  const place = own === undefined ? 'This backtest has no ratio.' : `${better} of them are above this one.`;
  return `<h3>Trials</h3>
<p>Sharpe ratios of the ${ratios.length} measured rules that were tried on this market, each a line; the tall one is this. ${place}</p>
<div class="plots">${renderPlot({
    about: `Sharpe ratios of ${ratios.length} trials, from ${figure(Math.min(...ratios), 2)} to ${figure(Math.max(...ratios), 2)}. ${place}`,
    x: { label: 'annualised Sharpe ratio of a trial', low, high },
    y: { label: '', low: 0, high: 1, format: () => '' },
    draw: ({ x, y }) =>
      `<path class="other" d="${ratios.map((ratio) => `M${x(ratio)} ${y(0)}V${y(0.5)}`).join('')}"/>${own === undefined ? '' : `<path class="this" d="M${x(own)} ${y(0)}V${y(0.95)}"/>`}`,
  })}</div>`;
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
