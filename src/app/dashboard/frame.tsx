import { renderToString } from 'ink';
import { type Controls, START } from './controls.ts';
import { Dashboard } from './dashboard.tsx';
import type { Size } from './layout.ts';
import { type Palette, paletteFor } from './palette.ts';
import type { DashboardView } from './view.ts';

/** One picture of the dashboard as text, for pipes and files. */
export function renderFrame(
  view: DashboardView,
  size: Size,
  {
    controls = START,
    palette = paletteFor('dark', undefined),
  }: { controls?: Controls; palette?: Palette } = {},
): string {
  const { columns } = size;
  return renderToString(<Dashboard {...{ view, controls, size, palette }} />, { columns })
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
