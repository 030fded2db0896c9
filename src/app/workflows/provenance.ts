import { lowerBound } from '../../core/market/candles.ts';
import { findGaps } from '../../core/market/gaps.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Traded } from '../../lab/backtest/assess.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { different } from '../../lab/backtest/candidates.ts';
import { coarsen } from '../../lab/backtest/coarse-returns.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { ruleId } from '../../lab/backtest/rule-id.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import { summariseTrials, type TrialSummary } from '../../lab/backtest/trial-summary.ts';
import { marketName, recordTrials, type Trial } from '../../lab/backtest/trials.ts';

/** What a backtest is about, once it has been entered into the ledger of everything that was tried on its market. */
export async function provenanceOf(
  source: ForecastSource,
  result: Backtest,
  { seed, trials, trialsFile, by }: Entry,
): Promise<Provenance> {
  const { panel, range, trainedBy, warnings } = source;
  return {
    exchange: panel.exchange,
    symbols: panel.series.map(({ symbol }) => symbol),
    timeframe: panel.timeframe,
    synthetic: panel.synthetic,
    dataFingerprint: panel.fingerprint,
    trainedBy,
    ...range,
    missingBars: missingBars(source),
    seed,
    warnings,
    trials: trials ?? (await countTrials(trialsFile, by, source, result)),
  };
}

interface Entry {
  readonly seed: number;
  /** What to judge by, when this result was entered before; default: enter it, and take what is there then. */
  readonly trials?: TrialSummary;
  readonly trialsFile: string;
  readonly by: TriedBy;
}

type TriedBy = 'backtest' | 'walk-forward';

/** Enters the ensemble and every learned model, of every seed, as trials, and sums up all of this market. */
async function countTrials(
  file: string,
  by: TriedBy,
  source: ForecastSource,
  result: Backtest,
): Promise<TrialSummary> {
  const { panel, otherSeeds } = source;
  const { market, setting, ensemble, members, seeds } = result;
  const symbols = panel.series.map(({ symbol }) => symbol);
  const name = marketName(panel.exchange, panel.timeframe, symbols);
  const time = new Date().toISOString();
  const entry = (
    { strategy, sample, returns }: Traded,
    { weights, memberSeeds }: Pick<ForecastSource, 'weights' | 'memberSeeds'>,
  ): readonly Trial[] => {
    if (strategy.kind === 'baseline') return [];
    const seed = memberSeeds[strategy.name];
    const own = strategy.kind === 'ensemble' ? weights : weights[strategy.name];
    return [
      {
        time,
        id: ruleId(strategy.name, own, setting.rules, setting.risk),
        market: name,
        strategy: strategy.name,
        by,
        ...(seed !== undefined && { seed }),
        data: panel.fingerprint,
        params: own,
        bars: returns.length,
        ...(sample !== undefined && {
          barSharpe: sample.sharpe,
          returns: coarsen(market.time, returns, market.barMs),
        }),
      },
    ];
  };
  // An ensemble of one decides as its only member does.
  const single = !different([
    ...members.filter(({ strategy }) => strategy.kind === 'model'),
    ensemble,
  ]).includes(ensemble);
  const first = [...(single ? [] : [ensemble]), ...members].flatMap((one) => entry(one, source));
  const others = seeds
    .filter((one) => !single || one.name !== ensemble.strategy.name)
    .flatMap(({ runs }) => runs.slice(1).flatMap((one, i) => entry(one, otherSeeds[i])));
  return summariseTrials(await recordTrials(file, name, [...first, ...others]));
}

function missingBars({ panel, range }: ForecastSource): number {
  return panel.series.reduce((total, { candles }) => {
    const time = candles.time.subarray(
      lowerBound(candles.time, range.fromMs),
      lowerBound(candles.time, range.untilMs),
    );
    // A history that ends before the range does is a gap too.
    const step = TIMEFRAME_MS[panel.timeframe];
    const endMs = time.length === 0 ? range.fromMs : time[time.length - 1] + step;
    const after = Math.max(0, Math.round((range.untilMs - endMs) / step));
    return total + after + findGaps(time, panel.timeframe).reduce((sum, { bars }) => sum + bars, 0);
  }, 0);
}
