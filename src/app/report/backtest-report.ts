import { costWords, entryWords } from './cost-words.ts';
import { type Confidence, confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import type { ModelExplanation } from '../../lab/backtest/sources.ts';
import { returnText } from '../../lab/backtest/verdicts.ts';
import { money } from '../../lab/backtest/money.ts';
import { evidenceOf } from './evidence.ts';
import { packCandles } from './pack-candles.ts';
import { renderPeriods } from './periods.ts';
import { CAUSE_WORDS } from './words.ts';
import type { VotesOverTime } from '../../lab/backtest/votes.ts';
import type { Contribution } from '../../lab/backtest/contributions.ts';
import type { ForecastFan } from '../../lab/backtest/fans.ts';
import { renderContributions } from './contributions.ts';
import { thin } from './curves.ts';
import { otherBenchmarks } from '../../lab/backtest/benchmarks.ts';
import { renderBreakdowns } from './breakdowns.ts';
import { renderCosts } from './costs.ts';
import { renderExplanations } from './explanations.ts';
import { renderForecasts } from './forecasts.ts';
import { overTimeCharts, renderOverTime } from './over-time.ts';
import { escapeHtml, renderPage } from './page.ts';
import { renderFigures, renderSettings } from './provenance.ts';
import { renderSeeds, renderStrategies } from './strategies.ts';
import { band, day, figure } from './text.ts';
import { renderTrades, tradeDigits } from './trades.ts';
import { renderTrust } from './trust.ts';

export interface ReportExtras {
  /** What is inside the models. */
  readonly explanations?: readonly ModelExplanation[];
  readonly contributions?: readonly Contribution[] | undefined;
  readonly fans?: readonly ForecastFan[];
  readonly votes?: readonly VotesOverTime[];
  /** Of a backtest that is kept, with its settings, program and machine. */
  readonly document?: object;
}

/** A backtest as one HTML page that works offline. */
export function renderReport(
  result: Backtest,
  about: Provenance,
  { explanations = [], contributions, fans = [], votes = [], document }: ReportExtras = {},
): string {
  const title = `Backtest ${about.symbols.join(', ')} ${about.timeframe}`;
  const sure = confidence(result.ensemble, result.setting.barsPerYear, about.trials);
  const alone = otherBenchmarks(result);
  const symbols = result.setting.instruments.map(({ symbol }) => symbol);
  return renderPage({
    title,
    header: header(title, result, about),
    sections: [
      { id: 'result', title: 'Result', body: cards(result, sure) },
      renderOverTime(result, votes),
      renderPeriods(result),
      renderBreakdowns(result),
      renderStrategies(result, about, alone),
      renderContributions(contributions),
      renderSeeds(result),
      renderTrust(result, about, sure, document),
      renderCosts(result),
      renderTrades(result),
      renderForecasts(result, fans),
      renderExplanations(explanations),
      renderFigures(result),
      renderSettings(result, about, document),
    ],
    data: {
      charts: {
        ...overTimeCharts(result, alone, votes),
        candles: packCandles(symbols, result.market),
        causes: CAUSE_WORDS,
        moneyDigits: tradeDigits(result),
        fans: fans.map(thinFan),
      },
      evidence: evidenceOf(result, about, document),
    },
    script: DRAW_SCRIPT,
  });
}

const DRAW_SCRIPT = `
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const charts = read('charts');
for (const [id, spec] of Object.entries(charts.overTime)) lineChart(document.getElementById(id), spec, charts.time);
const fans = document.getElementById('fans');
if (fans !== null) fanChart(fans, charts.fans);
const figure = document.getElementById('candles');
if (figure !== null) {
  const columns = read('evidence').trades;
  const trades = columns.symbol.map((symbol, i) => ({
    symbol, side: columns.side[i], entry: Date.parse(columns.entryTime[i]) / 1000, exit: Date.parse(columns.exitTime[i]) / 1000,
    entryPrice: columns.entryPrice[i], exitPrice: columns.exitPrice[i], profit: columns.profitQuote[i],
  }));
  const zoomTo = candleChart(figure, charts.candles, trades);
  tradeTable(document.querySelector('table[data-paged]'), columns, (i) => zoomTo(trades[i]));
}
`;

/** To the digits that a screen can show. */
const thinFan = ({ levels, time, quantilesPct, outcomePct }: ForecastFan): object => ({
  levels,
  time: time.map((ms) => ms / 1000),
  quantilesPct: quantilesPct.map((column) => thin(column, column.length, { digits: 4 })),
  outcomePct: thin(outcomePct, outcomePct.length, { digits: 4 }),
});

function header(title: string, { market, setting }: Backtest, about: Provenance): string {
  const warnings = [
    ...(about.synthetic ? ['SYNTHETIC candles: these figures say nothing about any market.'] : []),
    ...about.warnings,
  ];
  return `<h1>${escapeHtml(title)}</h1>
<p class="faint">${escapeHtml(about.exchange)}, ${day(about.fromMs)} to ${day(about.untilMs)} UTC, ${market.time.length} bars. By ${escapeHtml(about.trainedBy)}. Decisions at a close ${entryWords(setting.rules)}; ${costWords(setting.rules)}.</p>
${warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join('\n')}`;
}

function cards({ ensemble, benchmark, costs, setting }: Backtest, sure: Confidence): string {
  const { metrics, run } = ensemble;
  const paid = run.portfolio.feesQuote + run.portfolio.slippageQuote;
  const card = (name: string, value: string, note: string, tone = ''): string =>
    `<dl class="card"><dt>${name}</dt><dd class="value ${tone}">${value}</dd><dd class="note">${note}</dd></dl>`;
  const tone = (value: number): string => (value >= 0 ? 'good' : 'bad');
  return `<div class="cards">
${card('Return', ensemble.outcome.kind === 'never-traded' ? 'never traded' : `${returnText(ensemble)} %`, `buy and hold ${figure(benchmark.metrics.totalReturnPct)} %`, tone(metrics.totalReturnPct))}
${card('Sharpe', figure(metrics.sharpe, 2), `95 % CI: ${band(sure.sharpe95)}`)}
${card('Deepest drawdown', `${figure(metrics.maxDrawdownPct)} %`, `buy and hold ${figure(benchmark.metrics.maxDrawdownPct)} %`)}
${card('Trades', String(metrics.tradeCount), metrics.winRatePct === undefined ? 'none closed' : `${figure(metrics.winRatePct, 0)} % won`)}
${card('Fees and slippage', money(paid, setting.rules.initialBalance), costs?.breakEvenBps === undefined ? 'no break-even cost' : `break-even at ${costs.breakEvenBps} bp per side`)}
${card('Deflated Sharpe', figure(sure.deflatedSharpe, 2), `after ${sure.trials} ${sure.trials === 1 ? 'trial' : 'trials'}`)}
</div>`;
}
