import { plainLine } from '../../core/foundation/plain-text.ts';
import type { Difference, EarningDifference, TradeDifferences } from '../workflows/backtest-differences.ts';
import type { BacktestDocument, KeptBacktest } from '../workflows/kept-backtests.ts';
import { curvesOfCsv, printCurves } from './curve-lines.ts';
import type { Output } from './output.ts';
import { less } from './table.ts';

export const LIST_HEAD = [
  'backtest',
  'market',
  'bars from',
  'return %',
  'Sharpe',
  'trades',
  less('pinned', 1),
];

export function listRow(kept: KeptBacktest): readonly string[] {
  if (kept.kind === 'damaged') return [kept.id, 'DAMAGED', '', '', '', '', kept.pin ?? ''];
  const { id, metrics, range } = kept.summary;
  return [
    id,
    marketText(kept.summary),
    range.from.slice(0, 10),
    returnOf(metrics),
    figure(metrics.sharpe, 2),
    figure(metrics.tradeCount, 0),
    kept.pin ?? '',
  ];
}

export const COMPARE_HEAD = [
  'backtest',
  'strategy',
  'bars',
  'return %',
  'hold %',
  'Sharpe',
  'max drawdown %',
  'trades',
];

export const compareRow = ({
  id,
  strategy,
  bars,
  metrics,
  benchmark,
}: BacktestDocument): readonly string[] => [
  id,
  strategy,
  String(bars),
  returnOf(metrics),
  figure(benchmark.totalReturnPct),
  figure(metrics.sharpe, 2),
  figure(metrics.maxDrawdownPct),
  figure(metrics.tradeCount, 0),
];

/** A kept backtest for a person. */
export function showDocument(out: Output, document: BacktestDocument, equity: string): void {
  const { range } = document;
  if (document.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  out.print(
    `${document.id}: ${document.symbols.join(', ')} ${document.timeframe} on ${document.exchange}, ${minute(range.from)} .. ${minute(range.to)}: ${document.bars} bars. By ${document.trainedBy}, strategy ${document.strategy}; ${document.costTerms}.\n`,
  );
  const rows = [
    { name: 'ensemble', metrics: document.metrics },
    ...document.models.map(({ model, metrics }) => ({ name: model, metrics })),
    { name: document.benchmark.name, metrics: document.benchmark },
  ];
  out.table(
    ['strategy', 'return %', 'Sharpe', 'max drawdown %', 'trades', 'win %'],
    rows.map(({ name, metrics }) => [
      name,
      returnOf(metrics),
      figure(metrics['sharpe'], 2),
      figure(metrics['maxDrawdownPct']),
      figure(metrics['tradeCount'], 0),
      figure(metrics['winRatePct'], 0),
    ]),
  );
  out.print('');
  const curves = curvesOfCsv(equity, document.rules.initialBalance, document.benchmark.name);
  printCurves(out, curves);
  for (const line of document.sentences) out.print(line);
}

const MOST_LINES = 20;

/** One difference a line: `trading.feeBps: 10 -> 5`. */
export function differenceLines(all: readonly Difference[], most = MOST_LINES): readonly string[] {
  const shown = all.slice(0, most).map(({ path, a, b }) => `  ${path}: ${valueText(a)} -> ${valueText(b)}`);
  const rest = all.length - shown.length;
  return rest > 0 ? [...shown, `  and ${rest} more: see --json`] : shown;
}

export function tradeLines({ same, onlyA, onlyB, changed }: TradeDifferences): readonly string[] {
  const line = (
    mark: string,
    { symbol, side, entryTime, exitTime, profitPct }: BacktestDocument['trades'][number],
  ) => `  ${mark} ${symbol} ${side} ${minute(entryTime)} .. ${minute(exitTime)} ${profitPct.toFixed(2)} %`;
  if (onlyA.length + onlyB.length + changed.length === 0) return [`Trades: the same ${same}.`];
  const lines = [
    ...onlyA.map((trade) => ({ time: trade.entryTime, lines: [line('-', trade)] })),
    ...onlyB.map((trade) => ({ time: trade.entryTime, lines: [line('+', trade)] })),
    ...changed.map(({ a, b }) => ({ time: a.entryTime, lines: [line('-', a), line('+', b)] })),
  ].sort((a, b) => (a.time < b.time ? -1 : 1));
  const rest = lines.length - MOST_LINES / 2;
  return [
    `Trades: ${same} the same, ${changed.length} entered alike and then different, ${onlyA.length} only in a, ${onlyB.length} only in b. The first that differ (- a, + b):`,
    ...lines.slice(0, MOST_LINES / 2).flatMap((one) => one.lines),
    ...(rest > 0 ? [`  and ${rest} more: see --json`] : []),
  ];
}

/** What b earned more than a, and whether that can be told from nothing. */
export function earningLine({
  bars,
  returnPctPerYear,
  returnInterval,
  sharpe,
  sharpeInterval,
}: EarningDifference): string {
  const signed = (value: number, digits: number): string => `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;
  const within = (interval: { low: number; high: number } | undefined, digits: number): string =>
    interval === undefined
      ? 'no interval: they differ too seldom'
      : `95 %: ${interval.low.toFixed(digits)} .. ${interval.high.toFixed(digits)}`;
  const shown = returnInterval !== undefined && (returnInterval.low > 0 || returnInterval.high < 0);
  return [
    `b less a over the same ${bars} bars: net return ${signed(returnPctPerYear, 1)} % a year (${within(returnInterval, 1)})`,
    ...(sharpe === undefined ? [] : [`, Sharpe ratio ${signed(sharpe, 2)} (${within(sharpeInterval, 2)})`]),
    shown ? '.' : '. That cannot be told from no difference.',
  ].join('');
}

const marketText = ({ symbols, timeframe }: { symbols: readonly string[]; timeframe: string }): string =>
  `${symbols[0]}${symbols.length > 1 ? ` +${symbols.length - 1}` : ''} ${timeframe}`;

/** Hashes by their beginning, as everywhere. */
function valueText(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return plainLine(text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1'), 60);
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** As a finished backtest prints it: an account that was ruined, and no other, ends with nothing. */
const returnOf = (metrics: { readonly totalReturnPct?: unknown }): string =>
  `${metrics.totalReturnPct === -100 ? 'RUINED ' : ''}${figure(metrics.totalReturnPct)}`;

const figure = (value: unknown, digits = 1): string =>
  typeof value === 'number' ? value.toFixed(digits) : '-';
