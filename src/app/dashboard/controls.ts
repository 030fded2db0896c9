import { PANES, type PaneId } from './panes.ts';

/** What the person at the keyboard has chosen. */
export interface Controls {
  readonly focus: PaneId;
  /** Lines that the focused pane is scrolled away from its anchor. */
  readonly scroll: number;
  readonly paused: boolean;
  readonly help: boolean;
}

export const START: Controls = { focus: 'equity', scroll: 0, paused: false, help: false };

export type Key = 'next' | 'previous' | 'up' | 'down' | 'pause' | 'help' | 'close';

export function press(controls: Controls, key: Key): Controls {
  switch (key) {
    case 'next':
      return { ...controls, focus: neighbour(controls.focus, 1), scroll: 0 };
    case 'previous':
      return { ...controls, focus: neighbour(controls.focus, -1), scroll: 0 };
    case 'up':
      return { ...controls, scroll: controls.scroll - 1 };
    case 'down':
      return { ...controls, scroll: controls.scroll + 1 };
    case 'pause':
      return { ...controls, paused: !controls.paused };
    case 'help':
      return { ...controls, help: !controls.help };
    case 'close':
      return { ...controls, help: false };
  }
}

function neighbour(id: PaneId, step: number): PaneId {
  const at = PANES.findIndex((pane) => pane.id === id);
  return PANES[(at + step + PANES.length) % PANES.length].id;
}
