import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { barMsOf, calibrate, crossParts, shownRows, statementOf } from './calibrate.ts';

/**
 * One model's forecasts with an expected return in each, where it states none itself: agents, GARCH momentum and networks
 * with a direction alone. What its statements were worth was measured on bars that no fit has seen: from `fromMs` of each
 * span on over its `measured` bars, and on those of the first span by the rest of them, labels purged.
 */
export function withReturns(
  panel: Panel,
  forecasts: readonly Forecast[],
  spans: readonly { readonly fromMs: number; readonly measured: Span }[],
): readonly Forecast[] {
  if (forecasts.some(({ expectedReturn }) => expectedReturn !== undefined)) return forecasts;
  const [{ horizonBars }] = forecasts;
  const barMs = barMsOf(panel);
  const stated = forecasts.map(statementOf);
  const returns = stated.map(({ length }) => new Float64Array(length).fill(NaN));

  const say = (measured: Span, isKept: ((timeMs: number) => boolean) | undefined, within: Span): void => {
    const worth = worthOfColumns(panel, stated, measured, { horizonBars, isKept });
    panel.series.forEach(({ candles: { time } }, s) => {
      const until = lowerBound(time, within.untilMs);
      for (let row = lowerBound(time, within.fromMs); row < until; row++)
        if (!Number.isNaN(forecasts[s].position[row])) returns[s][row] = worth * stated[s][row];
    });
  };
  for (const { isKept, ...part } of crossParts(spans[0].measured, horizonBars, barMs))
    say(spans[0].measured, isKept, part);
  for (const [i, { fromMs, measured }] of spans.entries())
    say(measured, undefined, { fromMs, untilMs: spans[i + 1]?.fromMs ?? Infinity });
  return forecasts.map((forecast, s) =>
    returns[s].some((value) => !Number.isNaN(value)) ? { ...forecast, expectedReturn: returns[s] } : forecast,
  );
}

/** What a unit of what a model states was worth, on bars that no fit has seen: returns per unit. */
export const worthOf = (panel: Panel, forecasts: readonly Forecast[], measured: Span): number =>
  worthOfColumns(panel, forecasts.map(statementOf), measured, forecasts[0]);

function worthOfColumns(
  panel: Panel,
  stated: readonly Float64Array[],
  measured: Span,
  {
    horizonBars,
    isKept,
  }: { readonly horizonBars: number; readonly isKept?: ((timeMs: number) => boolean) | undefined },
): number {
  const rows = shownRows(panel, measured, horizonBars);
  const { slope, believed } = calibrate(stated, rows, { horizonBars, barMs: barMsOf(panel), isKept });
  // Without skill the size of what is said makes no difference; its side must stay.
  return believed > 0 ? believed : Math.abs(slope ?? NaN);
}

/** The forecasts with the returns that they come to at that worth, where they state none. */
export const atWorth = (forecasts: readonly Forecast[], worth: number): readonly Forecast[] =>
  forecasts.some(({ expectedReturn }) => expectedReturn !== undefined)
    ? forecasts
    : forecasts.map((forecast) => ({
        ...forecast,
        expectedReturn: statementOf(forecast).map((stated, row) =>
          Number.isNaN(forecast.position[row]) ? NaN : worth * stated,
        ),
      }));
