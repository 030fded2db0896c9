/** A line of a pane as coloured pieces; what does not fit is cut off at the right. */
export type Line = readonly Span[];

export interface Span {
  readonly text: string;
  readonly colour?: 'green' | 'red' | 'yellow' | 'cyan';
  readonly dim?: boolean;
  readonly bold?: boolean;
}

export const plain = (text: string): Span => ({ text });
export const dim = (text: string): Span => ({ text, dim: true });
export const bold = (text: string): Span => ({ text, bold: true });

/** Green above zero, red below. */
export const gain = (value: number, text: string): Span =>
  value === 0 ? { text } : { text, colour: value > 0 ? 'green' : 'red' };

/** Cells in columns, the first column to the left, the others to the right, two spaces between. */
export function columns(rows: readonly (readonly Span[])[]): readonly Line[] {
  const widths = rows[0]?.map((_, c) => Math.max(...rows.map((row) => row[c].text.length))) ?? [];
  return rows.map((row) =>
    row.map((cell, c) => ({
      ...cell,
      text: c === 0 ? cell.text.padEnd(widths[c]) : `  ${cell.text.padStart(widths[c])}`,
    })),
  );
}
