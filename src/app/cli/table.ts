import Table from 'cli-table3';
import stringWidth from 'string-width';
import { wrappedLines } from './wrap.ts';

/** A column: its head alone, or with what may happen to it on a narrow screen. */
export type Column = string | ColumnSpec;

interface ColumnSpec {
  readonly head: string;
  /** Where the screen is too narrow, columns with the largest rank go first; without one a column always stays. */
  readonly rank?: number;
  /** Text that may be broken into several lines. */
  readonly wraps?: true;
}

/** A column that goes before others when the screen is narrow: the larger the rank, the sooner. */
export const less = (head: string, rank = 1): Column => ({ head, rank });

/** A column of prose, which is broken into lines before anything is left out. */
export const prose = (head: string): ColumnSpec => ({ head, wraps: true });

/** What rounds to nothing has no sign. */
const withoutNegativeZero = (text: string): string => (/^-0(\.0+)?$/.test(text) ? text.slice(1) : text);

/** Between two columns. */
const GAP = 2;
/** Prose is not made narrower than this: columns are left out instead. */
const LEAST_PROSE = 24;

interface TableLooks {
  /** Columns of the screen; `undefined`: as wide as need be. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/**
 * A table for people that fits the screen: prose is broken into lines first, then columns are left out by rank, with a
 * line that names them, and where even that is too wide every row stands as a block of its own. Cells are plain text of
 * one line.
 */
export function tableText(
  columns: readonly Column[],
  given: readonly (readonly string[])[],
  { width, colour }: TableLooks,
): string {
  const rows = given.map((row) => row.map(withoutNegativeZero));
  const specs = columns.map((column, index) => ({
    ...(typeof column === 'string' ? { head: column } : column),
    index,
    natural: rows.reduce(
      (most, row) => Math.max(most, stringWidth(row[index] ?? '')),
      stringWidth(typeof column === 'string' ? column : column.head),
    ),
  }));
  let kept = specs;
  let widths = width === undefined ? specs.map(({ natural }) => natural) : fit(kept, width);
  while (widths === undefined) {
    const next = leastImportant(kept);
    if (next === undefined) return blocks(specs, rows, width ?? Infinity);
    kept = kept.filter((one) => one !== next);
    widths = fit(kept, width ?? Infinity);
  }
  const cells = rows.map((row) => kept.map(({ index }) => row[index] ?? ''));
  const left = specs
    .filter((one) => !kept.includes(one))
    .map(({ head }) => head || 'a column without a name');
  return [
    drawn(kept, cells, widths, colour),
    ...(left.length === 0
      ? []
      : wrappedLines(`Not shown for lack of width: ${left.join(', ')} (--wide shows all).`, width)),
  ].join('\n');
}

interface Placed extends ColumnSpec {
  readonly index: number;
  /** Of its widest cell. */
  readonly natural: number;
}

/** The width of every column, `undefined` when they do not fit. */
function fit(columns: readonly Placed[], width: number): readonly number[] | undefined {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const natural = columns.map((column) => column.natural);
  const over = sum(natural) + GAP * (columns.length - 1) - width;
  if (over <= 0) return natural;
  const least = columns.map(({ wraps, natural: own }) => (wraps ? Math.min(own, LEAST_PROSE) : own));
  const slack = columns.map((_, i) => natural[i] - least[i]);
  if (sum(slack) < over) return undefined;
  // Every column of prose gives up the same share of what it can; rounding is settled by the widest.
  const given = slack.map((one) => Math.floor((over * one) / sum(slack)));
  const widest = slack.indexOf(Math.max(...slack));
  given[widest] += over - sum(given);
  return natural.map((own, i) => own - given[i]);
}

function leastImportant(columns: readonly Placed[]): Placed | undefined {
  const ranks = columns.map(({ rank = 0 }) => rank);
  const largest = Math.max(...ranks);
  return largest === 0 ? undefined : columns[ranks.lastIndexOf(largest)];
}

function drawn(
  columns: readonly Placed[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  colour: boolean,
): string {
  const colours = colour ? { head: ['cyan'], border: ['gray'] } : { head: [], border: [] };
  const looks = {
    style: { ...colours, compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: OPEN_BORDERS,
    colAligns: columns.map((_, i) => (isNumeric(rows.map((row) => row[i])) ? 'right' : 'left')),
    colWidths: [...widths],
  } as const satisfies ConstructorParameters<typeof Table>[0];
  const pieces: string[] = [];
  for (let from = 0; from === 0 || from < rows.length; from += ROWS_A_PIECE) {
    const head = from === 0 ? { head: columns.map((one) => one.head) } : {};
    const table = new Table({ ...head, ...looks });
    for (const row of rows.slice(from, from + ROWS_A_PIECE))
      table.push(row.map((text, i) => wrappedLines(text, widths[i], '').join('\n')));
    pieces.push(table.toString());
  }
  return pieces.join('\n').split('\n').map(withoutTrailingSpaces).join('\n');
}

/** The library passes all rows as arguments of one call, of which there can be some hundred thousand. */
const ROWS_A_PIECE = 1000;

/** Every row for itself, its first cell as the title: what is left on a very narrow screen. */
function blocks(columns: readonly Placed[], rows: readonly (readonly string[])[], width: number): string {
  const [title, ...others] = columns;
  const room = Math.max(...others.map(({ head }) => stringWidth(head)));
  return rows
    .map((row) =>
      [
        row[title.index] ?? '',
        ...others.flatMap(({ head, index }) => {
          const text = row[index] ?? '';
          return text === '' ? [] : wrappedLines(`  ${head.padEnd(room)}  ${text}`, width);
        }),
      ].join('\n'),
    )
    .join('\n');
}

/** In one step from the end: a pattern for it looks at every run of spaces within the line again from each of them. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end--;
  return line.slice(0, end);
}

/** Columns of numbers stand to the right, also where a word stands instead of one: `never traded`. */
function isNumeric(cells: readonly string[]): boolean {
  const figures = cells.filter((text) => /^([-+]?[\d.,]+( ?\S{1,3})?|-|)$/.test(text));
  const numbers = figures.filter((text) => /\d/.test(text)).length;
  const words = cells.length - figures.length;
  return words === 0 || numbers > words;
}

const OPEN_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  right: '',
  'right-mid': '',
  mid: '─',
  'mid-mid': '──',
  middle: '  ',
};
