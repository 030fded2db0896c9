import { type Controls, LOG_LEVELS, TRADE_ORDERS, type ViewId } from './controls.ts';
import { viewNamed, VIEWS } from './views.ts';

export type Command =
  | 'next-pane'
  | 'previous-pane'
  | 'next-view'
  | 'previous-view'
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'pause'
  | 'help'
  | 'close'
  | 'zoom-in'
  | 'zoom-out'
  | 'older'
  | 'newer'
  | 'next-symbol'
  | 'previous-symbol'
  | 'sort'
  | 'reverse'
  | 'level'
  | 'filter'
  | 'erase'
  | 'accept'
  | { readonly view: ViewId }
  | { readonly typed: string };

/** Characters that are commands. */
export const KEYS: Readonly<Record<string, Command>> = {
  ...Object.fromEntries(VIEWS.map(({ key, id }): [string, Command] => [key, { view: id }])),
  p: 'pause',
  '?': 'help',
  h: 'help',
  '+': 'zoom-in',
  '=': 'zoom-in',
  '-': 'zoom-out',
  ',': 'older',
  '.': 'newer',
  ']': 'next-symbol',
  '[': 'previous-symbol',
  s: 'sort',
  r: 'reverse',
  l: 'level',
  '/': 'filter',
  f: 'last',
  k: 'up',
  j: 'down',
  g: 'first',
  G: 'last',
};

const MOST_ZOOM = 64;
const PAGE = 10;
const MOST_FILTER = 60;
/** As far as anybody scrolls; `limit` takes back what is too much. */
const FAR = 1e6;

export function press(controls: Controls, command: Command): Controls {
  if (typeof command === 'object')
    return 'view' in command
      ? show(controls, command.view)
      : {
          ...controls,
          filter: (controls.filter + command.typed).slice(0, MOST_FILTER),
          cursor: 0,
          scroll: 0,
        };
  // In a list another line is chosen; anything else scrolls.
  const inList = viewNamed(controls.view).panes.find(({ id }) => id === controls.focus)?.count !== undefined;
  const scroll = (by: number): Controls =>
    inList
      ? { ...controls, cursor: Math.max(0, controls.cursor + by) }
      : { ...controls, scroll: controls.scroll + by };
  switch (command) {
    case 'next-pane':
      return focusNeighbour(controls, 1);
    case 'previous-pane':
      return focusNeighbour(controls, -1);
    case 'next-view':
      return show(controls, neighbour(VIEWS, ({ id }) => id === controls.view, 1).id);
    case 'previous-view':
      return show(controls, neighbour(VIEWS, ({ id }) => id === controls.view, -1).id);
    case 'up':
      return scroll(-1);
    case 'down':
      return scroll(1);
    case 'page-up':
      return scroll(-PAGE);
    case 'page-down':
      return scroll(PAGE);
    case 'first':
      return scroll(-FAR);
    case 'last':
      return scroll(FAR);
    case 'pause':
      return { ...controls, paused: !controls.paused };
    case 'help':
      return { ...controls, help: !controls.help };
    case 'close':
      return { ...controls, help: false, typing: false, filter: '' };
    case 'zoom-in':
      return { ...controls, zoom: Math.max(1, controls.zoom / 2) };
    case 'zoom-out':
      return { ...controls, zoom: Math.min(MOST_ZOOM, controls.zoom * 2) };
    case 'older':
      return { ...controls, back: controls.back + PAGE * controls.zoom };
    case 'newer':
      return { ...controls, back: Math.max(0, controls.back - PAGE * controls.zoom) };
    case 'next-symbol':
      return { ...controls, symbol: controls.symbol + 1, back: 0 };
    case 'previous-symbol':
      return { ...controls, symbol: Math.max(0, controls.symbol - 1), back: 0 };
    case 'sort':
      return { ...controls, order: neighbour(TRADE_ORDERS, (one) => one === controls.order, 1), cursor: 0 };
    case 'reverse':
      return { ...controls, reversed: !controls.reversed, cursor: 0 };
    case 'level':
      return { ...controls, level: neighbour(LOG_LEVELS, (one) => one === controls.level, 1), scroll: 0 };
    case 'filter':
      return filters(controls.view) ? { ...controls, typing: true, filter: '' } : controls;
    case 'erase':
      return { ...controls, filter: controls.filter.slice(0, -1), cursor: 0 };
    case 'accept':
      return { ...controls, typing: false };
  }
}

const filters = (view: ViewId): boolean => view === 'trades' || view === 'logs';

function show(controls: Controls, view: ViewId): Controls {
  if (view === controls.view) return { ...controls, help: false };
  const focus = viewNamed(view).panes[0].id;
  return { ...controls, view, focus, scroll: 0, cursor: 0, filter: '', typing: false, help: false };
}

function focusNeighbour(controls: Controls, step: number): Controls {
  const { panes } = viewNamed(controls.view);
  const { id } = neighbour(panes, (pane) => pane.id === controls.focus, step);
  // What is chosen in a list stays chosen: the pane beside it may be about it.
  return { ...controls, focus: id, scroll: 0 };
}

function neighbour<T>(all: readonly T[], isIt: (one: T) => boolean, step: number): T {
  return all[(all.findIndex(isIt) + step + all.length) % all.length];
}
