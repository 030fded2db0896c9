import { describe, expect, it } from 'vitest';
import { type Controls, START, VIEW_IDS } from '../../../src/app/dashboard/controls.ts';
import { type Command, KEYS, press } from '../../../src/app/dashboard/keys.ts';
import { textOf } from '../../../src/app/dashboard/lines.ts';
import { paletteFor } from '../../../src/app/dashboard/palette.ts';
import { intervalPicture } from '../../../src/app/dashboard/panes/models.ts';
import { VIEWS } from '../../../src/app/dashboard/views.ts';
import { amount, percent, price, signed } from '../../../src/app/dashboard/format.ts';
import { duration } from '../../../src/core/foundation/duration.ts';
import { createHistory } from '../../../src/app/dashboard/history.ts';
import { limit, placePanes, shareRows } from '../../../src/app/dashboard/layout.ts';
import { sparkline } from '../../../src/app/dashboard/sparkline.ts';
import type { DashboardView } from '../../../src/app/dashboard/view.ts';
import { busy, empty } from './sample.ts';

describe('a sparkline', () => {
  it('rises from an eighth of a block to full height', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, 1)).toEqual(['▁▂▃▄▅▆▇█']);
    expect(sparkline([0, 15], 2, 2)).toEqual([' █', '▁█']);
  });
  it('averages what does not fit, and is half high when nothing changes', () => {
    expect(sparkline([0, 0, 7, 7], 2, 1)).toEqual(['▁█']);
    expect(sparkline([5, 5], 2, 1)).toEqual(['▁▁']);
    expect(sparkline([5, 5], 2, 2)).toEqual(['  ', '▁▁']);
  });
  it('of nothing is nothing', () => {
    expect(sparkline([], 10, 3)).toEqual([]);
    expect(sparkline([1], 0, 3)).toEqual([]);
  });
});

describe('numbers', () => {
  it.each([
    [price(1_234_567.891), '1 234 567.89'],
    [price(0.000123456), '0.00012346'],
    [signed(-1_234.5), '-1 234.50'],
    [percent(0), '+0.00 %'],
    [percent(-1.234), '-1.23 %'],
    [amount(0.123456789), '0.123457'],
    [duration(59), '59 s'],
    [duration(3_599), '60 min'],
    [duration(10_000), '2.8 h'],
    [duration(200_000), '2.3 d'],
  ])('%s', (written, expected) => expect(written).toBe(expected));
});

describe('a history', () => {
  it('keeps any number of points within its capacity, evenly, with the last one', () => {
    const history = createHistory(8);
    for (let i = 0; i < 1000; i++) history.add(i);
    const points = history.points();
    expect(points.length).toBeLessThanOrEqual(9);
    expect([points[0], points.at(-1)]).toEqual([0, 999]);
    const distances = points.slice(1, -1).map((point, i) => point - points[i]);
    expect(new Set(distances).size).toBe(1);
  });
});

describe('rows are shared', () => {
  const wishes = [
    { id: 'a', least: 2, wanted: 6 },
    { id: 'b', least: 2, wanted: 3 },
    { id: 'c', least: 1, wanted: 50 },
  ];
  const share = (rows: number, focus: string) =>
    shareRows(rows, wishes, ({ id }) => id === focus).map(({ wish, rows: given }) => [wish.id, given]);

  it('in order up to what each wants, the rest to the last', () => {
    expect(share(22, 'a')).toEqual([
      ['a', 6],
      ['b', 3],
      ['c', 10],
    ]);
  });
  it('first to the pane in focus', () => {
    expect(share(14, 'c')).toEqual([
      ['a', 2],
      ['b', 2],
      ['c', 7],
    ]);
  });
  it('never more than there are, dropping panes from the end but not the one in focus', () => {
    expect(share(5, 'c')).toEqual([
      ['a', 2],
      ['c', 1],
    ]);
    expect(share(2, 'c')).toEqual([['c', 1]]);
  });
});

describe('the screen', () => {
  it.each([
    [80, 24, 1],
    [140, 40, 2],
    [300, 100, 2],
  ])('of %i x %i has every pane, in %i stacks, and fills its rows', (columns, rows, stacks) => {
    const placed = placePanes(busy, START, { columns, rows });
    expect(placed).toHaveLength(stacks);
    expect(placed.flatMap(({ panes }) => panes)).toHaveLength(6);
    for (const { panes } of placed)
      expect(panes.reduce((sum, pane) => sum + pane.rows + 1, 0)).toBe(rows - 3);
  });
  it.each([
    [20, 5],
    [1, 1],
    [80, 8],
  ])('of %i x %i still shows something', (columns, rows) => {
    expect(placePanes(empty, START, { columns, rows })[0].panes.length).toBeGreaterThan(0);
  });
});

