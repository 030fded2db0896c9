import { expect, test } from 'vitest';
import { HEAT_PCT } from '../../../src/app/report/periods.ts';
import { COLOURS } from '../../../src/app/report/style.ts';

/** WCAG 2.2, relative luminance and contrast ratio. */
const luminance = (hex: string): number => {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

test('the ratio is the one of the standard', () => {
  expect(contrast('#ffffff', '#000000')).toBeCloseTo(21, 6);
  // The grey that everybody knows to be just enough on white.
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
});

/** CSS color-mix in srgb. */
const mixed = (a: string, b: string, share: number): string =>
  `#${[1, 3, 5]
    .map((at) => {
      const [x, y] = [a, b].map((hex) => Number.parseInt(hex.slice(at, at + 2), 16));
      return Math.round(share * x + (1 - share) * y)
        .toString(16)
        .padStart(2, '0');
    })
    .join('')}`;

const TEXTS = [
  ['ink', 'paper'],
  ['faint', 'paper'],
  ['faint', 'card'],
  ['ink', 'card'],
  ['good', 'card'],
  ['bad', 'card'],
  ['accent', 'paper'],
  ['warn-ink', 'warn'],
] as const;

test.each([0, 1] as const)('texts have 4.5:1 and lines 3:1 on the paper of theme %i', (theme) => {
  const ratio = (ink: string, paper: string): number => contrast(COLOURS[ink][theme], COLOURS[paper][theme]);
  for (const [ink, paper] of TEXTS) expect(ratio(ink, paper), `${ink} on ${paper}`).toBeGreaterThan(4.5);
  // Ink on the deepest colours of the heat map.
  for (const tone of ['c0', 'c2']) {
    const [at, paper] = [COLOURS[tone][theme], COLOURS['paper'][theme]];
    expect(contrast(COLOURS['ink'][theme], mixed(at, paper, HEAT_PCT / 100)), tone).toBeGreaterThan(4.5);
  }
  for (const name of Object.keys(COLOURS).filter((one) => /^c\d$|^edge$/.test(one)))
    expect(ratio(name, 'paper'), name).toBeGreaterThan(3);
});
