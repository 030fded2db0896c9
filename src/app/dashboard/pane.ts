import type { Controls } from './controls.ts';
import type { Line, Room } from './lines.ts';
import type { DashboardView } from './view.ts';

export interface Pane {
  readonly id: string;
  readonly title: string | ((view: DashboardView, controls: Controls) => string);
  /** Rows it is not shown without, below its title. */
  readonly least: number;
  /** Where a pane that cannot show everything starts: at its first line, so that its last one shows, or its chosen one. */
  readonly anchor: 'top' | 'bottom' | 'cursor';
  /** Lines at the top that stay when it scrolls; of a list, its head. */
  readonly head?: number;
  /** Of a list that a line is chosen in: how many there are. */
  readonly count?: (view: DashboardView, controls: Controls) => number;
  lines(view: DashboardView, room: Room, controls: Controls): readonly Line[];
}

export const NO_SESSION = 'No paper session yet: run `crypto-trader paper`.';
export const WAITING_FOR_BAR = 'Waiting for the first closed bar.';
