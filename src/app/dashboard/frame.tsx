import { renderToString } from 'ink';
import { START } from './controls.ts';
import { Dashboard } from './dashboard.tsx';
import type { Size } from './layout.ts';
import type { DashboardView } from './view.ts';

/** One picture of the dashboard as text, for pipes and files. */
export function renderFrame(view: DashboardView, size: Size): string {
  return renderToString(<Dashboard view={view} controls={START} size={size} />, { columns: size.columns })
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
