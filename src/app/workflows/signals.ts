import type { Series } from '../../core/dataset/panel.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { formatTime } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';

/** What a model, or the ensemble, wants at the close of one bar. What is not stated is `undefined`. */
export interface Signal {
  readonly symbol: PairSymbol;
  /** When the decision could first be made, ISO 8601 UTC: the close of the bar. */
  readonly time: string;
  readonly model: string;
  /** `hold`: no opinion on this bar, what is held stays. */
  readonly action: 'buy' | 'sell' | 'flat' | 'hold';
  /** In [-1, 1]: 1 fully long, -1 fully short. */
  readonly position: number | undefined;
  /** Size of the position, in [0, 1]. */
  readonly strength: number | undefined;
  readonly confidence: number | undefined;
  /** Such as `4 x 1h`. */
  readonly horizon: string;
  readonly horizonBars: number;
  readonly probabilityUp: number | undefined;
  readonly expectedReturnPct: number | undefined;
  readonly quantiles: readonly { readonly level: number; readonly returnPct: number }[] | undefined;
}

/** The forecast of a series' newest bar. What is not stated is left out. */
export function signalOf(
  model: string,
  { symbol, candles }: Series,
  forecast: Forecast,
  timeframe: Timeframe,
): Signal {
  const row = candles.time.length - 1;
  const at = (column: Float64Array | undefined): number | undefined =>
    column === undefined || Number.isNaN(column[row]) ? undefined : column[row];
  const position = at(forecast.position);
  const expectedReturn = at(forecast.expectedReturn);
  const { quantiles } = forecast;
  return {
    symbol,
    /** When the decision could first be made: the close of the bar. */
    time: formatTime(candles.time[row] + TIMEFRAME_MS[timeframe]),
    model,
    action: actionOf(position),
    position,
    strength: position === undefined ? undefined : Math.abs(position),
    confidence: at(forecast.confidence),
    horizon: `${forecast.horizonBars} x ${timeframe}`,
    horizonBars: forecast.horizonBars,
    probabilityUp: at(forecast.probabilityUp),
    expectedReturnPct: expectedReturn === undefined ? undefined : 100 * expectedReturn,
    quantiles: quantiles?.columns.map((column, i) => ({
      level: quantiles.levels[i],
      returnPct: 100 * column[row],
    })),
  };
}

function actionOf(position: number | undefined): Signal['action'] {
  if (position === undefined) return 'hold';
  if (position === 0) return 'flat';
  return position > 0 ? 'buy' : 'sell';
}

/**
 * What signals come to, symbol by symbol: what the ensemble wants, how those that vote in it are divided, and what an
 * account that cannot be short makes of it. `signals` are of all models and of the ensemble.
 */
export function signalsText(
  signals: readonly Signal[],
  { voters, allowShort }: { readonly voters: ReadonlySet<string>; readonly allowShort: boolean },
): string {
  const symbols = [...new Set(signals.map(({ symbol }) => symbol))];
  const lines = symbols.map((symbol) => {
    const own = signals.filter((one) => one.symbol === symbol);
    const models = own.filter(({ model }) => voters.has(model));
    const count = (is: (position: number) => boolean): number =>
      models.filter(({ position }) => position !== undefined && is(position)).length;
    const silent = models.filter(({ position }) => position === undefined).length;
    const divided = [
      `${count((position) => position > 0)} long`,
      `${count((position) => position < 0)} short`,
      `${count((position) => position === 0)} flat`,
      ...(silent > 0 ? [`${silent} without an opinion`] : []),
    ].join(', ');
    const position = own.find(({ model }) => model === 'ensemble')?.position;
    return `${symbol}: the ensemble ${wanted(position, allowShort)} (votes: ${divided}).`;
  });
  return lines.join('\n');
}

function wanted(position: number | undefined, allowShort: boolean): string {
  if (position === undefined) return 'has no opinion: what is held stays';
  const percent = `${Math.round(100 * Math.abs(position))} %`;
  if (position === 0) return 'is flat';
  if (position > 0) return `is ${percent} long`;
  return `is ${percent} short${allowShort ? '' : ', so an account that cannot be short (trading.allowShort) is flat'}`;
}
