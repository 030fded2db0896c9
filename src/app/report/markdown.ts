import { plainText } from '../../core/foundation/plain-text.ts';
import { confidence } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { forecastLines } from '../../lab/backtest/forecast-text.ts';
import { outcomeLines, trialsText, verdicts } from '../../lab/backtest/verdicts.ts';
import { costWords, entryWords } from './cost-words.ts';
import { figureRows, settingRows } from './provenance.ts';
import { STRATEGY_HEAD, strategyRows } from './strategies.ts';
import { band, day, figure } from './text.ts';

/** A backtest as Markdown: what a page says in words and tables. */
export function renderMarkdown(result: Backtest, about: Provenance): string {
  const { ensemble, benchmark, setting, market } = result;
  const sure = confidence(ensemble, setting.barsPerYear, about.trials);
  const warnings = [
    ...(about.synthetic ? ['SYNTHETIC candles: these figures say nothing about any market.'] : []),
    ...about.warnings,
  ];
  const lines = [
    ...outcomeLines(result),
    ...verdicts(result),
    ...forecastLines(result.forecasts),
    trialsText(about.trials),
  ];
  return `${[
    `# Backtest ${escaped(about.symbols.join(', '))} ${escaped(about.timeframe)}`,
    ...warnings.map((warning) => `> **${escaped(warning)}**`),
    `${escaped(about.exchange)}, ${day(about.fromMs)} to ${day(about.untilMs)} UTC, ${market.time.length} bars. By ${escaped(about.trainedBy)}. Decisions at a close ${entryWords(setting.rules)}; ${costWords(setting.rules)}.`,
    `Return **${figure(ensemble.metrics.totalReturnPct)} %** (95 % CI ${band(sure.totalReturnPct95)}) against ${figure(benchmark.metrics.totalReturnPct)} % of ${escaped(benchmark.strategy.name)}; Sharpe ${figure(ensemble.metrics.sharpe, 2)} (95 % CI ${band(sure.sharpe95)}), deepest drawdown ${figure(ensemble.metrics.maxDrawdownPct)} %, ${ensemble.metrics.tradeCount} trades.`,
    '## Every strategy on its own',
    table(STRATEGY_HEAD, strategyRows(result, about)),
    '## How far to trust it',
    ...lines.map(escaped),
    '## Figures and their conventions',
    table(
      ['figure', ensemble.strategy.name, benchmark.strategy.name, 'how it is computed'],
      figureRows(result),
    ),
    '## Where the numbers come from',
    table(['setting', 'value'], settingRows(result, about)),
  ].join('\n\n')}\n`;
}

/** Text that no reader of Markdown takes for markup: HTML, links, emphasis, a cell's end. */
const escaped = (text: string): string =>
  plainText(text)
    .replace(/\n/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_[\]|~>#]/g, '\\$&');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => (cell === '---' ? cell : escaped(cell))).join(' | ')} |`)
    .join('\n');
