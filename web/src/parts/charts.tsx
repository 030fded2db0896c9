import { lazy, Suspense } from 'preact/compat';
import type { ComponentProps } from 'preact';

/** The two libraries of charts come when a page first draws with them. */
const LazyCandles = lazy(() => import('./candle-chart.tsx'));
const LazyCurves = lazy(() => import('./curve-chart.tsx'));

export const CandleChart = (props: ComponentProps<typeof LazyCandles>) => (
  <Suspense fallback={<div class="chart" style={{ height: `${props.height ?? 380}px` }} />}>
    <LazyCandles {...props} />
  </Suspense>
);
export const CurveChart = (props: ComponentProps<typeof LazyCurves>) => (
  <Suspense fallback={<div class="curve" style={{ height: `${(props.height ?? 240) + 30}px` }} />}>
    <LazyCurves {...props} />
  </Suspense>
);
