import { describe, expect, it } from 'vitest';
import { type Controls, type Key, press, START } from '../../../src/app/dashboard/controls.ts';
import { amount, percent, price, signed } from '../../../src/app/dashboard/format.ts';
import { duration } from '../../../src/core/foundation/duration.ts';
import { createHistory } from '../../../src/app/dashboard/history.ts';
import { limitScroll, placePanes, shareRows } from '../../../src/app/dashboard/layout.ts';
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
    expect(placed.flatMap(({ panes }) => panes)).toHaveLength(5);
    for (const { panes } of placed)
      expect(panes.reduce((sum, pane) => sum + pane.rows + 1, 0)).toBe(rows - 2);
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
  const lines = placePanes(marked, START, { columns: 120, rows: 40 })
    .flatMap(({ panes }) => panes)
    .flatMap((pane) => pane.lines.map((line) => line.map(({ text }) => text).join('')));
  expect(lines.filter((line) => line.includes('no skill'))).toEqual([
    expect.stringMatching(/^momentum \(no skill\) +short/),
    expect.stringMatching(/^gru .* done in 3 s, no skill/),
  ]);
});

describe('keys', () => {
  const pressed = (...keys: Key[]): Controls => keys.reduce(press, START);
  it('walk through the panes both ways', () => {
    expect(pressed('next', 'next').focus).toBe('signals');
    expect(pressed('previous').focus).toBe('log');
    expect(pressed('next', 'next', 'next', 'next', 'next').focus).toBe('equity');
  });
  it('pause and go on, open and close the help', () => {
    expect([pressed('pause').paused, pressed('pause', 'pause').paused]).toEqual([true, false]);
    expect([pressed('help').help, pressed('help', 'close').help]).toEqual([true, false]);
  });
  it('scroll no further than there are lines, and back at once', () => {
    const size = { columns: 80, rows: 24 };
    let controls = pressed('previous');
    for (let i = 0; i < 500; i++) controls = limitScroll(busy, press(controls, 'up'), size);
    expect(placePanes(busy, controls, size)[0].panes.at(-1)).toMatchObject({ first: 0, focused: true });
    const back = limitScroll(busy, press(controls, 'down'), size);
    expect(placePanes(busy, back, size)[0].panes.at(-1)?.first).toBe(1);
    expect(limitScroll(busy, press(pressed('previous'), 'down'), size).scroll).toBe(0);
  });
});
