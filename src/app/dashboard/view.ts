import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';

/**
 * What the dashboard shows, as plain values: the views draw it and know nothing else, `dashboard --json` prints
 * it. Times are ISO 8601 UTC, amounts in quote currency where nothing else is said.
 */
export interface DashboardView extends Partial<Details> {
  readonly time: string;
  readonly session: SessionView | undefined;
  readonly positions: readonly PositionView[];
  readonly signals: readonly SignalView[];
  readonly training: TrainingView | undefined;
  /** The newest last. */
  readonly log: readonly LogView[];
}

/** What costs more to read, and is read for the view that shows it. */
export interface Details {
  readonly markets: readonly MarketView[];
  /** Closed trades, the newest last. */
  readonly trades: readonly TradeView[];
  readonly risk: RiskView;
  /** Training runs, the newest first. */
  readonly runs: readonly RunView[];
  /** Work of `serve`, the newest first. */
  readonly jobs: readonly JobView[];
  /** How often what a model said in the session came true. */
  readonly record: readonly RecordView[];
  /** Searches of `tune` and `automl`, the newest first. */
  readonly studies: readonly StudyView[];
  /** Sessions that trade at an exchange. */
  readonly live: readonly LiveView[];
}

export interface SessionView {
  readonly sessionId: string;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly feed: 'exchange' | 'stored';
  readonly synthetic: boolean;
  /** The training run that decides. */
  readonly runId: string | undefined;
  readonly strategy: string;
  readonly bars: number;
  readonly lastBarTime: string | undefined;
  /** How long the next bar is overdue; `undefined` while it is not. */
  readonly overdueSeconds: number | undefined;
  readonly equity: number;
  readonly cash: number;
  readonly changePct: number;
  /** Since the last bar of the UTC day before, in quote currency and in percent. */
  readonly dayPnl: number;
  readonly dayPnlPct: number;
  /** Value of what is held, long and short added up, as a share of equity. */
  readonly exposurePct: number;
  readonly drawdownPct: number;
  readonly maxDrawdownPct: number;
  readonly closedTrades: number;
  readonly winningTrades: number;
  /** Equity over the whole session, thinned. */
  readonly equityCurve: readonly number[];
}

export interface PositionView {
  readonly symbol: PairSymbol;
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
  /** Why the strategy decided what it did at the last close. */
  readonly reason?: string | undefined;
}

/** What a model said at the last bar's close, by symbol; `undefined`: no opinion. */
export interface SignalView {
  readonly model: string;
  /** It does not vote in the ensemble. */
  readonly noSkill: boolean;
  /** What it counts for in the ensemble, before its confidence; `undefined` where all count the same. */
  readonly weight?: number | undefined;
  readonly bySymbol: readonly {
    readonly symbol: PairSymbol;
    readonly position: number | undefined;
    readonly confidence: number | undefined;
  }[];
}

export interface TrainingView {
  readonly runId: string;
  /** Of the whole run, where every model that waits was projected; `undefined`: not known. */
  readonly etaSeconds?: number | undefined;
  readonly models: readonly ModelTraining[];
}

export interface ModelTraining {
  readonly model: string;
  /** What kind of model it is: `classical`, `deep`, `agent`. */
  readonly phase?: string | undefined;
  readonly status: 'waiting' | 'running' | 'finished' | 'skipped' | 'stopped';
  readonly step?: number | undefined;
  readonly steps?: number | undefined;
  readonly epoch?: number | undefined;
  readonly loss?: number | undefined;
  readonly validationLoss?: number | undefined;
  /** Both over the training so far, thinned. */
  readonly lossCurve?: readonly number[];
  readonly validationCurve?: readonly number[];
  /** What an agent's newest and best trial on the validation bars returned. */
  readonly trialPct?: number | undefined;
  readonly bestTrialPct?: number | undefined;
  readonly samplesPerSecond?: number | undefined;
  readonly etaSeconds?: number | undefined;
  /** Before it began: how long it would take, measured. */
  readonly projectedSeconds?: number | undefined;
  readonly seconds?: number | undefined;
  /** On the validation bars. */
  readonly hitPct?: number | undefined;
  /** Why it does not vote in the ensemble. */
  readonly noSkill?: string | undefined;
  /** Why it was skipped. */
  readonly reason?: string | undefined;
  /** Of its last line. */
  readonly time?: string;
}

