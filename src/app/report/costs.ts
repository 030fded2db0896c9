import type { Backtest } from '../../lab/backtest/backtest.ts';
import { chargedBps } from './cost-words.ts';
import type { Section } from './page.ts';
import { linePath, range, renderPlot } from './plot.ts';
import { figure } from './text.ts';

/** What the ensemble returns at other costs, and where it breaks even. */
export function renderCosts({ costs, ensemble }: Backtest): Section | undefined {
  if (costs === undefined) return undefined;
  const points = costs.points.map(({ costBps, totalReturnPct }) => [costBps, totalReturnPct] as const);
  const [low, high] = range([0, ...points.map(([, value]) => value)]);
  const charged = chargedBps(ensemble.run);
  const breakEven =
    costs.breakEvenBps !== undefined
      ? `It breaks even at ${costs.breakEvenBps} bp per side.`
      : points[0][1] > 0
        ? 'There is no break-even below 200 bp.'
        : 'It earns nothing even for free.';
  return {
    id: 'costs',
    title: 'What costs take',
    body: `<p>Return of the ensemble when fee and slippage together are this much per side; this backtest charged ${figure(charged)} bp. ${breakEven}</p>
<div class="plots">${renderPlot({
      about: `Return by cost per side: ${points.map(([bps, value]) => `${bps} bp ${figure(value)} %`).join(', ')}.`,
      x: { label: 'cost per side, bp', low: 0, high: points[points.length - 1][0] },
      y: { label: 'return, %', low, high },
      draw: (scales) =>
        `<path class="zero" d="${linePath(
          [
            [0, 0],
            [points[points.length - 1][0], 0],
          ],
          scales,
        )}"/><path class="zero" d="M${scales.x(charged)} ${scales.y(low)}V${scales.y(high)}"/><path d="${linePath(points, scales)}"/>`,
    })}</div>`,
  };
}
