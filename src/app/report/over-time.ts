import { underwater } from '../../core/evaluation/drawdown.ts';
import type { Assessment, Traded } from '../../lab/backtest/assess.ts';
import type { VotesOverTime } from '../../lab/backtest/votes.ts';
import { money, moneyUnit } from '../../lab/backtest/money.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { thin } from './curves.ts';
import { rollingMean, rollingSharpe } from './rolling.ts';
import { renderChart, type Section } from './page.ts';
import { figure } from './text.ts';

/** Enough for any screen, small enough for a mail. */
const CHART_POINTS = 2500;

/** Lines of one chart over time: what `lineChart` in the browser draws. */
interface ChartSpec {
  readonly height: number;
  readonly format: 'money' | 'percent' | 'ratio';
  readonly series: readonly {
    readonly label: string;
    readonly values: readonly (number | null)[];
    readonly colour: string;
    readonly width?: number;
    readonly dashed?: boolean;
    readonly fill?: boolean;
    /** Default: yes. */
    readonly shown?: boolean;
  }[];
}

const HOLD = { colour: 'c1', dashed: true };

/** Curves by the id of their chart, and the seconds since 1970 that they share. */
export function overTimeCharts(
  result: Backtest,
  alone: readonly Traded[],
  votes: readonly VotesOverTime[],
): {
  readonly time: readonly (number | null)[];
  readonly overTime: Readonly<Record<string, ChartSpec>>;
} {
  const { market, ensemble, benchmark, members, setting } = result;
  const { initialBalance } = setting.rules;
  const percentOf = (values: Float64Array): Float64Array => values.map((value) => 100 * value);
  const depth = ({ strategy, run }: Assessment) => ({
    label: strategy.name,
    values: thin(percentOf(underwater(run.equity, initialBalance)), CHART_POINTS, {
      keep: 'lowest',
      digits: 5,
    }),
  });
  const curve = ({ strategy, run }: Traded) => ({
    label: strategy.name,
    values: thin(run.equity, CHART_POINTS),
  });
  const exposure = thin(percentOf(ensemble.run.exposure), CHART_POINTS, { digits: 4 });
  const span = rollingSpan(result);
  const sharpe = ({ returns }: Assessment): (number | null)[] =>
    thin(rollingSharpe(returns, span.bars, setting.barsPerYear), CHART_POINTS, { digits: 4 });
  const meanExposure = thin(rollingMean(percentOf(ensemble.run.exposure), span.bars), CHART_POINTS, {
    digits: 4,
  });
  const seconds = market.time.map((ms) => ms / 1000);
  return {
    time: thin(seconds, CHART_POINTS, { digits: 12 }),
    overTime: {
      equity: {
        height: 360,
        format: 'money',
        series: [
          { ...curve(ensemble), colour: 'c0', width: 2.2 },
          { ...curve(benchmark), ...HOLD },
          ...alone.map((one, i) => ({
            ...curve(one),
            colour: `c${9 - (i % 8)}`,
            dashed: true,
            shown: false,
          })),
          ...members.map((one, i) => ({
            ...curve(one),
            colour: `c${2 + (i % 8)}`,
            shown: one.strategy.kind !== 'baseline' && members.length <= 4,
          })),
        ],
      },
      drawdown: {
        height: 180,
        format: 'percent',
        series: [
          { ...depth(ensemble), colour: 'c5', fill: true },
          { ...depth(benchmark), ...HOLD },
        ],
      },
      rolling: {
        height: 180,
        format: 'ratio',
        series: [
          { label: ensemble.strategy.name, values: sharpe(ensemble), colour: 'c0', width: 1.8 },
          { label: benchmark.strategy.name, values: sharpe(benchmark), ...HOLD },
        ],
      },
      exposure: {
        height: 150,
        format: 'percent',
        series: [
          { label: 'at the close', values: exposure, colour: 'c3', fill: true },
          { label: `mean of ${span.text}`, values: meanExposure, colour: 'c2', width: 1.8 },
        ],
      },
      ...(votes.length > 0 && {
        votes: {
          height: 200,
          format: 'percent' as const,
          series: votes.map(({ model, share }, i) => ({
            label: model,
            values: thin(rollingMean(percentOf(share), span.bars), CHART_POINTS, { digits: 4 }),
            colour: `c${i % 10}`,
            width: 1.8,
          })),
        },
      }),
    },
  };
}

/** Thirty days, or a quarter of the bars where there are fewer than four times as many; never below 20 bars. */
function rollingSpan({ market, setting }: Backtest): { readonly bars: number; readonly text: string } {
  const perDay = setting.barsPerYear / 365;
  const bars = Math.max(20, Math.round(Math.min(30 * perDay, market.time.length / 4)));
  const days = bars / perDay;
  return { bars, text: days >= 2 ? `${Math.round(days)} days` : `${bars} bars` };
}

export function renderOverTime(result: Backtest, votes: readonly VotesOverTime[]): Section {
  const { ensemble, benchmark } = result;
  const span = rollingSpan(result);
  const ends = [ensemble, benchmark].map(
    ({ strategy, run }) =>
      `${strategy.name} ends at ${money(run.equity.at(-1) ?? NaN, run.portfolio.rules.initialBalance)}`,
  );
  return {
    id: 'over-time',
    title: 'Over time',
    body: [
      renderChart(
        'equity',
        `Equity in ${moneyUnit(result.setting.rules)} at bar closes. A name in the legend shows or hides its curve; the buttons, a drag over a chart, or + and - choose the range of all charts over time.`,
        `Equity: ${ends.join(', ')}.`,
        { hasTools: true },
      ),
      renderChart(
        'drawdown',
        'Drawdown: fall from the highest equity before; the deepest of each stretch.',
        `Drawdown: deepest ${figure(ensemble.metrics.maxDrawdownPct)} %.`,
      ),
      renderChart(
        'rolling',
        `Rolling Sharpe ratio of the last ${span.text}, annualised. Over so short a time it swings by several units without any change of skill.`,
        `Sharpe ratio of the last ${span.text}: ${figure(ensemble.metrics.sharpe, 2)} over the whole range.`,
      ),
      renderChart(
        'exposure',
        'Exposure: gross position value over equity.',
        `Exposure: ${figure(ensemble.metrics.averageExposurePct)} % on average.`,
      ),
      ...(votes.length > 0
        ? [
            renderChart(
              'votes',
              `What each model counted for in the ensemble, its confidence included: mean of the last ${span.text}. A model without an opinion counts nothing there.`,
              `Votes of ${votes.map(({ model }) => model).join(', ')}.`,
            ),
          ]
        : []),
    ].join('\n'),
  };
}
