import type { RiskView } from '../../src/app/dashboard/view.ts';

/** What the API answers, as far as this page reads it; `/api/openapi.json` has the whole. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly arguments: readonly string[];
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly cancelledAt?: string;
  readonly error?: { readonly kind: string; readonly message: string; readonly hint?: string };
  readonly progress?: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
    readonly note: string;
  };
  readonly line?: string;
}

export interface Overview {
  readonly configFile: string | null;
  readonly market: {
    readonly exchange: string;
    readonly timeframe: string;
    readonly symbols: readonly string[];
    readonly missing: readonly string[];
  };
  readonly newestBar: string | null;
  readonly runs: number;
  readonly activeRun: string | null;
  readonly next: { readonly why: string; readonly command: string };
}

export interface Dataset {
  readonly exchange: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly source: string;
  readonly synthetic: boolean;
  readonly rows: number;
  readonly firstTime: string;
  readonly lastTime: string;
  readonly gaps: readonly {
    readonly from: string;
    readonly to: string;
    readonly bars: number;
    readonly checked: boolean;
  }[];
  readonly months: readonly { readonly month: string; readonly rows: number; readonly bars: number }[];
  readonly sha256: string;
}

export interface Candles {
  readonly exchange: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly synthetic: boolean;
  readonly time: readonly number[];
  readonly open: readonly number[];
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
  readonly volume: readonly number[];
}

export interface Score {
  readonly netReturnPct?: number;
  readonly directionalAccuracyPct?: number | null;
  readonly [figure: string]: unknown;
}

export interface Run {
  readonly runId: string;
  readonly active: boolean;
  readonly mode: string;
  readonly seed: number;
  readonly exchange: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly synthetic: boolean;
  readonly trainUntil: string;
  readonly validateUntil: string;
  readonly complete: boolean;
  readonly models?: readonly string[];
  readonly ensemble?: { readonly members: readonly string[]; readonly metrics: Score };
  readonly noSkill?: Readonly<Record<string, string>>;
  readonly baselines?: Readonly<Record<string, Score>>;
}
export interface Runs {
  readonly runs: readonly Run[];
  readonly damagedRuns: readonly { readonly runId: string; readonly reason: string }[];
  readonly deletedRuns: readonly string[];
}

export interface TrainingCurve {
  readonly model: string;
  readonly status: 'waiting' | 'running' | 'finished' | 'skipped' | 'stopped';
  readonly step: readonly number[];
  readonly loss: readonly (number | null)[];
  readonly validationLoss: readonly (number | null)[];
  readonly trialPct: readonly (number | null)[];
  readonly meanReward: readonly (number | null)[];
  readonly steps?: number;
  readonly etaSeconds?: number;
  readonly samplesPerSecond?: number;
  readonly seconds?: number;
  readonly metrics?: Score;
  readonly weightHash?: string;
  readonly noSkill?: string;
  readonly reason?: string;
}

/** Last prices of the exchange. */
export interface Prices {
  readonly exchange: string;
  readonly time: string;
  readonly bySymbol: Readonly<Record<string, number>>;
}

export interface Signal {
  readonly symbol: string;
  readonly time: string;
  readonly model: string;
  readonly action: 'buy' | 'sell' | 'hold';
  readonly confidence?: number;
  readonly probabilityUp?: number;
  readonly expectedReturnPct?: number;
  readonly horizon: string;
  readonly sentence?: string;
  readonly noSkill?: string | null;
  readonly [key: string]: unknown;
}

/** What a paper or live session holds of a pair. */
export interface Position {
  readonly symbol: string;
  readonly baseAmount: number;
  readonly entryPrice: number;
  readonly markPrice: number;
  readonly stopPrice?: number;
  readonly takePrice?: number;
}

export interface SessionStatus {
  readonly name: string;
  readonly sessionId: string;
  readonly state: 'running' | 'stopped';
  readonly mode: 'trade' | 'pause' | 'flatten';
  readonly exchange: string;
  readonly timeframe: string;
  readonly feed: 'exchange' | 'stored';
  readonly synthetic: boolean;
  readonly runId?: string;
  readonly lastBarTime?: string;
  readonly equity: number;
  readonly cash: number;
  readonly positions: readonly Position[];
}

export interface SessionEvent {
  readonly kind: 'fill' | 'rejected' | 'trade' | 'payment' | 'ruin';
  readonly barMs: number;
  readonly time?: number;
  readonly symbol?: string;
  readonly side?: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly baseAmount?: number;
  readonly price?: number;
  readonly feeQuote?: number;
  readonly slippageQuote?: number;
  readonly entryTime?: number;
  readonly exitTime?: number;
  readonly entryPrice?: number;
  readonly exitPrice?: number;
  readonly profitQuote?: number;
  readonly profitPct?: number;
  readonly exit?: string;
}

export interface SessionHistory {
  readonly status: SessionStatus;
  readonly bars?: number;
  readonly session?: {
    readonly rules: { readonly initialBalance: number };
    readonly risk?: Readonly<Record<string, unknown>>;
  };
  readonly equity?: readonly number[];
  readonly hold?: readonly number[];
  readonly curveTime?: readonly number[];
  readonly time?: readonly number[];
  readonly candles?: readonly {
    readonly symbol: string;
    readonly bars: readonly (readonly number[] | null)[];
  }[];
  readonly events?: readonly SessionEvent[];
  readonly last?: {
    readonly timeMs: number;
    readonly decision: string;
    readonly targets: readonly (number | null)[];
  };
  /** By pair, in the order of `candles`: why the strategy wants what it wants. */
  readonly why?: readonly (string | null)[];
  readonly risk?: RiskView;
}

export interface Setting {
  readonly path: string;
  readonly value?: unknown;
  readonly origin: 'flag' | 'environment' | 'file' | 'default';
  readonly environment: string;
  readonly description: string;
  readonly schema: {
    readonly type?: string;
    readonly enum?: readonly unknown[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly default?: unknown;
  };
  readonly writable: boolean;
}