it('a model without skill is marked where it speaks and where it was trained', () => {
  const [first, ...others] = busy.signals;
  const marked = {
    ...busy,
    signals: [{ ...first, noSkill: true }, ...others],
    training: {
      runId: 'r',
      models: [{ model: 'gru', status: 'finished', seconds: 3, noSkill: 'it holds long only' }],
    },
  } satisfies DashboardView;
  const marks = (['overview', 'training'] as const)
    .flatMap((view) => linesOf(marked, { view }))
    .filter((line) => line.includes('no skill'));
  expect(marks).toEqual([
    expect.stringMatching(/^momentum \(no skill\) +25 % +short/),
    expect.stringMatching(/^gru .* done in 3 s, no skill/),
    expect.stringMatching(/no skill: it holds long only/),
  ]);
});

/** All lines of a view, at a size where everything has room. */
function linesOf(view: DashboardView, controls: Partial<Controls>): readonly string[] {
  return placePanes(view, { ...START, ...controls }, { columns: 160, rows: 120 })
    .flatMap(({ panes }) => panes)
    .flatMap(({ title, lines }) => [title, ...lines.map(textOf)]);
}

describe('keys', () => {
  const pressed = (...commands: Command[]): Controls => commands.reduce(press, START);
  it('walk through the panes both ways', () => {
    expect(pressed('next-pane', 'next-pane').focus).toBe('running');
    expect(pressed('previous-pane').focus).toBe('log');
    expect(pressed(...Array.from({ length: 6 }, () => 'next-pane' as const)).focus).toBe('equity');
  });
  it('walk through the views, and begin each at its first pane', () => {
    expect(pressed('next-view')).toMatchObject({ view: 'markets', focus: 'chart' });
    expect(pressed('previous-view').view).toBe('live');
    expect(pressed({ view: 'trades' }, 'down', { view: 'risk' })).toMatchObject({
      focus: 'gauges',
      cursor: 0,
    });
  });
  it('are one for each view, and no view is without', () => {
    expect(VIEWS.map(({ key }) => KEYS[key])).toEqual(VIEW_IDS.map((view) => ({ view })));
  });
  it('pause and resume, open and close the help', () => {
    expect([pressed('pause').paused, pressed('pause', 'pause').paused]).toEqual([true, false]);
    expect([pressed('help').help, pressed('help', 'close').help]).toEqual([true, false]);
  });
  it('filter by what is typed, in the views that can be filtered', () => {
    const typed = pressed({ view: 'logs' }, 'filter', { typed: 'wa' }, { typed: 'r' }, 'erase', 'accept');
    expect(typed).toMatchObject({ filter: 'wa', typing: false });
    expect(pressed({ view: 'risk' }, 'filter').typing).toBe(false);
    expect(press(typed, 'close').filter).toBe('');
  });
  it('scroll no further than there are lines, and back at once', () => {
    const size = { columns: 80, rows: 24 };
    let controls = pressed('previous-pane');
    const last = (at: Controls) => placePanes(busy, at, size)[0].panes.at(-1);
    for (let i = 0; i < 500; i++) controls = limit(busy, press(controls, 'up'), size);
    expect(last(controls)).toMatchObject({ first: 0, focused: true });
    expect(last(limit(busy, press(controls, 'down'), size))?.first).toBe(1);
    expect(limit(busy, press(pressed('previous-pane'), 'down'), size).scroll).toBe(0);
  });
  it('choose no line that is not there', () => {
    const size = { columns: 80, rows: 24 };
    const at = pressed({ view: 'trades' }, 'last');
    expect(limit(busy, at, size).cursor).toBe(1);
    expect(limit(busy, press(at, 'first'), size).cursor).toBe(0);
  });
});

describe('the chosen line of a long list', () => {
  const [trade] = busy.trades ?? [];
  const many = { ...busy, trades: Array.from({ length: 200 }, (_, i) => ({ ...trade, barsHeld: i })) };
  it.each([0, 57, 199])('is on the screen with the head above it: line %i', (cursor) => {
    const controls: Controls = {
      ...START,
      view: 'trades',
      focus: 'trades',
      order: 'held',
      reversed: true,
      cursor,
    };
    const [list] = placePanes(many, controls, { columns: 100, rows: 30 })[0].panes;
    expect(list.head).toBe(1);
    const shown = list.lines.slice(1 + list.first, list.first + list.rows).map(textOf);
    expect(shown.filter((line) => line.match(new RegExp(` ${cursor} bars? `)) !== null)).toHaveLength(1);
    const chosen = list.lines.filter((line) => line.some(({ inverse }) => inverse));
    expect(chosen.map(textOf)).toEqual([expect.stringContaining(` ${cursor} bars `)]);
  });
});

