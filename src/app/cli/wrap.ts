import stringWidth from 'string-width';

/**
 * Columns of what a stream is shown on: the terminal's, 80 for one that does not say (or says 0); on a pipe those in
 * `COLUMNS`, where somebody set it, and otherwise `undefined`: everything, for another program to read.
 */
export function screenWidth(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  columns: string | undefined = process.env['COLUMNS'],
): number | undefined {
  if (stream.isTTY) return stream.columns || 80;
  return columns !== undefined && /^[1-9]\d{0,4}$/.test(columns) ? Number(columns) : undefined;
}

/** Text whose lines are broken where the screen ends; `undefined`: as it is. */
export const wrapped = (text: string, width: number | undefined): string =>
  text
    .split('\n')
    .flatMap((line) => wrappedLines(line, width))
    .join('\n');

/**
 * A line as lines of at most `width` columns, broken between words; those after the first begin with `indent`, by default
 * the spaces that the line itself begins with. A word that is longer than a line stands alone and is not broken: a path
 * must stay one that can be copied, and so must a line that is a command. `undefined`: as it is.
 */
export function wrappedLines(line: string, width: number | undefined, indent = leading(line)): string[] {
  if (width === undefined || stringWidth(line) <= width || COMMAND.test(line)) return [line];
  const lines: string[] = [];
  let current = leading(line);
  let used = current.length;
  let words = 0;
  for (const word of line.trim().split(' ')) {
    const length = stringWidth(word);
    if (words > 0 && used + 1 + length > width) {
      lines.push(current);
      [current, used, words] = [indent, indent.length, 0];
    }
    current += words === 0 ? word : ` ${word}`;
    used += words === 0 ? length : length + 1;
    words++;
  }
  return [...lines, current];
}

/** The same for text that comes in pieces: each call continues the line that the one before it ended in. */
export function wrappedPieces(width: number | undefined): (text: string) => string {
  let used = 0;
  return (text) =>
    width === undefined
      ? text
      : text
          .split(/(\n|[ \t]+)/)
          .map((part) => {
            if (part === '\n') {
              used = 0;
              return part;
            }
            const length = stringWidth(part);
            if (used > 0 && used + length > width) {
              // A space at the end of a line is not carried into the next.
              used = /^\s/.test(part) ? 0 : length;
              return /^\s/.test(part) ? '\n' : `\n${part}`;
            }
            used += length;
            return part;
          })
          .join('');
}

/** A line of its own that is there to be copied. */
const COMMAND = /^\s*(\$ )?crypto-trader /;

const leading = (line: string): string => line.slice(0, line.length - line.trimStart().length);
