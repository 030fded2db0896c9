import { type Assessment, type Confidence, confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { countReasons, type Provenance } from '../../lab/backtest/document.ts';
import { outcomeLines, returnText, verdicts } from '../../lab/backtest/verdicts.ts';
import { FORECAST_HEAD, forecastLines, forecastRow } from '../../lab/backtest/forecast-text.ts';
import { SEED_HEAD, seedRow } from '../../lab/backtest/seeds.ts';
import type { ModelExplanation } from '../../lab/backtest/sources.ts';
import { markedName } from '../../learning/ensemble/voters.ts';
import { underwater } from '../../core/evaluation/drawdown.ts';
import { CONVENTIONS } from '../../core/evaluation/metrics.ts';
import { CHART_SCRIPT } from './backtest-charts.ts';
import { thin } from './curves.ts';
import { renderExplanations } from './explanations.ts';
import { escapeHtml, renderPage, renderTable } from './page.ts';

/** Enough for any screen, small enough for a mail. */
const CHART_POINTS = 2500;
const TRADE_ROWS = 1000;

/** A backtest as one HTML page that works offline. */
export function renderReport(
  result: Backtest,
  about: Provenance,
  explanations: readonly ModelExplanation[] = [],
): string {
  const title = `Backtest ${about.symbols.join(', ')} ${about.timeframe}`;
  const sure = confidence(result.ensemble, result.setting.barsPerYear, about.trials);
  return renderPage({
    title,
    body: [
      header(title, result, about),
      cards(result, sure),
      `<h2>Equity</h2><p class="faint">Quote currency at bar closes. Click a name in the legend to show or hide its curve.</p><div id="equity" class="chart"></div>`,
      `<h2>Drawdown</h2><div id="drawdown" class="chart"></div>`,
      `<h2>Exposure</h2><div id="exposure" class="chart"></div>`,
      strategies(result, about),
      seeds(result),
      costs(result),
      trust(result, about, sure),
      forecasts(result),
      renderExplanations(explanations),
      metrics(result),
      trades(result),
      provenance(result, about),
    ].join('\n'),
    data: chartData(result),
    script: CHART_SCRIPT,
  });
}

function chartData({ market, ensemble, benchmark, members, setting, costs }: Backtest): object {
  const { initialBalance } = setting.rules;
  const curve = (one: Assessment, looks: object): object => ({
    label: one.strategy.name,
    values: thin(one.run.equity, CHART_POINTS),
    ...looks,
  });
  const percentOf = (values: Float64Array): Float64Array => values.map((value) => 100 * value);
  const depth = ({ run }: Assessment): number[] =>
    thin(percentOf(underwater(run.equity, initialBalance)), CHART_POINTS, 'lowest');
  return {
    time: thin(
      market.time.map((ms) => ms / 1000),
      CHART_POINTS,
    ).map(Math.round),
    equity: [
      curve(ensemble, { main: true }),
      curve(benchmark, { dashed: true }),
      ...members.map((one) => curve(one, { show: one.strategy.kind !== 'baseline' && members.length <= 6 })),
    ],
    drawdown: depth(ensemble),
    benchmarkDrawdown: depth(benchmark),
    exposure: thin(percentOf(ensemble.run.exposure), CHART_POINTS),
    ...(costs !== undefined && {
      costs: {
        bps: costs.points.map(({ costBps }) => costBps),
        returns: costs.points.map(({ totalReturnPct }) => totalReturnPct),
      },
    }),
  };
}

function header(title: string, { market, setting }: Backtest, about: Provenance): string {
  const { feeBps, slippageBps } = setting.rules;
  const warnings = [
    ...(about.synthetic ? ['SYNTHETIC candles: these figures say nothing about any market.'] : []),
    ...about.warnings,
  ];
  return `<h1>${escapeHtml(title)}</h1>
<p class="faint">${escapeHtml(about.exchange)}, ${day(about.fromMs)} to ${day(about.untilMs)} UTC, ${market.time.length} bars. By ${escapeHtml(about.trainedBy)}. Decisions at a close fill at the next open, with ${feeBps} bp fee and ${slippageBps} bp slippage per side.</p>
${warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join('\n')}`;
}

function cards({ ensemble, benchmark, costs }: Backtest, sure: Confidence): string {
  const { metrics, run } = ensemble;
  const paid = run.portfolio.feesQuote + run.portfolio.slippageQuote;
  const card = (name: string, value: string, note: string, tone = ''): string =>
    `<div class="card"><div class="name">${name}</div><div class="value ${tone}">${value}</div><div class="note">${note}</div></div>`;
  const tone = (value: number): string => (value >= 0 ? 'good' : 'bad');
  return `<div class="cards">
${card('Return', ensemble.outcome.kind === 'never-traded' ? 'never traded' : `${returnText(ensemble)} %`, `buy and hold ${figure(benchmark.metrics.totalReturnPct)} %`, tone(metrics.totalReturnPct))}
${card('Sharpe', figure(metrics.sharpe, 2), `95 %: ${band(sure.sharpe95)}`)}
${card('Deepest drawdown', `${figure(metrics.maxDrawdownPct)} %`, `buy and hold ${figure(benchmark.metrics.maxDrawdownPct)} %`)}
${card('Trades', String(metrics.tradeCount), `${figure(metrics.winRatePct, 0)} % won`)}
${card('Fees and slippage', figure(paid, 0), `break-even ${costs?.breakEvenBps === undefined ? '-' : `${costs.breakEvenBps} bp per side`}`)}
${card('Deflated Sharpe', figure(sure.deflatedSharpe, 2), `after ${sure.trials} ${sure.trials === 1 ? 'trial' : 'trials'}`)}
</div>`;
}

function strategies({ ensemble, members, benchmark, setting }: Backtest, about: Provenance): string {
  const rows = [ensemble, ...members, benchmark].map((one) => {
    const sure = confidence(one, setting.barsPerYear, about.trials);
    const { metrics, run } = one;
    return [
      markedName(one.strategy.name, one.strategy.noSkill),
      one.strategy.kind,
      returnText(one),
      band(sure.totalReturnPct95),
      figure(metrics.sharpe, 2),
      band(sure.sharpe95),
      `${figure(metrics.maxDrawdownPct)} %`,
      String(metrics.tradeCount),
      `${figure(metrics.averageExposurePct, 0)} %`,
      figure(run.portfolio.feesQuote + run.portfolio.slippageQuote, 0),
    ];
  });
  const head = [
    'strategy',
    'kind',
    'return %',
    '95 %',
    'Sharpe',
    '95 %',
    'drawdown',
    'trades',
    'exposure',
    'costs',
  ];
  return `<h2>Every strategy on its own</h2>
<p class="faint">Each with all of the capital, the same costs and the same rules. Intervals: studentised block bootstrap of bar returns.</p>
${renderTable(head, rows, { textColumns: [0, 1] })}`;
}

function seeds({ seeds: all }: Backtest): string {
  if (all.length === 0) return '';
  return `<h2>How much is the luck of the seed</h2>
<p class="faint">Mean +- standard deviation when the same models are trained from other seeds. All else on this page is of the first seed, the one that forecasts.</p>
${renderTable(SEED_HEAD, all.map(seedRow))}`;
}

function costs({ costs: curve }: Backtest): string {
  if (curve === undefined) return '';
  return `<h2>What costs take</h2>
<p>Return of the ensemble when fee and slippage together are this much per side.</p>
<div id="costs" class="chart"></div>`;
}

function trust(result: Backtest, about: Provenance, sure: Confidence): string {
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
  ];
  return `<h2>How far to trust it</h2>\n${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}`;
}

