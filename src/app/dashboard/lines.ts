/** A line of a pane as coloured pieces; what does not fit is cut off at the right. */
export type Line = readonly Span[];

export interface Span {
  readonly text: string;
  readonly colour?: Colour;
  readonly dim?: boolean;
  readonly bold?: boolean;
  readonly inverse?: boolean;
}

/** Roles; which of the terminal's sixteen colours they are depends on its background. */
export type Colour = 'good' | 'bad' | 'warn' | 'accent';

export const plain = (text: string): Span => ({ text });
export const dim = (text: string): Span => ({ text, dim: true });
export const bold = (text: string): Span => ({ text, bold: true });
export const warn = (text: string): Span => ({ text, colour: 'warn' });
export const accent = (text: string): Span => ({ text, colour: 'accent' });

/** Green above zero, red below. */
export const gain = (value: number, text: string): Span =>
  value === 0 ? { text } : { text, colour: value > 0 ? 'good' : 'bad' };

export const textOf = (line: Line): string => line.map(({ text }) => text).join('');

/** What a pane is drawn for. `spoken`: read aloud, without pictures and without columns that only eyes follow. */
export interface Room {
  readonly width: number;
  readonly rows: number;
  readonly spoken: boolean;
}

/**
 * Cells under a head, the first column to the left, the others to the right, two spaces between; spoken, each row says the
 * name of each of its cells. `chosen`: the row that the cursor is on.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly Span[])[],
  { spoken }: Pick<Room, 'spoken'>,
  chosen?: number,
): readonly Line[] {
  if (spoken) return rows.map((row) => spokenRow(head, row));
  const all = [head.map(dim), ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((row) => row[c].text.length)));
  const last = head.length - 1;
  return all.map((row, r) =>
    row.map((cell, c) => ({
      ...cell,
      ...(r - 1 === chosen && { inverse: true }),
      text:
        c === 0
          ? cell.text.padEnd(widths[c])
          : `  ${c === last && isLong(all, c) ? cell.text : cell.text.padStart(widths[c])}`,
    })),
  );
}

/** A last column of sentences stands to the left. */
const isLong = (rows: readonly (readonly Span[])[], c: number): boolean =>
  rows.some((row) => row[c].text.length > 24);

const spokenRow = (head: readonly string[], row: readonly Span[]): Line => {
  const said = row.flatMap(({ text }, c) =>
    text.trim() === '' ? [] : [`${head[c] === '' ? '' : `${head[c]} `}${text.trim()}`],
  );
  return [plain(said.join(', '))];
};

/** Breaks a text between words, at `width` columns at most; a longer word is broken inside. */
export function wrap(text: string, width: number): readonly string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > room) {
      lines.push(line.slice(0, room));
      line = line.slice(room);
    }
  }
  return [...lines, line];
}
