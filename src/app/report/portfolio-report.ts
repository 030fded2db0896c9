import { underwater } from '../../core/evaluation/drawdown.ts';
import { cluster, correlationDistance, optimalOrder } from '../../core/portfolio/clusters.ts';
import { finish } from '../../core/foundation/steps.ts';
import { correlationOf, estimateCovariance, sampleCovariance } from '../../core/portfolio/covariance.ts';
import { arithmeticMean, quadraticForm } from '../../core/portfolio/expected-returns.ts';
import { frontier, type Optimum, riskContributions } from '../../core/portfolio/mean-variance.ts';
import { openLimits } from '../../core/portfolio/limits.ts';
import { positiveDefinite } from '../../core/portfolio/symmetric.ts';
import { returnWindow } from '../../core/portfolio/universe.ts';
import { comparisonLines, EQUAL_WEIGHT, type PortfolioAssessment } from '../../lab/portfolio/assess.ts';
import { tableOf } from '../../lab/portfolio/walk-forward.ts';
import type { PortfolioBacktest } from '../workflows/portfolio.ts';
import { escapeHtml, renderPage, renderTable } from './page.ts';
import { day, digits, figure } from './text.ts';

/** Enough for any screen. */
const POINTS = 240;
const [WIDTH, HEIGHT] = [640, 260];
const [LEFT, BOTTOM, TOP] = [64, 28, 8];
/** Pictures shrink with the screen, and their letters must not shrink as far. */
const ON_PHONES = '<style>@media (max-width: 640px) { .static text { font-size: 21px } }</style>';

/** A walk forward as one HTML page that works offline. Pictures are SVG in the page's own colours, light and dark. */
export function renderPortfolioReport({ source, comparison, task }: PortfolioBacktest): string {
  const { assessments } = comparison;
  const shown = chosenOf(assessments);
  const first = assessments[0].run;
  const warning = source.synthetic
    ? '<p class="warning">SYNTHETIC candles: these figures say nothing about any market.</p>'
    : '';
  const header = `<h1>Portfolio of ${source.members.length} assets</h1>
<p class="faint">${escapeHtml(source.exchange)} ${source.timeframe}, ${day(first.time[0])} to ${day(first.time[first.time.length - 1])} UTC, ${comparison.bars} bars. Weights are chosen on the last ${task.windowBars} returns and fill at the next open, with ${task.rules.feeBps} bp fee and ${task.rules.slippageBps} bp slippage.</p>
${warning}${ON_PHONES}${source.notes.map((note) => `<p class="faint">${escapeHtml(note)}</p>`).join('\n')}`;
  return renderPage({
    title: `Portfolio of ${source.members.length} assets`,
    header,
    sections: [
      {
        id: 'verdict',
        title: 'Does anything beat equal weights?',
        body: verdict(assessments, comparisonLines(comparison)),
      },
      { id: 'growth', title: 'What one became', body: growth(assessments) },
      {
        id: 'weights',
        title: 'Weights over time',
        body: shown
          .map((one) =>
            weights(
              one,
              source.members.map(({ symbol }) => symbol),
            ),
          )
          .join('\n'),
      },
      {
        id: 'now',
        title: 'The frontier now',
        body: frontierNow(source, task.windowBars, task.settings.covariance, shown),
      },
      { id: 'correlation', title: 'What moves together', body: heatMap(source, task.windowBars) },
      {
        id: 'risk',
        title: 'Who brings the risk',
        body: contributions(source, task.windowBars, task.settings.covariance, shown),
      },
      { id: 'drawdowns', title: 'Drawdowns', body: drawdownChart(assessments) },
      { id: 'costs', title: 'Turnover and costs', body: costs(assessments) },
    ],
    data: {},
    script: '',
  });
}

