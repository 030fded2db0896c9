import type { Controls } from './controls.ts';
import { minute } from './format.ts';
import { textOf } from './lines.ts';
import type { DashboardView } from './view.ts';
import { viewNamed } from './views.ts';

/** More than this of one list is not read out. */
const MOST_LINES = 40;

/** A view as lines of text alone: for screen readers, and for logs. */
export function spokenView(view: DashboardView, controls: Controls): string {
  const { title, panes } = viewNamed(controls.view);
  const { session } = view;
  const stale = session?.overdueSeconds === undefined ? '' : ' The next bar is overdue.';
  const synthetic = session?.synthetic === true ? ' SYNTHETIC candles.' : '';
  const about =
    session === undefined ? '' : ` Session ${session.sessionId}, ${session.bars} bars.${synthetic}${stale}`;
  const lines = [`${title} at ${minute(view.time)} UTC.${about}`];
  for (const pane of panes) {
    const name = typeof pane.title === 'string' ? pane.title : pane.title(view, controls);
    const texts = pane
      .lines(view, { width: Infinity, rows: MOST_LINES, spoken: true }, controls)
      .map((line) => textOf(line).trim())
      .filter((text) => text !== '');
    lines.push('', `${name}:`);
    const shown = pane.anchor === 'bottom' ? texts.slice(-MOST_LINES) : texts.slice(0, MOST_LINES);
    lines.push(...shown);
    if (texts.length > shown.length) lines.push(`And ${texts.length - shown.length} more.`);
  }
  return lines.join('\n');
}
