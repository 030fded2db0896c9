import type { LogLevel } from './view.ts';

export const VIEW_IDS = [
  'overview',
  'markets',
  'models',
  'training',
  'trades',
  'risk',
  'portfolio',
  'jobs',
  'logs',
  'validation',
  'studies',
  'live',
] as const;
export type ViewId = (typeof VIEW_IDS)[number];

/** What trades are sorted by, the newest or largest first. */
export const TRADE_ORDERS = ['closed', 'profit', 'profit %', 'held', 'symbol'] as const;
export type TradeOrder = (typeof TRADE_ORDERS)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** What the person at the keyboard has chosen. */
export interface Controls {
  readonly view: ViewId;
  /** The pane that has the most room, and that scrolls. */
  readonly focus: string;
  /** Lines that it is scrolled away from its anchor. */
  readonly scroll: number;
  /** The chosen line of a list. */
  readonly cursor: number;
  readonly paused: boolean;
  readonly help: boolean;
  /** Of the markets: which symbol, how many bars one candle is made of, and how many bars from the newest. */
  readonly symbol: number;
  readonly zoom: number;
  readonly back: number;
  /** Of the trades. */
  readonly order: TradeOrder;
  readonly reversed: boolean;
  /** Lines of the log below this level are hidden. */
  readonly level: LogLevel;
  /** What trades and log are filtered by; `typing`: it is being written. */
  readonly filter: string;
  readonly typing: boolean;
}

export const START: Controls = {
  view: 'overview',
  focus: 'equity',
  scroll: 0,
  cursor: 0,
  paused: false,
  help: false,
  symbol: 0,
  zoom: 1,
  back: 0,
  order: 'closed',
  reversed: false,
  level: 'debug',
  filter: '',
  typing: false,
};
