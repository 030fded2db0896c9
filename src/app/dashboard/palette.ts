import type { Colour } from './lines.ts';

/** Of the sixteen colours that every terminal has. */
export type Palette = Readonly<Record<Colour, string>>;

const ON_DARK: Palette = { good: 'green', bad: 'red', warn: 'yellow', accent: 'cyan' };
/** Yellow and cyan cannot be read on white. */
const ON_LIGHT: Palette = { good: 'green', bad: 'red', warn: 'magenta', accent: 'blue' };

export const BACKGROUNDS = ['auto', 'dark', 'light'] as const;

/** `auto`: as the terminal says it in COLORFGBG (rxvt, Konsole and others: `15;0` is white on black), else dark. */
export function paletteFor(background: (typeof BACKGROUNDS)[number], colorFgBg: string | undefined): Palette {
  if (background !== 'auto') return background === 'light' ? ON_LIGHT : ON_DARK;
  const colour = Number(/;(\d{1,2})$/.exec(colorFgBg ?? '')?.[1] ?? 0);
  // 7 is light grey, 9 to 15 are the bright ones; 8 is dark grey.
  return colour === 7 || colour > 8 ? ON_LIGHT : ON_DARK;
}
