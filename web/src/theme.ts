import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'dark' | 'light';
export type CandleStyle = 'filled' | 'hollow' | 'bars';
const kept = <T extends string>(key: string, known: readonly T[]): T =>
  known.find((one) => one === localStorage.getItem(key)) ?? known[0];

/** Of this browser alone; the server does not know them. */
export const theme = signal<Theme>(kept('theme', ['system', 'dark', 'light']));
export const candleStyle = signal<CandleStyle>(kept('candles', ['filled', 'hollow', 'bars']));
/** Up and down in colours that people who confuse red and green tell apart. */
export const palette = signal<'classic' | 'blue-orange'>(kept('palette', ['classic', 'blue-orange']));

const dark = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(dark.matches);
dark.addEventListener('change', () => (systemDark.value = dark.matches));

/** Changes whenever what is drawn on a canvas has to be drawn in other colours. */
export const look = signal('');
effect(() => {
  const shown = theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value;
  document.documentElement.dataset['theme'] = shown;
  document.documentElement.dataset['palette'] = palette.value;
  localStorage.setItem('theme', theme.value);
  localStorage.setItem('candles', candleStyle.value);
  localStorage.setItem('palette', palette.value);
  look.value = `${shown} ${palette.value} ${candleStyle.value}`;
});

/** A colour of the style sheet, for canvases. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
