import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { render as renderInk } from 'ink';
import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';
import { START } from '../../../src/app/dashboard/controls.ts';
import { Dashboard } from '../../../src/app/dashboard/dashboard.tsx';
import { renderFrame } from '../../../src/app/dashboard/frame.tsx';
import { paletteFor } from '../../../src/app/dashboard/palette.ts';
import { busy, empty } from './sample.ts';

const DARK = paletteFor('dark', undefined);

describe('a frame', () => {
  const frame = renderFrame(busy, { columns: 110, rows: 34 });

  it.each([
    [
      'equity with its sign and drawdown',
      /10 123\.45 \+1\.23 % {2}today -25\.50 \(-0\.25 %\) {2}drawdown 0\.50 % \(worst 3\.25 %\)\nexposure 60\.5 % {2}cash 4 000\.00 {2}won 11 of 28/,
    ],
    [
      'what a position would gain, and its stop',
      /BTC\/USDT +long +0\.0912 +66 000\.00 +67 149\.50 +\+104\.83 +\+1\.74 % +64 680\.00 +flat/,
    ],
    ['a symbol without a position', /ETH\/USDT +flat +2 000\.00\n/],
    [
      'the ensemble before its members',
      /ensemble +flat +long 100 %\nmomentum +25 % +short 50 % \(61 %\) +no opinion/,
    ],
    ['what is being trained', /tft +███░░░░░░░░░ +30\/120, 90 s left/],
    ['why a position is closed', /BTC\/USDT: edge 3 bp < cost 22 bp: close/],
    ['the end of the log', /warn event 49/],
  ])('shows %s', (_, expected) => expect(frame).toMatch(expected));

  it('fits its size', () => {
    for (const [columns, rows] of [
      [80, 23],
      [140, 39],
      [60, 12],
    ]) {
      const lines = renderFrame(busy, { columns, rows }).split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it('says what to run when there is nothing yet', () => {
    const nothing = renderFrame(empty, { columns: 100, rows: 30 });
    expect(nothing).toMatch(/run `crypto-trader paper`[\s\S]*run `crypto-trader train`/);
  });

  it('says loudly that bars are overdue and that candles are synthetic', () => {
    const session = busy.session && { ...busy.session, overdueSeconds: 7_200, synthetic: true };
    const [header] = renderFrame({ ...busy, session }, { columns: 120, rows: 30 }).split('\n');
    expect(header).toContain('SYNTHETIC STALE: next bar 2.0 h overdue');
  });
});

describe('the first line', () => {
  const session = busy.session && { ...busy.session, sessionId: 'csv-1h-stored-20261129T081936Z' };
  const headerOf = (columns: number): string =>
    renderFrame({ ...busy, session }, { columns, rows: 24 })
      .split('\n')[0]
      .trimEnd();

  it('has the clock where it fits, and no part of it where it does not', () => {
    expect(headerOf(120)).toMatch(/, last \d{4}-\d\d-\d\d \d\d:\d\d now \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(headerOf(80)).toMatch(
      /^crypto-trader csv-1h-stored-20261129T081936Z, \d+ bars, last \d{4}-\d\d-\d\d \d\d:\d\d$/,
    );
  });

  it('of a pane counts one line as one', () => {
    const titles = Array.from({ length: 20 }, (_, i) =>
      renderFrame(busy, { columns: 80, rows: 20 + i }),
    ).join('\n');
    expect(titles).toContain('(1 more line)');
    expect(titles).not.toContain('(1 more lines)');
  });
});

it('the element is redrawn with what it is given', () => {
  const size = { columns: 100, rows: 30 };
  const screen = render(<Dashboard view={empty} controls={START} size={size} palette={DARK} />);
  screen.rerender(<Dashboard view={busy} controls={{ ...START, paused: true }} size={size} palette={DARK} />);
  expect(screen.lastFrame()).toMatch(/PAUSED[\s\S]*10 123\.45/);
  screen.rerender(<Dashboard view={busy} controls={{ ...START, help: true }} size={size} palette={DARK} />);
  expect(screen.lastFrame()).toContain('It changes nothing');
  screen.unmount();
});

it('does not grow over 800 renders', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const stdout = Object.assign(new EventEmitter(), { columns: 60, rows: 11, write: () => true });
  const element = (i: number) => (
    <Dashboard
      view={{ ...busy, time: new Date(i * 1000).toISOString(), log: busy.log.slice(i % 40) }}
      controls={START}
      size={{ columns: 60, rows: 10 }}
      palette={DARK}
    />
  );
  const ink = renderInk(element(0), {
    stdout: stdout as unknown as NodeJS.WriteStream,
    debug: true,
    patchConsole: false,
  });
  const heapAfter = (from: number, to: number): number => {
    for (let i = from; i < to; i++) ink.rerender(element(i));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heapAfter(0, 200);
  const after = heapAfter(200, 1000);
  ink.unmount();
  expect((after - before) / 2 ** 20).toBeLessThan(2);
});
