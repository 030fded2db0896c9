import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { progressLine } from '../../../src/app/cli/output.ts';
import { less, prose, tableText } from '../../../src/app/cli/table.ts';
import { screenWidth, wrapped, wrappedLines } from '../../../src/app/cli/wrap.ts';

const text = (
  columns: Parameters<typeof tableText>[0],
  rows: readonly (readonly string[])[],
  width?: number,
) => tableText(columns, rows, { width, colour: false });
const widest = (drawn: string): number => Math.max(...drawn.split('\n').map((line) => stringWidth(line)));

describe('a table', () => {
  const columns = ['symbol', less('rows', 2), less('first', 3), 'last', less('sha256', 4)];
  const rows = [
    ['BTC/USDT', '47332', '2020-09-20 00:00', '2026-02-13 23:00', '0123456789ab'],
    ['ETH/USDT', '8', '2020-09-20 00:00', '2026-02-13 23:00', 'ba9876543210'],
  ];

  it('has all its columns where there is room, numbers to the right', () => {
    expect(text(columns, rows)).toBe(
      [
        'symbol     rows  first             last              sha256',
        '─'.repeat(65),
        'BTC/USDT  47332  2020-09-20 00:00  2026-02-13 23:00  0123456789ab',
        'ETH/USDT      8  2020-09-20 00:00  2026-02-13 23:00  ba9876543210',
      ].join('\n'),
    );
    expect(text(columns, rows, 65)).toBe(text(columns, rows));
  });

  it.each([
    [64, ['sha256']],
    [50, ['first', 'sha256']],
    [30, ['rows', 'first', 'sha256']],
  ])('of %i columns leaves out the least important, and names them', (width, left) => {
    const drawn = text(columns, rows, width);
    expect(drawn.replace(/\n/g, ' ')).toContain(
      `Not shown for lack of width: ${left.join(', ')} (--wide shows all).`,
    );
    expect(widest(drawn)).toBeLessThanOrEqual(width);
    expect(drawn).toContain('2026-02-13 23:00');
  });

  it('too narrow for what must stay is one block per row, with everything', () => {
    const drawn = text(columns, rows, 24);
    expect(drawn.split('\n').slice(0, 5)).toEqual([
      'BTC/USDT',
      '  rows    47332',
      '  first   2020-09-20',
      '  00:00',
      '  last    2026-02-13',
    ]);
    expect(drawn).toContain('sha256  ba9876543210');
  });

  it('breaks prose between words before it leaves a column out', () => {
    const words = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
    const drawn = text(['model', less('kind'), prose('what it does')], [['gru', 'deep', words]], 60);
    expect(widest(drawn)).toBeLessThanOrEqual(60);
    expect(drawn).toContain('deep');
    for (const word of words.split(' ')) expect(drawn).toMatch(new RegExp(`\\b${word}\\b`));
  });

  it('is as wide on the screen as its characters are', () => {
    const drawn = text(['pair', less('note')], [['柚子/USDT', 'x'.repeat(20)]], 32);
    expect(drawn).not.toContain('Not shown');
    expect(widest(drawn)).toBe(31);
  });

  it('keeps numbers to the right where one of them is a word', () => {
    const drawn = text(
      ['s', 'return %'],
      [
        ['a', '-1.5'],
        ['b', '12.0'],
        ['c', 'never traded'],
      ],
    );
    expect(drawn.split('\n').slice(2)).toEqual(['a          -1.5', 'b          12.0', 'c  never traded']);
  });
});

describe('a line', () => {
  it('is broken between words, and goes on under its own beginning', () => {
    expect(wrappedLines('  one two three four', 12)).toEqual(['  one two', '  three four']);
    expect(wrappedLines('one two', 7)).toEqual(['one two']);
    expect(wrappedLines('one two three', undefined)).toEqual(['one two three']);
  });

  it('keeps whole what is there to be copied: a path, a command', () => {
    const path = '/a/very/long/path/without/a/space';
    expect(wrappedLines(`in ${path} now`, 12)).toEqual(['in', path, 'now']);
    expect(wrappedLines('  crypto-trader fetch --symbols BTC/USDT', 20)).toHaveLength(1);
  });
});

describe('a line of progress', () => {
  const about = {
    label: 'lstm-cnn',
    notes: ['ETA 12 min', 'epoch 3', 'loss 0.6931', 'validation 0.6899', '1234 samples/s'],
    done: 3456,
    total: 17520,
  };
  it.each([20, 40, 60, 80, 100, 120, 200])('of %i columns ends with a whole word', (width) => {
    const line = progressLine(about, width);
    expect(line.length).toBeLessThan(width);
    expect(line).toMatch(width < 40 ? /19 %$/ : /3456\/17520/);
    const [, said = ''] = line.split('3456/17520');
    for (const note of said.split(', ').filter((part) => part.trim() !== ''))
      expect(about.notes).toContain(note.trim());
  });
  it('says what matters most first, and its bar fills', () => {
    expect(progressLine(about, 80)).toBe(
      'lstm-cnn           ████░░░░░░░░░░░░░░░░  19 % 3456/17520  ETA 12 min, epoch 3',
    );
    expect(progressLine({ ...about, done: 17520, notes: [] }, 50)).toBe(
      'lstm-cnn           100 % 17520/17520',
    );
  });
});

it('the screen is as wide as the terminal, 80 where it does not say, and unlimited on a pipe', () => {
  expect(screenWidth({ isTTY: true, columns: 132 }, undefined)).toBe(132);
  expect(screenWidth({ isTTY: true, columns: 0 }, undefined)).toBe(80);
  expect(screenWidth({ isTTY: true }, '40')).toBe(80);
  expect(screenWidth({}, undefined)).toBeUndefined();
  expect(screenWidth({}, '80')).toBe(80);
  expect(screenWidth({}, 'wide')).toBeUndefined();
});

it('prose is broken between words where the screen ends, a command is not', () => {
  const text =
    'Everything after it\n  is prose that is long\n  $ crypto-trader service install --name trader';
  expect(wrapped(text, 12).split('\n')).toEqual([
    'Everything',
    'after it',
    '  is prose',
    '  that is',
    '  long',
    '  $ crypto-trader service install --name trader',
  ]);
  expect(wrapped(text, undefined)).toBe(text);
});

it('what rounds to nothing has no sign', () => {
  const lines = tableText(['a', 'b', 'c'], [['-0.000', '-0', '-0.001']], { width: undefined, colour: false });
  expect(lines).toMatch(/^0\.000 +0 +-0\.001 *$/m);
});

it('a table of more rows than a call takes arguments is drawn', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [String(i)]);
  const lines = tableText(['n'], rows, { width: undefined, colour: false }).split('\n');
  expect(lines.slice(0, 3).map((line) => line.trim())).toEqual(['n', '──────', '0']);
  expect(lines.slice(2).map(Number)).toEqual(rows.map(([text]) => Number(text)));
});
