import { RULES_OF, type RulesOf } from '../../core/trading/presets.ts';
import { relative, resolve } from 'node:path';
import { z } from 'zod';
import type { InputSources } from '../../core/features/inputs.ts';
import { formatTime, parseTime } from '../../core/foundation/time.ts';
import { parseSymbol, type PairSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe, type Timeframe } from '../../core/market/timeframe.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import type { SleeveRequest } from '../../lab/backtest/sleeves.ts';
import type { WantedMarket } from '../../learning/training/checkpoints.ts';
import type { RunFolder } from '../../learning/training/run-folder.ts';
import { type Config, ConfigSchema } from '../config/schema.ts';

/** What a backtest is asked for. Together with the stored candles and the trained set it decides every digit. */
export interface BacktestRequest {
  readonly forecasts: TrainedRequest | WalkForwardRequest;
  /** Default: what training has not seen, or the second half of the bars. */
  readonly fromMs: number | undefined;
  /** Default: the end of the stored bars. */
  readonly untilMs: number | undefined;
  readonly models: readonly string[] | undefined;
  readonly acceptImplausible: readonly PairSymbol[];
  /** Its id. */
  readonly strategy: string;
  /** All of its parameters. */
  readonly strategyParams: Readonly<Record<string, unknown>>;
  /** Strategies that share one wallet, beside the others; none: no such wallet. */
  readonly sleeves: readonly SleeveRequest[];
  readonly rulesOf: RulesOf | undefined;
  /** How forecasts become one, its id, and all of its parameters. */
  readonly ensemble: string;
  readonly ensembleParams: Readonly<Record<string, unknown>>;
  readonly trading: Config['trading'];
  /** Exchange whose perpetuals an account trades: their funding rates. */
  readonly derivatives: string;
  readonly exits: Config['exits'];
  /** Limits above the strategy. */
  readonly risk: Config['risk'];
  /** Of finer candles to look for stops and targets in. */
  readonly detail: Timeframe | undefined;
  /** What cash earns in percent a year, to compare with. */
  readonly cashRatePct: number | undefined;
  readonly seed: number;
}

export interface TrainedRequest {
  readonly kind: 'trained';
  /** Its name or its folder; `undefined`: the active one. */
  readonly run: string | undefined;
  readonly market: WantedMarket;
  /** Trade what was trained from the other seeds too. */
  readonly seeds: boolean;
}

export interface WalkForwardRequest {
  readonly kind: 'walk-forward';
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly sinceMs: number;
  readonly folds: number;
  readonly embargoBars: number;
  readonly window: 'rolling' | 'expanding';
  readonly cold: boolean;
  readonly validationPct: number;
  /** Hyper-parameters by model id. */
  readonly params: Config['models'];
  readonly sources: InputSources;
}

const config = ConfigSchema.unwrap().shape;
const time = z.string().transform(parseTime);
const market = {
  exchange: z.string(),
  timeframe: z.string().transform((text): Timeframe => parseTimeframe(text)),
  symbols: z.array(z.string().transform(parseSymbol)).min(1),
};

/** A request as a kept document has it: everything by name, nothing left to a default that may change. */
const Settings = z.strictObject({
  forecasts: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('trained'), ...market, run: z.string(), seeds: z.boolean() }),
    z.strictObject({
      kind: z.literal('walk-forward'),
      ...market,
      sinceMs: time,
      folds: z.int().min(1),
      embargoBars: z.int().min(0),
      window: z.enum(['rolling', 'expanding']),
      cold: z.boolean(),
      validationPct: z.number(),
      params: config.models,
      sources: config.features,
    }),
  ]),
  fromMs: time,
  untilMs: time,
  models: z.array(z.string()).nullable(),
  acceptImplausible: market.symbols.or(z.array(z.never())),
  strategy: z.string(),
  strategyParams: z.record(z.string(), z.unknown()),
  sleeves: z
    .array(
      z.strictObject({
        model: z.string(),
        strategy: z.string(),
        strategyParams: z.record(z.string(), z.unknown()),
        sharePct: z.number(),
      }),
    )
    .default([]),
  rulesOf: z.enum(RULES_OF).nullable(),
  /** Documents from before there was a choice took the plain mean. */
  ensemble: z.string().default('equal'),
  ensembleParams: z.record(z.string(), z.unknown()).default({}),
  trading: config.trading,
  /** Documents from before accounts could be chosen traded spot. */
  derivatives: config.features.unwrap().shape.derivatives,
  exits: config.exits,
  risk: config.risk,
  detail: market.timeframe.nullable(),
  cashRatePct: z.number().nullable().default(null),
  seed: z.int().min(0),
});

/** The settings of a backtest that was run, as JSON: what was left to defaults is what it turned out to be. */
export function settingsDocument(
  request: BacktestRequest,
  { panel, range }: ForecastSource,
  run: RunFolder | undefined,
  checkpointDir: string,
): object {
  const { forecasts } = request;
  const about = {
    exchange: panel.exchange,
    timeframe: panel.timeframe,
    symbols: panel.series.map(({ symbol }) => symbol),
  };
  return {
    ...request,
    forecasts:
      forecasts.kind === 'trained'
        ? { kind: forecasts.kind, ...about, run: run && runName(run, checkpointDir), seeds: forecasts.seeds }
        : { ...forecasts, ...about, sinceMs: formatTime(forecasts.sinceMs) },
    fromMs: formatTime(range.fromMs),
    untilMs: formatTime(panel.untilMs),
    models: request.models ?? null,
    rulesOf: request.rulesOf ?? null,
    detail: request.detail ?? null,
    cashRatePct: request.cashRatePct ?? null,
  };
}

/** A run of the project by its name, one from elsewhere by its folder. */
const runName = ({ runId, path }: RunFolder, checkpointDir: string): string =>
  relative(resolve(checkpointDir), resolve(path)) === runId ? runId : resolve(path);

/** What `settingsDocument` wrote, as the same request; an error of the schema when it is from another version. */
export function requestOf(document: unknown): BacktestRequest {
  const { forecasts, models, rulesOf, detail, cashRatePct, ...rest } = Settings.parse(document);
  return {
    ...rest,
    models: models ?? undefined,
    rulesOf: rulesOf ?? undefined,
    detail: detail ?? undefined,
    cashRatePct: cashRatePct ?? undefined,
    forecasts:
      forecasts.kind === 'trained'
        ? {
            kind: 'trained',
            run: forecasts.run,
            seeds: forecasts.seeds,
            market: {
              exchange: forecasts.exchange,
              timeframe: forecasts.timeframe,
              symbols: { list: forecasts.symbols, named: true },
            },
          }
        : forecasts,
  };
}
