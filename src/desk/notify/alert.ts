import { UserError } from '../../core/foundation/errors.ts';
import { parseSymbol, type PairSymbol } from '../../core/market/symbol.ts';

/** What somebody wants to be told of, in the words of `alertText`. Prices are those at which bars close. */
export type Condition =
  | {
      readonly kind: 'price';
      readonly symbol: PairSymbol;
      readonly side: Side;
      readonly level: number;
    }
  | {
      readonly kind: 'change';
      readonly symbol: PairSymbol;
      /** `moves`: either way. */
      readonly way: 'moves' | 'rises' | 'falls';
      readonly pct: number;
      readonly withinMs: number;
    }
  | {
      readonly kind: 'signal';
      readonly symbol: PairSymbol;
      readonly model: string;
      readonly wanted: 'long' | 'short' | 'flat';
    }
  | {
      readonly kind: 'confidence';
      readonly symbol: PairSymbol;
      readonly model: string;
      readonly side: Side;
      readonly level: number;
    }
  | { readonly kind: 'drawdown'; readonly pct: number }
  | { readonly kind: 'equity'; readonly side: Side; readonly level: number }
  /** Without a pair: no bar at all. */
  | { readonly kind: 'stale'; readonly symbol: PairSymbol | undefined; readonly forMs: number };

type Side = 'above' | 'below';

/** What a condition may look at, as of one moment. `undefined`: not known. */
export interface AlertView {
  /** When it is asked, epoch ms. */
  readonly nowMs: number;
  /** The newest close. */
  readonly close: (symbol: PairSymbol) => number | undefined;
  /** The close at that long before the newest bar's. */
  readonly closeBefore: (symbol: PairSymbol, agoMs: number) => number | undefined;
  /** `ensemble`: the position that the strategy wants, without a confidence. */
  readonly opinion: (
    symbol: PairSymbol,
    model: string,
  ) => { readonly position: number; readonly confidence: number | undefined } | undefined;
  readonly equity: number;
  readonly peakEquity: number | undefined;
  /** When the newest bar of a pair, or of any, closed. */
  readonly lastCloseMs: (symbol: PairSymbol | undefined) => number | undefined;
}

export const ENSEMBLE = 'ensemble';

/** Whether the condition holds, and the figure that says so; `undefined` when what it looks at is not known. */
export function check(
  condition: Condition,
  view: AlertView,
): { readonly holds: boolean; readonly figure: string } | undefined {
  switch (condition.kind) {
    case 'price': {
      const close = view.close(condition.symbol);
      return close === undefined
        ? undefined
        : { holds: compares(close, condition), figure: `close ${amount(close)}` };
    }
    case 'change': {
      const [now, then] = [
        view.close(condition.symbol),
        view.closeBefore(condition.symbol, condition.withinMs),
      ];
      if (now === undefined || then === undefined) return undefined;
      const changePct = percentOf(now / then - 1);
      const along = { moves: Math.abs(changePct), rises: changePct, falls: -changePct }[condition.way];
      return {
        holds: along >= condition.pct,
        figure: `${changePct >= 0 ? '+' : ''}${changePct.toFixed(2)} %, from ${amount(then)} to ${amount(now)}`,
      };
    }
    case 'signal': {
      const said = view.opinion(condition.symbol, condition.model);
      if (said === undefined) return undefined;
      const now = said.position > 0 ? 'long' : said.position < 0 ? 'short' : 'flat';
      return { holds: now === condition.wanted, figure: `position ${percent(said.position)}` };
    }
    case 'confidence': {
      const confidence = view.opinion(condition.symbol, condition.model)?.confidence;
      return confidence === undefined
        ? undefined
        : { holds: compares(confidence, condition), figure: `confidence ${confidence.toFixed(2)}` };
    }
    case 'drawdown': {
      if (view.peakEquity === undefined) return undefined;
      const pct = percentOf(1 - view.equity / view.peakEquity);
      return {
        holds: pct >= condition.pct,
        figure: `equity ${view.equity.toFixed(2)}, ${pct.toFixed(2)} % below its peak of ${view.peakEquity.toFixed(2)}`,
      };
    }
    case 'equity':
      return { holds: compares(view.equity, condition), figure: `equity ${view.equity.toFixed(2)}` };
    case 'stale': {
      const last = view.lastCloseMs(condition.symbol);
      return last === undefined
        ? undefined
        : {
            holds: view.nowMs - last >= condition.forMs,
            figure: `no bar for ${span(Math.max(0, view.nowMs - last))}`,
          };
    }
  }
}

/** To eight digits: from 100 to 105 is 5 %, whatever binary fractions make of it. */
const percentOf = (fraction: number): number => Math.round(1e10 * fraction) / 1e8;

const compares = (
  value: number,
  { side, level }: { readonly side: Side; readonly level: number },
): boolean => (side === 'above' ? value > level : value < level);