describe('trades', () => {
  it('are sorted and filtered, and say how the shown ones did', () => {
    const [title, , first] = linesOf(busy, { view: 'trades', order: 'profit' });
    expect(title).toBe('2 closed trades, won 1, -28.48; by profit');
    expect(first).toContain('BTC/USDT');
    expect(linesOf(busy, { view: 'trades', order: 'profit', reversed: true })[2]).toContain('ETH/USDT');
    const filtered = linesOf(busy, { view: 'trades', filter: 'short lost' });
    expect(filtered[0]).toBe('1 closed trades with "short lost", won 0, -44.26; by closed');
    expect(filtered[2]).toContain('stop-loss');
  });
  it('explain how they were opened and closed', () => {
    const lines = linesOf(busy, { view: 'trades' });
    expect(lines).toContain(
      'Opened to long 100 % at the close of the bar of 2026-02-12 12:00: edge 31 bp >= cost 22 bp: open.',
    );
    expect(lines).toContain('Votes: momentum long 100 % (70 %).');
    expect(linesOf(busy, { view: 'trades', cursor: 1 })).toContain(
      'Closed: stop-loss: an exit inside the bar, no decision asked for it.',
    );
  });
});

describe('limits', () => {
  const lines = linesOf(busy, { view: 'risk' });
  it('are gauges that say when they are reached, from above and from below', () => {
    // 9 of 10 in 24 cells: 21.6.
    expect(lines.find((line) => line.startsWith('drawdown'))).toMatch(/9\.00 % {2}█{22}░{2} +10\.00 %$/);
    expect(lines.find((line) => line.startsWith('exposure'))).toMatch(/█{24} +60\.00 % REACHED$/);
    expect(lines.find((line) => line.startsWith('cash'))).toMatch(/5 000\.00 BELOW$/);
    expect(lines.find((line) => line.startsWith('orders'))).toMatch(/no limit is set$/);
  });
  it('say loudly that trading is paused, and who trades', () => {
    expect(lines[1]).toBe(
      'PAUSED: nothing is ordered, positions keep their stops, since 2026-02-13 08:00  process 4711',
    );
  });
});

describe('models', () => {
  it('show validation, weight and what came true in paper trading', () => {
    const lines = linesOf(busy, { view: 'models' });
    expect(lines.find((line) => line.startsWith('* spring'))).toMatch(
      /3\.0 d +2 +53\.0 \(50\.0 \.\. 56\.0\)/,
    );
    // 40 % of 1 000 opinions over 4 bars: 250 throws, 1.96 x 50 / sqrt(250) = 6.2; 46.2 is below 51.
    expect(lines.find((line) => line.startsWith('momentum'))).toMatch(/25 % +40\.0 of 1000 LOW/);
    expect(lines.find((line) => line.startsWith('gru (no skill)'))).toMatch(/- +- +40 s +01234567$/);
  });
  it('are not called low for so few opinions that it may be chance', () => {
    const record = (busy.record ?? []).map((one) => ({ ...one, hits: 16, judged: 40 }));
    const lines = linesOf({ ...busy, record }, { view: 'models' });
    expect(lines.find((line) => line.startsWith('momentum'))).toMatch(/40\.0 of 40 /);
  });
  it('have their interval drawn beside the coin', () => {
    const score = { horizonBars: 1, samples: 9, informationCoefficient: undefined, netReturnPct: 0 };
    // 24 percent points in 16 steps: 1.5 each, 50 % in cell 8.
    expect(intervalPicture({ ...score, hitPct: 53, hitIntervalPct: [50, 56] })).toBe('        ┼─●──    ');
    expect(intervalPicture({ ...score, hitPct: undefined, hitIntervalPct: undefined })).toBe(
      '        ┊        ',
    );
  });
});

describe('the log', () => {
  it('is filtered by level and text, and says so', () => {
    const [title, ...lines] = linesOf(busy, { view: 'logs', level: 'warn' });
    expect(title).toBe('Log: 1 of 50 lines, warn and above, following');
    expect(lines).toEqual(['2026-02-13 10:19 warn event 49']);
    expect(linesOf(busy, { view: 'logs', filter: 'EVENT 7' })).toEqual([
      'Log: 1 of 50 lines, with "EVENT 7", following',
      '2026-02-13 10:19 info event 7',
    ]);
  });
  it('breaks long lines between words', () => {
    const log = [{ time: busy.time, level: 'info' as const, message: 'word '.repeat(60).trim() }];
    const lines = linesOf({ ...busy, log }, { view: 'logs' });
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(160);
  });
});

describe('colours', () => {
  it.each([
    ['auto', undefined, 'cyan'],
    ['auto', '15;0', 'cyan'],
    ['auto', '0;15', 'blue'],
    ['auto', '12;8', 'cyan'],
    ['auto', '0;default;7', 'blue'],
    ['light', '15;0', 'blue'],
    ['dark', '0;15', 'cyan'],
  ] as const)('on a background that is %s, where the terminal says %s', (background, says, accent) =>
    expect(paletteFor(background, says).accent).toBe(accent),
  );
});
