import { labelEndMs, returnsWithin } from '../dataset/labels.ts';
import type { Panel } from '../dataset/panel.ts';
import type { Span } from '../dataset/splits.ts';
import type { Forecast } from '../forecast/model.ts';
import { type Candles, lowerBound } from '../market/candles.ts';
import { TIMEFRAME_MS } from '../market/timeframe.ts';
import { applyRule } from './apply.ts';
import { type Edge, measureEdge } from './edge.ts';
import { fitLabels, type Labelled, labelInputs } from './labels.ts';
import type { Reason } from './reason.ts';
import type { Rule, Setting, Strategy } from './strategy.ts';
import { marketVolatility } from './volatility.ts';

/** A strategy as it decides: with its parameters, and what a trade costs. */
export interface DecisionTerms extends Pick<Setting, 'allowShort'> {
  /** One way, as a fraction of the value: the same for all symbols, or of each as its bars before `asOfMs` tell. */
  readonly cost: number | ((candles: Candles, asOfMs: number) => number);
  readonly strategy: Strategy;
  /** As `strategy.params` parsed them. */
  readonly params: unknown;
}

/** Bars from `fromMs` on, up to the next span, decided on the skill that had been shown by then. */
interface SkilledSpan {
  readonly fromMs: number;
  /**
   * Costs are those of the bars before this time: the end of the bars on which skill was measured, which is the same however
   * the bars behind it are asked for, one by one or all at once.
   */
  readonly asOfMs: number;
  readonly edge: Edge | undefined;
}

/** What is wanted of one symbol, row by row beside its candles; `NaN` before the first decision. */
export interface Path {
  /** What is ordered at the close of each row, in [-1, 1]; `NaN`: nothing new, what is held stays. */
  readonly orders: Float64Array;
  /** What the strategy wants to hold after each row. */
  readonly wanted: Float64Array;
}

/**
 * The one path from forecasts to what is wanted, for backtests, paper sessions and signals alike: the strategy goes
 * through the bars of each symbol in order, from `spans[0].fromMs` on, remembering nothing but what it last wanted.
 * `wanted` is that as of the bar before, by symbol; `undefined`: it has decided nothing yet. A change is ordered, and
 * positions that drift are left alone, unless the strategy states its position anew at every bar.
 */
export function decidePaths(
  panel: Panel,
  forecasts: readonly Forecast[],
  { strategy, params, cost, allowShort }: DecisionTerms,
  options: {
    readonly spans: readonly SkilledSpan[];
    readonly wanted?: readonly (number | undefined)[] | undefined;
    readonly onReason?: (s: number, row: number, reason: Reason) => void;
  },
): readonly Path[] {
  const { spans, onReason } = options;
  const rules = spans.map(({ asOfMs, edge }) => {
    const prepared = new Map<number, Rule>();
    return (candles: Candles): Rule => {
      const own = typeof cost === 'number' ? cost : cost(candles, asOfMs);
      const rule = prepared.get(own) ?? strategy.prepare(params, { cost: own, allowShort, edge });
      prepared.set(own, rule);
      return rule;
    };
  });
  const { volatility: volatilities, calmest } = marketVolatility(panel);
  return forecasts.map((forecast, s) => {
    const { candles } = panel.series[s];
    const volatility = volatilities[s];
    const rows = forecast.position.length;
    const [orders, wanted] = [new Float64Array(rows).fill(NaN), new Float64Array(rows).fill(NaN)];
    let held = options.wanted?.[s] ?? NaN;
    spans.forEach(({ fromMs }, i) => {
      const fromRow = lowerBound(candles.time, fromMs);
      const untilRow = i + 1 < spans.length ? lowerBound(candles.time, spans[i + 1].fromMs) : rows;
      const target = applyRule(rules[i](candles), forecast, volatility, {
        fromRow,
        untilRow,
        held: Number.isNaN(held) ? 0 : held,
        calmest: calmest[s],
        onDecision: onReason && ((row, { reason }) => onReason(s, row, reason)),
      });
      for (let row = fromRow; row < untilRow; row++) {
        const decided = target[row];
        if (!Number.isNaN(decided) && (strategy.restates || decided !== held)) orders[row] = held = decided;
        wanted[row] = held;
      }
    });
    return { orders, wanted };
  });
}

/** The skill of what was stated over a span, on returns that were known by its end; with `labels` also of a second model over it. */
export function measureSkill(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  { labels = false }: { readonly labels?: boolean | undefined } = {},
): Edge | undefined {
  const { timeframe } = panel;
  const { horizonBars } = forecasts[0];
  const rows: Labelled[] = [];
  const series = panel.series.flatMap(({ candles }, s) => {
    const { expectedReturn: stated, confidence } = forecasts[s];
    if (stated === undefined) return [];
    const from = lowerBound(candles.time, span.fromMs);
    let until = lowerBound(candles.time, span.untilMs);
    while (until > from && labelEndMs(candles.time[until - 1], timeframe, horizonBars) > span.untilMs)
      until--;
    const realised = returnsWithin(candles, { timeframe, horizonBars, from, until });
    const volatility = labels ? marketVolatility(panel).volatility[s] : undefined;
    for (let row = from; volatility !== undefined && row < until; row++) {
      const side = Math.sign(stated[row]);
      if (!(Math.abs(side) > 0) || Number.isNaN(realised[row - from])) continue;
      const seen = {
        expectedReturn: stated[row],
        confidence: confidence[row],
        volatility: volatility[row],
        horizonBars,
      };
      rows.push({
        time: candles.time[row],
        s,
        inputs: labelInputs(seen),
        realised: realised[row - from],
        side,
      });
    }
    return [
      {
        time: candles.time.subarray(from, until),
        stated: stated.subarray(from, until),
        realised,
      },
    ];
  });
  const options = { horizonBars, barMs: TIMEFRAME_MS[timeframe] };
  const edge = measureEdge(series, options);
  return edge && labels ? { ...edge, labels: fitLabels(rows, options) } : edge;
}