/** The condition as a person writes it, and as `parseCondition` reads it. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'price':
      return `${condition.symbol} ${condition.side} ${condition.level}`;
    case 'change':
      return `${condition.symbol} ${condition.way} ${condition.pct}% in ${span(condition.withinMs)}`;
    case 'signal':
      return `${condition.symbol} ${condition.model} says ${condition.wanted}`;
    case 'confidence':
      return `${condition.symbol} ${condition.model} confidence ${condition.side} ${condition.level}`;
    case 'drawdown':
      return `drawdown above ${condition.pct}%`;
    case 'equity':
      return `equity ${condition.side} ${condition.level}`;
    case 'stale':
      return `${condition.symbol === undefined ? '' : `${condition.symbol} `}stale for ${span(condition.forMs)}`;
  }
}

const NUMBER = String.raw`(\d{1,15}(?:\.\d{1,15})?)`;
const SPAN = String.raw`(\d{1,4}(?:m|h|d))`;
const MODEL = String.raw`([A-Za-z0-9][\w.-]{0,63})`;
const FORMS: readonly (readonly [RegExp, (...parts: string[]) => Condition])[] = [
  [
    new RegExp(String.raw`^equity (above|below) ${NUMBER}$`),
    (side, level) => ({ kind: 'equity', side: sideOf(side), level: Number(level) }),
  ],
  [new RegExp(`^drawdown above ${NUMBER} ?%$`), (pct) => ({ kind: 'drawdown', pct: Number(pct) })],
  [new RegExp(`^stale for ${SPAN}$`), (text) => ({ kind: 'stale', symbol: undefined, forMs: spanMs(text) })],
  [
    new RegExp(String.raw`^(\S+) stale for ${SPAN}$`),
    (symbol, text) => ({ kind: 'stale', symbol: parseSymbol(symbol), forMs: spanMs(text) }),
  ],
  [
    new RegExp(String.raw`^(\S+) (above|below) ${NUMBER}$`),
    (symbol, side, level) => ({
      kind: 'price',
      symbol: parseSymbol(symbol),
      side: sideOf(side),
      level: Number(level),
    }),
  ],
  [
    new RegExp(String.raw`^(\S+) (moves|rises|falls) ${NUMBER} ?% in ${SPAN}$`),
    (symbol, way, pct, within) => ({
      kind: 'change',
      symbol: parseSymbol(symbol),
      way: way === 'rises' || way === 'falls' ? way : 'moves',
      pct: Number(pct),
      withinMs: spanMs(within),
    }),
  ],
  [
    new RegExp(String.raw`^(\S+) ${MODEL} says (long|short|flat)$`),
    (symbol, model, wanted) => ({
      kind: 'signal',
      symbol: parseSymbol(symbol),
      model,
      wanted: wanted === 'long' || wanted === 'short' ? wanted : 'flat',
    }),
  ],
  [
    new RegExp(String.raw`^(\S+) ${MODEL} confidence (above|below) ${NUMBER}$`),
    (symbol, model, side, level) => ({
      kind: 'confidence',
      symbol: parseSymbol(symbol),
      model,
      side: sideOf(side),
      level: Number(level),
    }),
  ],
];

/** One line each, with an example. */
export const CONDITION_FORMS = [
  'BTC/USDT above 70000                   a bar closes above (below) this price',
  'BTC/USDT moves 5% in 24h               either way; also: rises, falls; spans in m, h, d',
  'BTC/USDT gru says long                 a model, or ensemble, wants to be long (short, flat)',
  'BTC/USDT gru confidence above 0.8      how sure a model is, between 0 and 1',
  'drawdown above 10%                     equity below its peak',
  'equity below 9000',
  'stale for 2h                           no bar of any pair; BTC/USDT stale for 2h: none of this one',
] as const;

/** The longest span: what a change is measured over has to be at hand. */
const LONGEST_SPAN_MS = 31 * 86_400_000;

/** Throws `UserError` for what is no condition. */
export function parseCondition(text: string): Condition {
  const words = text.trim().replace(/\s+/g, ' ');
  for (const [form, make] of FORMS) {
    const parts = form.exec(words);
    if (parts !== null) return checked(make(...parts.slice(1)), words);
  }
  throw new UserError(`Cannot read the alert "${words.slice(0, 100)}".`, {
    hint: `Write it like one of these:\n  ${CONDITION_FORMS.join('\n  ')}`,
  });
}

function checked(condition: Condition, words: string): Condition {
  const refuse = (why: string, hint: string): never => {
    throw new UserError(`The alert "${words}" ${why}.`, { hint });
  };
  const positive = (value: number): void => {
    if (value <= 0) refuse('is about nothing', 'Write a number above 0.');
  };
  const within = (ms: number): void => {
    if (ms < 60_000 || ms > LONGEST_SPAN_MS) refuse('looks too far', 'Write a span between 1m and 31d.');
  };
  switch (condition.kind) {
    case 'price':
    case 'equity':
      positive(condition.level);
      break;
    case 'change':
      positive(condition.pct);
      within(condition.withinMs);
      break;
    case 'drawdown':
      positive(condition.pct);
      if (condition.pct >= 100) refuse('can never come true', 'Write less than 100 %.');
      break;
    case 'confidence':
      if (condition.model === ENSEMBLE)
        refuse('asks for what nobody states', 'The ensemble has no confidence of its own: name a model.');
      if (condition.level >= 1) refuse('can never come true', 'A confidence lies between 0 and 1.');
      break;
    case 'stale':
      within(condition.forMs);
      break;
    case 'signal':
      break;
  }
  return condition;
}

const sideOf = (text: string): Side => (text === 'above' ? 'above' : 'below');

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** `90m`, `2h`, `3d`; units as in timeframes. */
const spanMs = (text: string): number => {
  const unit = UNITS.find(([name]) => text.endsWith(name));
  return unit === undefined ? NaN : Number(text.slice(0, -1)) * unit[1];
};

/** The largest unit that says it exactly, else whole minutes. */
function span(ms: number): string {
  const minutes = Math.round(ms / 60_000) * 60_000;
  const [name, unit] = UNITS.find(([, one]) => minutes >= one && minutes % one === 0) ?? ['m', 60_000];
  return `${minutes / unit}${name}`;
}

const amount = (value: number): string => String(Number(value.toPrecision(10)));
const percent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;
