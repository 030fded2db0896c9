import type { Breakdowns, PartOfBars, PartOfTrades } from '../../core/evaluation/breakdown.ts';
import { money } from './money.ts';

/** A result part by part, for people; months and hours are in the lines below and, all of them, in the document. */
export const BREAKDOWN_HEAD = [
  'part',
  'bars',
  'return %',
  'buy and hold %',
  'Sharpe',
  'trades',
  'win %',
  'profit',
];

export function breakdownRows(
  { years, regimes, symbols, sides }: Breakdowns,
  initialBalance: number,
): readonly (readonly string[])[] {
  const trades = [...symbols, ...sides].map((part) => rowOfTrades(part, initialBalance));
  return [...[...years, ...regimes].map(rowOfBars), ...trades];
}

const rowOfBars = ({ part, bars, returnPct, benchmarkReturnPct, sharpe }: PartOfBars): readonly string[] => [
  part,
  String(bars),
  returnPct.toFixed(1),
  benchmarkReturnPct.toFixed(1),
  sharpe?.toFixed(2) ?? '-',
  '',
  '',
  '',
];

const rowOfTrades = (
  { part, tradeCount, winRatePct, profitQuote }: PartOfTrades,
  initialBalance: number,
): readonly string[] => [
  part,
  '',
  '',
  '',
  '',
  String(tradeCount),
  winRatePct?.toFixed(0) ?? '-',
  money(profitQuote, initialBalance),
];

export function breakdownLines(breakdowns: Breakdowns | undefined): readonly string[] {
  if (breakdowns === undefined) return [];
  const { months, hours } = breakdowns;
  const won = months.filter(({ returnPct }) => returnPct > 0).length;
  const byReturn = (parts: readonly PartOfBars[]): readonly PartOfBars[] =>
    parts.toSorted((a, b) => b.returnPct - a.returnPct);
  const [best, worst] = [byReturn(months)[0], byReturn(months)[months.length - 1]];
  const [bestHour, worstHour] = [byReturn(hours)[0], byReturn(hours)[hours.length - 1]];
  return [
    `${won} of ${months.length} months ended above their start: best ${text(best)}, worst ${text(worst)}. By the hour (UTC) of the bar: best ${hour(bestHour)}, worst ${hour(worstHour)}. Regimes go by the 30 days before each bar: the wildest fifth is high volatility, bull and bear moved by more than a deviation.`,
  ];
}

const text = ({ part, returnPct }: PartOfBars): string => `${part} ${returnPct.toFixed(1)} %`;
const hour = (one: PartOfBars): string => text({ ...one, part: `${one.part.padStart(2, '0')}:00` });
