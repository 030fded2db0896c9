/**
 * What the dashboard shows, as plain values: the views draw it and know nothing else, `dashboard --json` prints
 * it. Times are ISO 8601 UTC, amounts in quote currency where nothing else is said.
 */
export interface DashboardView {
  readonly time: string;
  readonly session: SessionView | undefined;
  readonly positions: readonly PositionView[];
  readonly signals: readonly SignalView[];
  readonly training: TrainingView | undefined;
  /** The newest last. */
  readonly log: readonly LogView[];
}

export interface SessionView {
  readonly sessionId: string;
  readonly exchange: string;
  readonly timeframe: string;
  readonly feed: 'exchange' | 'stored';
  readonly synthetic: boolean;
  readonly bars: number;
  readonly lastBarTime: string | undefined;
  /** How long the next bar is overdue; `undefined` while it is not. */
  readonly overdueSeconds: number | undefined;
  readonly equity: number;
  readonly cash: number;
  readonly changePct: number;
  readonly drawdownPct: number;
  readonly maxDrawdownPct: number;
  readonly closedTrades: number;
  readonly winningTrades: number;
  /** Equity over the whole session, thinned. */
  readonly equityCurve: readonly number[];
}

export interface PositionView {
  readonly symbol: string;
  readonly side: 'long' | 'short' | 'flat';
  readonly baseAmount: number;
  readonly entryPrice: number | undefined;
  readonly markPrice: number | undefined;
  readonly unrealizedPnl: number | undefined;
  readonly unrealizedPct: number | undefined;
  readonly stopPrice: number | undefined;
  readonly takePrice: number | undefined;
  /** Target position in [-1, 1] that waits for the next open. */
  readonly pendingTarget: number | undefined;
}

/** What a model said at the last bar's close, by symbol; `undefined`: no opinion. */
export interface SignalView {
  readonly model: string;
  /** It does not vote in the ensemble. */
  readonly noSkill: boolean;
  readonly bySymbol: readonly {
    readonly symbol: string;
    readonly position: number | undefined;
    readonly confidence: number | undefined;
  }[];
}

export interface TrainingView {
  readonly runId: string;
  readonly models: readonly ModelTraining[];
}

export interface ModelTraining {
  readonly model: string;
  readonly status: 'waiting' | 'running' | 'finished' | 'skipped' | 'stopped';
  readonly step?: number | undefined;
  readonly steps?: number | undefined;
  readonly loss?: number | undefined;
  readonly validationLoss?: number | undefined;
  /** What an agent's newest and best trial on the validation bars returned. */
  readonly trialPct?: number | undefined;
  readonly bestTrialPct?: number | undefined;
  readonly samplesPerSecond?: number | undefined;
  readonly etaSeconds?: number | undefined;
  readonly seconds?: number | undefined;
  /** Why it does not vote in the ensemble. */
  readonly noSkill?: string | undefined;
  /** Why it was skipped. */
  readonly reason?: string | undefined;
  /** Of its last line. */
  readonly time?: string;
}

export interface LogView {
  readonly time: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}