/** The pictures are of equal weights and of the four with the highest ratios; the tables have all. */
function chosenOf(assessments: readonly PortfolioAssessment[]): readonly PortfolioAssessment[] {
  const ranked = assessments
    .filter(({ run }) => run.id !== EQUAL_WEIGHT && run.rebalances.length > 1)
    .toSorted((a, b) => (b.sharpe ?? -Infinity) - (a.sharpe ?? -Infinity));
  return [...assessments.filter(({ run }) => run.id === EQUAL_WEIGHT), ...ranked.slice(0, 4)];
}

function verdict(assessments: readonly PortfolioAssessment[], lines: readonly string[]): string {
  const rows = assessments.map((one) => [
    one.run.id,
    figure(one.totalReturnPct),
    figure(one.volatilityPct),
    figure(one.sharpe, 2),
    interval(one.sharpe95),
    figure(one.overEqualWeight?.difference, 2),
    interval(one.overEqualWeight?.interval),
    figure(one.maxDrawdownPct),
    figure(one.deflatedSharpe, 2),
  ]);
  const head = [
    'strategy',
    'return %',
    'volatility %',
    'Sharpe',
    '95 %',
    'over 1/N',
    '95 % ',
    'drawdown %',
    'deflated',
  ];
  return `${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
<p class="faint">Annualised, risk-free rate 0, after fees and slippage. Deflated: probability that the true ratio is above what the best of all that were tried would show by luck.</p>
${renderTable(head, rows, { name: 'strategies' })}`;
}

const interval = (own: { readonly low: number; readonly high: number } | undefined): string =>
  own === undefined ? '-' : `${own.low.toFixed(2)} to ${own.high.toFixed(2)}`;

/** Rows that are drawn: the last of each stretch. */
function drawnRows(length: number): readonly number[] {
  const count = Math.min(POINTS, length);
  return Array.from({ length: count }, (_, k) =>
    count === 1 ? 0 : Math.round((k * (length - 1)) / (count - 1)),
  );
}

interface Line {
  readonly label: string;
  readonly values: readonly number[];
  readonly colour: string;
  readonly dashed?: boolean;
}

const colourOf = (i: number): string => `var(--c${i % 10})`;

function growth(assessments: readonly PortfolioAssessment[]): string {
  const { time } = assessments[0].run;
  const rows = drawnRows(time.length);
  const lines = assessments.map(({ run }, i): Line => ({
    label: run.id,
    values: rows.map((row) => run.equity[row] / run.initialBalance),
    colour: colourOf(i),
    dashed: run.rebalances.length <= 1 || run.id === EQUAL_WEIGHT,
  }));
  return lineChart('Capital after costs, from 1 on; logarithmic', time, rows, lines, {
    log: true,
    format: (value) => digits(value, 2),
  });
}

function drawdownChart(assessments: readonly PortfolioAssessment[]): string {
  const { time } = assessments[0].run;
  const rows = drawnRows(time.length);
  const lines = assessments.map(({ run }, i): Line => {
    const depth = underwater(run.equity, run.initialBalance);
    return {
      label: run.id,
      values: rows.map((row) => 100 * depth[row]),
      colour: colourOf(i),
      dashed: run.id === EQUAL_WEIGHT,
    };
  });
  return lineChart('Fall from the highest capital before, in percent', time, rows, lines, {
    format: (value) => `${value.toFixed(0)} %`,
  });
}

function costs(assessments: readonly PortfolioAssessment[]): string {
  const { time } = assessments[0].run;
  const rows = drawnRows(time.length);
  const lines = assessments.map(({ run }, i): Line => ({
    label: run.id,
    values: rows.map((row) => run.costsQuote[row]),
    colour: colourOf(i),
  }));
  const table = assessments.map(({ run, turnoverPerYear }) => [
    run.id,
    figure(turnoverPerYear),
    String(run.rebalances.length),
    figure(run.feesQuote, 0),
    figure(run.slippageQuote, 0),
  ]);
  return `${lineChart('Fees and slippage so far, quote currency', time, rows, lines, { format: (value) => value.toFixed(0) })}
<p class="faint">Turnover: sum of absolute changes of weights, in capitals a year; 2 exchanges everything once.</p>
${renderTable(['strategy', 'turnover a year', 'rebalances', 'fees', 'slippage'], table, { name: 'costs' })}`;
}