export interface LogView {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The newest candles of a symbol, and what was traded in them. */
export interface MarketView {
  readonly symbol: PairSymbol;
  readonly timeframe: Timeframe;
  /** `stored`: of the store. `session`: what the paper session saw, where nothing is stored. */
  readonly source: 'stored' | 'session';
  readonly candles: readonly CandleView[];
  readonly fills: readonly FillView[];
  /** The newest forecast on record, where its model states quantiles. */
  readonly forecast: ForecastView | undefined;
}

export interface CandleView {
  /** When it opened, epoch ms UTC. */
  readonly timeMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

export interface FillView {
  /** Of the bar it happened in. */
  readonly timeMs: number;
  readonly side: 'buy' | 'sell';
  readonly price: number;
}

export interface ForecastView {
  readonly model: string;
  /** Of the bar at whose close it was made. */
  readonly timeMs: number;
  readonly horizonBars: number;
  /** Return over the horizon, by level, the lowest first. */
  readonly quantiles: readonly { readonly level: number; readonly returnPct: number }[];
}

export interface TradeView {
  readonly symbol: PairSymbol;
  readonly side: 'long' | 'short';
  readonly entryTime: string;
  readonly exitTime: string;
  readonly barsHeld: number;
  readonly entryPrice: number;
  readonly exitPrice: number;
  readonly baseAmount: number;
  readonly feeQuote: number;
  readonly profitQuote: number;
  readonly profitPct: number;
  /** `target`: a decision; else the exit that ended it. */
  readonly exit: string;
  /** What opened and closed it; `undefined`: too long ago to be kept, or an exit inside a bar. */
  readonly entered: DecisionView | undefined;
  readonly left: DecisionView | undefined;
}

/** A decision at a close: what was said, and what was made of it. */
export interface DecisionView {
  /** Of the bar at whose close it was made. */
  readonly time: string;
  readonly reason: string | undefined;
  readonly target: number | undefined;
  readonly votes: readonly {
    readonly model: string;
    readonly position: number;
    readonly confidence: number;
  }[];
}

export interface RiskView {
  /** What somebody asked of the session. */
  readonly control: 'trade' | 'pause' | 'flatten';
  readonly controlSince: string | undefined;
  /** The process that trades; `undefined`: none does now. */
  readonly pid: number | undefined;
  /** The drawdown limit has closed everything for good. */
  readonly killed: boolean;
  readonly gauges: readonly GaugeView[];
  readonly protections: readonly string[];
  /** How often each rule refused or cut an order in this session. */
  readonly verdicts: readonly { readonly rule: string; readonly count: number }[];
  /** The newest first. */
  readonly newest: readonly { readonly time: string; readonly text: string }[];
}

export interface GaugeView {
  readonly name: string;
  readonly value: number;
  /** `undefined`: no such limit is set. */
  readonly limit: number | undefined;
  readonly unit: '%' | 'quote' | 'orders';
  /** `floor`: the value must not fall below the limit. */
  readonly kind: 'ceiling' | 'floor';
}

export interface RunView {
  readonly runId: string;
  readonly active: boolean;
  readonly complete: boolean;
  readonly createdAt: string;
  readonly mode: string;
  readonly seed: number;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly synthetic: boolean;
  readonly trainUntil: string;
  readonly validateUntil: string;
  readonly ensemble: ScoreView | undefined;
  readonly models: readonly ModelView[];
  /** Why it cannot be read. */
  readonly damaged: string | undefined;
}

export interface ModelView extends ScoreView {
  readonly model: string;
  readonly trainedAt: string;
  readonly seconds: number;
  readonly weightHash: string;
  readonly noSkill: string | undefined;
}

/** On the validation bars. */
export interface ScoreView {
  readonly horizonBars: number;
  readonly samples: number;
  readonly hitPct: number | undefined;
  /** 95 % interval. */
  readonly hitIntervalPct: readonly [number, number] | undefined;
  readonly informationCoefficient: number | undefined;
  readonly netReturnPct: number;
}

export interface JobView {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly since: string;
  readonly seconds: number | undefined;
  /** What it said last, or why it failed. */
  readonly line: string | undefined;
}

/** Of one model in the bars of the session that are kept: opinions whose horizon is over. */
export interface RecordView {
  readonly model: string;
  readonly horizonBars: number;
  readonly hits: number;
  readonly judged: number;
  /** By stated confidence, from the least to the most. */
  readonly byConfidence: readonly {
    readonly fromPct: number;
    readonly toPct: number;
    readonly hits: number;
    readonly judged: number;
  }[];
}

export interface StudyView {
  readonly name: string;
  readonly model: string;
  readonly sampler: string;
  /** What decides which trial is best. */
  readonly objective: string;
  readonly createdAt: string;
  readonly complete: number;
  readonly pruned: number;
  readonly failed: number;
  /** Of the objective, among the trials that count. */
  readonly best: number | undefined;
  /** Mean of the trials that ran to their end. */
  readonly secondsPerTrial: number | undefined;
  /** Those that run now. */
  readonly running: readonly RunningTrial[];
  readonly workers: readonly WorkerView[];
  /** The newest first. */
  readonly trials: readonly TrialView[];
  /** Why it cannot be read. */
  readonly damaged: string | undefined;
}

export interface RunningTrial {
  readonly number: number;
  readonly worker: string;
  readonly since: string;
  /** Folds that are measured, of all. */
  readonly step: number;
  readonly steps: number;
  /** At the pace of the trials before; `undefined`: none has ended yet. */
  readonly etaSeconds: number | undefined;
}

export interface TrialView {
  readonly number: number;
  readonly state: string;
  readonly worker: string;
  /** Of the objective; `undefined`: not measured to its end. */
  readonly value: number | undefined;
  readonly seconds: number | undefined;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed. */
  readonly reason: string | undefined;
}

export interface WorkerView {
  readonly worker: string;
  readonly ended: number;
  /** The trial that it works on. */
  readonly trial: number | undefined;
  readonly lastSeen: string;
}

/** A session of live trading as it stands on disk. */
export interface LiveView {
  readonly name: string;
  readonly exchange: string;
  readonly account: string;
  /** The exchange's playground: no real money. */
  readonly sandbox: boolean;
  readonly pid: number | undefined;
  readonly lastBarTime: string | undefined;
  readonly decision: string | undefined;
  readonly equity: number;
  readonly cash: number;
  readonly positions: readonly {
    readonly symbol: string;
    readonly baseAmount: number;
    readonly entryPrice: number;
    readonly markPrice: number;
  }[];
  /** The newest first. */
  readonly orders: readonly {
    readonly time: string;
    readonly symbol: string;
    readonly side: string;
    readonly baseAmount: number;
    readonly filled: number;
    readonly price: number | undefined;
    readonly state: string;
    readonly reason: string | undefined;
  }[];
  /** Why somebody has to look; `undefined`: all is well. */
  readonly fault: string | undefined;
}
