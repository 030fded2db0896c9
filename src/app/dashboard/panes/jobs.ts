import { duration } from '../../../core/foundation/duration.ts';
import { minute } from '../format.ts';
import { bold, dim, plain, type Span, table } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { JobView } from '../view.ts';

export const jobsPane: Pane = {
  id: 'jobs',
  title: ({ jobs }) => {
    const running = jobs?.filter(({ state }) => state === 'running').length ?? 0;
    return `Jobs of \`serve\`${running === 0 ? '' : `: ${running} running`}`;
  },
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ jobs }, room) => {
    if (jobs === undefined) return [[dim('Reading the jobs ...')]];
    if (jobs.length === 0)
      return [[dim('No job yet: what `crypto-trader serve` is asked for in the browser shows here.')]];
    return table(['kind', 'state', 'since', 'took', 'says'], jobs.map(cells), room);
  },
};

const STATE_COLOUR: Readonly<Record<string, Span['colour']>> = {
  done: 'good',
  failed: 'bad',
  cancelled: 'warn',
  running: 'accent',
};

function cells({ kind, state, since, seconds, line }: JobView): readonly Span[] {
  const colour = STATE_COLOUR[state];
  return [
    bold(kind),
    { text: state, ...(colour && { colour }) },
    plain(minute(since)),
    plain(seconds === undefined ? '' : duration(seconds)),
    plain(line ?? ''),
  ];
}
