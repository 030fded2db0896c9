/** Colours of a terminal with a dark background, readable on GitHub's light and dark pages alike. */
const COLOURS = ['#1f2430', '#f28779', '#a6cc70', '#ffcc66', '#6cb6ff', '#d4bfff', '#5ccfe6', '#c7c7c7'];
/** Bright black: what is less important. The other bright colours are as the plain ones. */
const GREY = '#8a919e';
const BACKGROUND = '#1f2430';
const TEXT = '#d9d7ce';
/** As high as DejaVu's and Menlo's blocks, so that no seam shows between rows of them. */
const CELL = { width: 8.4, height: 16.3 };
const ASCENT = 13;

interface Style {
  readonly colour: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly inverse: boolean;
}
const PLAIN: Style = { colour: undefined, bold: false, dim: false, inverse: false };

/** What a terminal shows (`tmux capture-pane -e -p`) as a picture: text stays text, that can be searched and copied. */
export function ansiToSvg(screen: string, columns: number): string {
  const lines = screen.trimEnd().split('\n');
  const width = Math.ceil((columns + 2) * CELL.width);
  const height = Math.ceil((lines.length + 1) * CELL.height);
  const rows = lines.map((line, row) => rowOf(line, (row + 1) * CELL.height));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>
${rows.join('\n')}
</svg>
`;
}

function rowOf(line: string, top: number): string {
  const y = Number(top.toFixed(1));
  let style = PLAIN;
  let column = 1;
  const parts: string[] = [];
  for (const [, codes, text] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (codes !== undefined) style = restyle(style, codes);
    else if (text !== undefined) {
      parts.push(spanOf(text, style, column, y));
      column += [...text].length;
    }
  }
  return parts.join('');
}

function spanOf(text: string, { colour, bold, dim, inverse }: Style, column: number, y: number): string {
  const x = (column * CELL.width).toFixed(1);
  const length = ([...text].length * CELL.width).toFixed(1);
  const fill = inverse ? BACKGROUND : (colour ?? TEXT);
  const back = inverse
    ? `<rect x="${x}" y="${(y - ASCENT).toFixed(1)}" width="${length}" height="${CELL.height}" fill="${colour ?? TEXT}"/>`
    : '';
  if (text.trim() === '') return back;
  const look = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  // Told its length, a run stays in its columns whatever the font.
  return `${back}<text x="${x}" y="${y}" fill="${fill}" textLength="${length}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"${look}>${escaped(text)}</text>`;
}

/** ECMA-48, 8.3.117. */
function restyle(before: Style, codes: string): Style {
  return codes.split(';').reduce((style, code): Style => {
    const number = Number(code);
    if (number === 0) return PLAIN;
    if (number === 1) return { ...style, bold: true };
    if (number === 2) return { ...style, dim: true };
    if (number === 7) return { ...style, inverse: true };
    if (number === 22) return { ...style, bold: false, dim: false };
    if (number === 27) return { ...style, inverse: false };
    if (number === 39) return { ...style, colour: undefined };
    if (number >= 30 && number <= 37) return { ...style, colour: COLOURS[number - 30] };
    if (number === 90) return { ...style, colour: GREY };
    if (number >= 90 && number <= 97) return { ...style, colour: COLOURS[number - 90] };
    return style;
  }, before);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => ENTITIES[character]);
