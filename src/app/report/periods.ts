import type { Backtest } from '../../lab/backtest/backtest.ts';
import { escapeHtml, type Section } from './page.ts';
import { renderPlot } from './plot.ts';
import { figure } from './text.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;

/** Equity at the ends of stretches of time, as returns from one to the next; the first from the start. */
export interface PeriodReturn {
  /** Start of the stretch, epoch ms UTC. */
  readonly startMs: number;
  readonly returnPct: number;
}

/**
 * Returns from period to period of an equity curve at bar closes, `startOf` giving the start of the period that a time
 * belongs to. A period that begins or ends inside is a part of one. Nothing after ruin.
 */
export function periodReturns(
  time: Float64Array,
  equity: Float64Array,
  initial: number,
  startOf: (timeMs: number) => number,
): readonly PeriodReturn[] {
  const found: PeriodReturn[] = [];
  let before = initial;
  for (let row = 0; row < time.length; row++) {
    const startMs = startOf(time[row]);
    if (row + 1 < time.length && startOf(time[row + 1]) === startMs) continue;
    if (before <= 0) break;
    found.push({ startMs, returnPct: 100 * (equity[row] / before - 1) });
    before = equity[row];
  }
  return found;
}

export const startOfMonth = (timeMs: number): number => {
  const date = new Date(timeMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
};
export const startOfDay = (timeMs: number): number => Math.floor(timeMs / DAY_MS) * DAY_MS;
const startOfYear = (timeMs: number): number => Date.UTC(new Date(timeMs).getUTCFullYear(), 0, 1);

/** Month by month, and how the days were distributed. */
export function renderPeriods(result: Backtest): Section {
  const { market, ensemble, benchmark, setting } = result;
  const { initialBalance } = setting.rules;
  const returnsOf = (one: typeof ensemble, startOf: (timeMs: number) => number): readonly PeriodReturn[] =>
    periodReturns(market.time, one.run.equity, initialBalance, startOf);
  const days = returnsOf(ensemble, startOfDay).map(({ returnPct }) => returnPct);
  const held = returnsOf(benchmark, startOfDay).map(({ returnPct }) => returnPct);
  return {
    id: 'periods',
    title: 'Months and days',
    body: `<p class="faint">Return of each calendar month (UTC) in percent; the first and the last may be parts of months.</p>
${heatMap(returnsOf(ensemble, startOfMonth), returnsOf(ensemble, startOfYear))}
${days.length < 10 ? '' : distribution(days, held, ensemble.strategy.name, benchmark.strategy.name)}`,
  };
}

/** How much of the colour the largest return gets: more, and the figure on it is hard to read. */
export const HEAT_PCT = 38;

function heatMap(months: readonly PeriodReturn[], years: readonly PeriodReturn[]): string {
  const largest = Math.max(1e-9, ...months.map(({ returnPct }) => Math.abs(returnPct)));
  const cell = (returnPct: number | undefined): string => {
    if (returnPct === undefined) return '<td></td>';
    const share = Math.round((HEAT_PCT * Math.abs(returnPct)) / largest);
    const tone = returnPct < 0 ? 'c2' : 'c0';
    return `<td class="number heat" style="background: color-mix(in srgb, var(--${tone}) ${share}%, transparent)"><span>${figure(returnPct)}</span></td>`;
  };
  const rows = years.map(({ startMs, returnPct }) => {
    const year = new Date(startMs).getUTCFullYear();
    const cells = MONTHS.map((_, m) =>
      cell(months.find((one) => one.startMs === Date.UTC(year, m, 1))?.returnPct),
    );
    return `<tr><th scope="row">${year}</th>${cells.join('')}<td class="number"><b>${figure(returnPct)}</b></td></tr>`;
  });
  const heads = ['year', ...MONTHS, 'all'].map(
    (text, i) => `<th scope="col"${i === 0 ? '' : ' class="number"'}>${text}</th>`,
  );
  return `<div class="table"><div class="scroll" role="region" tabindex="0" aria-label="months"><table data-name="months"><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></div>`;
}

const BINS = 40;

/** Days by their return, in bins of one width; the outermost hold what lies beyond. */
function distribution(days: readonly number[], held: readonly number[], name: string, other: string): string {
  const sorted = [...days, ...held].map(Math.abs).sort((a, b) => a - b);
  // Ninety-nine of a hundred days are inside.
  const edge = Math.max(0.1, sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))]);
  const width = (2 * edge) / BINS;
  const shares = (values: readonly number[]): number[] => {
    const counts = Array.from({ length: BINS }, () => 0);
    for (const value of values)
      counts[Math.max(0, Math.min(BINS - 1, Math.floor((value + edge) / width)))] += 100 / values.length;
    return counts;
  };
  const [own, theirs] = [shares(days), shares(held)];
  const high = 1.05 * Math.max(...own, ...theirs);
  const ordered = [...days].sort((a, b) => a - b);
  const at = (level: number): string => figure(ordered[Math.floor(level * (ordered.length - 1))], 2);
  const up = days.filter((value) => value > 0).length;
  const text = `Of ${days.length} days ${figure((100 * up) / days.length, 0)} % rose; the worst lost ${figure(-ordered[0], 2)} %, the best won ${figure(ordered[ordered.length - 1], 2)} %; half of them lie between ${at(0.25)} and ${at(0.75)} %.`;
  const plot = renderPlot({
    about: `Distribution of daily returns. ${text}`,
    x: { label: 'return of a day, %', low: -edge, high: edge },
    y: { label: 'share of days, %', low: 0, high },
    draw: ({ x, y }) =>
      own
        .map((share, i) => {
          const left = x(-edge + i * width);
          return share === 0
            ? ''
            : `<rect x="${left}" y="${y(share)}" width="${Math.max(1, x(-edge + (i + 1) * width) - left - 0.8).toFixed(1)}" height="${(y(0) - y(share)).toFixed(1)}"/>`;
        })
        .join('') +
      `<path class="other" d="${theirs.map((share, i) => `${i === 0 ? 'M' : 'L'}${x(-edge + i * width)} ${y(share)}H${x(-edge + (i + 1) * width)}`).join('')}"/>`,
  });
  return `<h3>Days</h3><p>${escapeHtml(text)} Bars: ${escapeHtml(name)}; line: ${escapeHtml(other)}.</p><div class="plots">${plot}</div>`;
}