function forecasts({ forecasts: all }: Backtest): string {
  if (all.every(({ samples }) => samples === 0)) return '';
  return `<h2>Forecasts as such</h2>
<p class="faint">On the bars of this backtest, whatever trading them earned. ${escapeHtml(forecastLines(all).join(' '))}</p>
${renderTable(FORECAST_HEAD, all.map(forecastRow))}`;
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

function metrics({ ensemble, benchmark }: Backtest): string {
  const names = Object.keys(CONVENTIONS).filter((name) => name in ensemble.metrics);
  const value = (one: Assessment, name: string): string => {
    const found = Object.entries(one.metrics).find(([key]) => key === name)?.[1] as unknown;
    return typeof found === 'number' ? String(Number(found.toPrecision(4))) : '-';
  };
  const convention = new Map(Object.entries(CONVENTIONS));
  const rows = names.map((name) => [
    name,
    value(ensemble, name),
    value(benchmark, name),
    convention.get(name) ?? '',
  ]);
  return `<h2>Figures and their conventions</h2>
${renderTable(['figure', 'ensemble', 'buy and hold', 'how it is computed'], rows, { textColumns: [0, 3] })}`;
}

function trades({ ensemble }: Backtest): string {
  const all = ensemble.run.trades;
  const shown = all.slice(-TRADE_ROWS);
  const rows = shown.map((trade) => [
    trade.symbol,
    trade.side,
    minute(trade.entryTime),
    minute(trade.exitTime),
    String(Number(trade.entryPrice.toPrecision(7))),
    String(Number(trade.exitPrice.toPrecision(7))),
    String(Number(trade.baseAmount.toPrecision(6))),
    figure(trade.feeQuote, 2),
    figure(trade.profitQuote, 2),
    `${figure(trade.profitPct, 2)} %`,
    trade.exit,
  ]);
  const head = [
    'symbol',
    'side',
    'entry',
    'exit',
    'entry price',
    'exit price',
    'amount',
    'fees',
    'profit',
    'profit %',
    'closed by',
  ];
  const left = all.length > shown.length ? ` The last ${shown.length} of ${all.length}.` : '';
  return `<h2>Trades of the ensemble</h2>
<p class="faint">Round trips from flat to flat; amounts in base, fees and profit in quote currency.${left}</p>
<div class="tall">${renderTable(head, rows, { textColumns: [0, 1, 2, 3, 10] })}</div>`;
}

function provenance({ market, setting }: Backtest, about: Provenance): string {
  const rows = [
    [
      'candles',
      `${about.exchange} ${about.symbols.join(', ')} ${about.timeframe}${about.synthetic ? ' (SYNTHETIC)' : ''}`,
    ],
    [
      'range',
      `${new Date(about.fromMs).toISOString()} to ${new Date(about.untilMs).toISOString()}, ${market.time.length} bars`,
    ],
    ['missing bars', String(about.missingBars)],
    ['SHA-256 of the candles', about.dataFingerprint],
    ['models', about.trainedBy],
    ['seed', String(about.seed)],
    ['rules', JSON.stringify(setting.rules)],
  ];
  return `<h2>Where the numbers come from</h2>
<table><tbody>${rows.map(([name, text]) => `<tr><th>${escapeHtml(name)}</th><td><code>${escapeHtml(text)}</code></td></tr>`).join('\n')}</tbody></table>`;
}

const figure = (value: number | undefined, digits = 1): string =>
  value === undefined ? '-' : value.toFixed(digits);
const band = (interval: { readonly low: number; readonly high: number } | undefined): string =>
  interval === undefined ? '-' : `${figure(interval.low)} to ${figure(interval.high)}`;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