function lineChart(
  caption: string,
  time: Float64Array,
  rows: readonly number[],
  lines: readonly Line[],
  { log = false, format }: { readonly log?: boolean; readonly format: (value: number) => string },
): string {
  const scale = (value: number): number => (log ? Math.log(Math.max(value, 1e-6)) : value);
  const all = lines.flatMap(({ values }) => values.map(scale));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (value: number): number =>
    TOP + ((high - scale(value)) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const x = (k: number): number => LEFT + (k / Math.max(1, rows.length - 1)) * (WIDTH - LEFT - 8);
  const ticks = Array.from({ length: 5 }, (_, k) => low + ((high - low) * k) / 4).map((value) =>
    log ? Math.exp(value) : value,
  );
  const grid = ticks.map(
    (value) =>
      `<path class="grid" d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - 8}"/><text x="${LEFT - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${escapeHtml(format(value))}</text>`,
  );
  const paths = lines.map(
    ({ label, values, colour, dashed }) =>
      `<path style="stroke:${colour}"${dashed === true ? ' stroke-dasharray="5 4"' : ''} d="${values.map((value, k) => `${k === 0 ? 'M' : 'L'}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join('')}"><title>${escapeHtml(label)}</title></path>`,
  );
  return picture(caption, [...grid, ...paths, ...days(time, rows)], lines);
}

const days = (time: Float64Array, rows: readonly number[]): readonly string[] =>
  [0, 0.5, 1].map((share) => {
    const at = rows[Math.round(share * (rows.length - 1))];
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text x="${(LEFT + share * (WIDTH - LEFT - 8)).toFixed(0)}" y="${HEIGHT - 6}" text-anchor="${anchor}">${day(time[at])}</text>`;
  });

function picture(
  caption: string,
  parts: readonly string[],
  lines: readonly {
    readonly label: string;
    readonly colour: string;
    readonly dashed?: boolean;
    readonly pale?: boolean;
  }[],
): string {
  const legend = lines.map(
    ({ label, colour, dashed, pale }) =>
      `<span><span class="swatch${dashed === true ? ' dashed' : ''}" style="border-color:${colour}${pale === true ? ';opacity:0.5' : ''}"></span>${escapeHtml(label)}</span>`,
  );
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption><svg class="static" style="max-width:100%" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(caption)}">${parts.join('')}</svg><div class="legend">${legend.join('')}</div></figure>`;
}

/** The twenty largest weights have areas of their own, the second ten paler, the others share one; what is not invested is cash. */
function weights({ run }: PortfolioAssessment, symbols: readonly string[]): string {
  const rows = drawnRows(run.time.length);
  const mean = run.weights.map(
    (column) => column.reduce((sum, weight) => sum + Math.abs(weight), 0) / column.length,
  );
  const ranked = [...mean.keys()].filter((i) => mean[i] > 0).toSorted((a, b) => mean[b] - mean[a]);
  const [own, others] = [ranked.slice(0, 20), ranked.slice(20)];
  const areas = [
    ...own.map((i, at) => ({
      label: symbols[i].split('/')[0],
      colour: colourOf(at),
      pale: at >= 10,
      of: (row: number) => Math.max(0, run.weights[i][row]),
    })),
    ...(others.length === 0
      ? []
      : [
          {
            label: `${others.length} others`,
            colour: colourOf(9),
            pale: true,
            of: (row: number) => others.reduce((sum, i) => sum + Math.max(0, run.weights[i][row]), 0),
          },
        ]),
  ];
  const base = new Float64Array(rows.length);
  const x = (k: number): number => LEFT + (k / Math.max(1, rows.length - 1)) * (WIDTH - LEFT - 8);
  const y = (share: number): number => TOP + (1 - Math.min(1, share)) * (HEIGHT - TOP - BOTTOM);
  const shapes = areas.map(({ label, colour, pale, of }) => {
    const lower = rows.map((_, k) => `${x(k).toFixed(1)} ${y(base[k]).toFixed(1)}`);
    for (const [k, row] of rows.entries()) base[k] += of(row);
    const upper = rows.map((_, k) => `${x(k).toFixed(1)} ${y(base[k]).toFixed(1)}`);
    return `<path style="fill:${colour};stroke:none${pale ? ';opacity:0.5' : ''}" d="M${upper.join('L')}L${lower.toReversed().join('L')}Z"><title>${escapeHtml(label)}</title></path>`;
  });
  const ticks = [0, 0.5, 1].map(
    (share) =>
      `<text x="${LEFT - 6}" y="${(y(share) + 4).toFixed(1)}" text-anchor="end">${100 * share} %</text>`,
  );
  return `<h3>${escapeHtml(run.id)}</h3>${picture(`Weights held at each close by ${run.id}; the rest is cash`, [...shapes, ...ticks, ...days(run.time, rows)], areas)}`;
}

type Source = PortfolioBacktest['source'];

function newest(source: Source, windowBars: number) {
  return returnWindow(tableOf(source), source.market.time.length - 1, windowBars, source.members);
}

function frontierNow(
  source: Source,
  windowBars: number,
  name: Parameters<typeof estimateCovariance>[0],
  shown: readonly PortfolioAssessment[],
): string {
  const { assets, returns } = newest(source, windowBars);
  if (assets.length < 2) return '<p>Fewer than two assets have a whole window now.</p>';
  const symbols = assets.map((i) => source.members[i].symbol);
  const covariance = positiveDefinite(estimateCovariance(name, returns)).matrix;
  const expected = arithmeticMean(returns);
  const curve = finish(
    frontier(
      {
        symbols,
        expected,
        covariance,
        limits: openLimits(assets.length),
        current: new Float64Array(assets.length),
        costRate: 0,
      },
      40,
    ),
  );
  const year = (own: Pick<Optimum, 'expectedReturn' | 'volatility'>): readonly [number, number] => [
    100 * Math.sqrt(365) * own.volatility,
    36500 * own.expectedReturn,
  ];
  const dots = assets.map((_, at) =>
    year({ expectedReturn: expected[at], volatility: Math.sqrt(covariance[at][at]) }),
  );
  const points = shown.map(({ run }, at) => {
    const last = run.rebalances[run.rebalances.length - 1].weights;
    const own = Float64Array.from(assets, (i) => last[i]);
    const spot = year({
      expectedReturn: own.reduce((sum, weight, i) => sum + weight * expected[i], 0),
      volatility: Math.sqrt(quadraticForm(covariance, own)),
    });
    return { label: run.id, colour: colourOf(at), spot };
  });
  const line = curve.map(year);
  const all = [...dots, ...line, ...points.map(({ spot }) => spot)];
  const [minX, maxX] = [Math.min(...all.map(([x]) => x)) * 0.95, Math.max(...all.map(([x]) => x)) * 1.02];
  const [minY, maxY] = [Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  const x = (value: number): string =>
    (LEFT + 8 + ((value - minX) / (maxX - minX)) * (WIDTH - LEFT - 60)).toFixed(1);
  const y = (value: number): string =>
    (TOP + 8 + ((maxY - value) / (maxY - minY || 1)) * (HEIGHT - TOP - BOTTOM - 16)).toFixed(1);
  const parts = [
    ...[minY, (minY + maxY) / 2, maxY].map(
      (value) =>
        `<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - 8}"/><text x="${LEFT - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${value.toFixed(0)} %</text>`,
    ),
    ...[0, 0.5, 1].map(
      (share) =>
        `<text x="${x(minX + share * (maxX - minX))}" y="${HEIGHT - 6}" text-anchor="middle">${(minX + share * (maxX - minX)).toFixed(0)} %</text>`,
    ),
    `<path d="M${line.map(([a, b]) => `${x(a)} ${y(b)}`).join('L')}"/>`,
    ...dots.map(
      ([a, b], at) =>
        `<circle cx="${x(a)}" cy="${y(b)}" r="3" style="fill:var(--faint)"/><text x="${Number(x(a)) + 5}" y="${Number(y(b)) + 4}">${escapeHtml(symbols[at].split('/')[0])}</text>`,
    ),
    ...points.map(
      ({ label, colour, spot: [a, b] }) =>
        `<circle cx="${x(a)}" cy="${y(b)}" r="5.5" style="fill:${colour}"><title>${escapeHtml(label)}</title></circle>`,
    ),
  ];
  return `<p class="faint">Volatility to the right, mean return upwards, both a year and of the last ${windowBars} days: history, no forecast. Large dots are the strategies' last weights.</p>${picture('Efficient frontier, the assets and the chosen points', parts, points)}`;
}

function heatMap(source: Source, windowBars: number): string {
  const { assets, returns } = newest(source, windowBars);
  if (assets.length < 2) return '<p>Fewer than two assets have a whole window now.</p>';
  const matrix = correlationOf(sampleCovariance(returns));
  const distances = correlationDistance(matrix);
  const order = optimalOrder(cluster(distances, 'ward'), distances);
  const base = (at: number): string => source.members[assets[at]].symbol.split('/')[0];
  const size = 24;
  const [left, top] = [50, 50];
  const cells = order.flatMap((i, row) =>
    order.map((j, column) => {
      const value = matrix[i][j];
      const colour = value >= 0 ? 'var(--c0)' : 'var(--c2)';
      return `<rect x="${left + column * size}" y="${top + row * size}" width="${size - 1}" height="${size - 1}" style="fill:${colour};opacity:${Math.max(0.04, Math.abs(value) ** 2).toFixed(2)}"><title>${escapeHtml(`${base(i)} and ${base(j)}: ${value.toFixed(2)}`)}</title></rect>`;
    }),
  );
  const names = order.flatMap((i, at) => [
    `<text x="${left - 5}" y="${top + at * size + 16}" text-anchor="end">${escapeHtml(base(i))}</text>`,
    `<text transform="translate(${left + at * size + 15} ${top - 6}) rotate(-60)">${escapeHtml(base(i))}</text>`,
  ]);
  const side = left + order.length * size + 26;
  const rows = order.map((i) => [base(i), ...order.map((j) => matrix[i][j].toFixed(2))]);
  return `<p class="faint">Correlation of the last ${windowBars} returns in the order of clusters (Ward, neighbours as near as can be): the stronger the colour, the closer to 1.</p>
<svg class="static" style="max-width:${side}px" viewBox="0 0 ${side} ${top + order.length * size + 4}" role="img" aria-label="Correlation heat map">${[...cells, ...names].join('')}</svg>
<details><summary>As numbers</summary>${renderTable(['', ...order.map(base)], rows, { name: 'correlation' })}</details>`;
}

function contributions(
  source: Source,
  windowBars: number,
  name: Parameters<typeof estimateCovariance>[0],
  shown: readonly PortfolioAssessment[],
): string {
  const { assets, returns } = newest(source, windowBars);
  if (assets.length === 0) return '<p>No asset has a whole window now.</p>';
  const covariance = positiveDefinite(estimateCovariance(name, returns)).matrix;
  const columns = shown.map(({ run }) => {
    const last = run.rebalances[run.rebalances.length - 1].weights;
    const own = Float64Array.from(assets, (i) => last[i]);
    return { own, share: riskContributions(covariance, own) };
  });
  const rows = assets.map((i, at) => [
    source.members[i].symbol,
    ...columns.map(({ own, share }) =>
      own[at] === 0 ? '-' : `${(100 * share[at]).toFixed(1)} (${(100 * own[at]).toFixed(1)})`,
    ),
  ]);
  return `<p class="faint">Share of the variance that each asset brings, in percent, with its weight in brackets: the last weights, the last ${windowBars} returns.</p>
${renderTable(['asset', ...shown.map(({ run }) => run.id)], rows, { name: 'risk contributions' })}`;
}
