import type { Controls } from './controls.ts';
import type { Line } from './lines.ts';
import type { Pane } from './pane.ts';
import type { DashboardView } from './view.ts';
import { viewNamed } from './views.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A pane with its place on the screen. */
export interface PlacedPane {
  readonly pane: Pane;
  readonly title: string;
  readonly focused: boolean;
  readonly lines: readonly Line[];
  /** Rows below the title. */
  readonly rows: number;
  /** Lines at the top that stay. */
  readonly head: number;
  /** The first line shown below those. */
  readonly first: number;
}

interface Stack {
  readonly width: number;
  readonly panes: readonly PlacedPane[];
}

/** Columns between two stacks. */
export const GAP = 2;
const TWO_STACKS_FROM = 130;
/** Positions need more room than signals and log. */
const LEFT_SHARE = 0.6;
/** Header, menu and key line. */
export const FRAME_ROWS = 3;

/** The panes in one stack on a narrow terminal, in two on a wide one. */
export function placePanes(view: DashboardView, controls: Controls, size: Size): readonly Stack[] {
  const { panes: all, left: inLeft } = viewNamed(controls.view);
  const stacks =
    size.columns < TWO_STACKS_FROM || inLeft >= all.length
      ? [all]
      : [all.slice(0, inLeft), all.slice(inLeft)];
  const left = Math.floor(LEFT_SHARE * size.columns);
  const widths = stacks.length === 1 ? [size.columns] : [left, size.columns - GAP - left];
  const height = size.rows - FRAME_ROWS;
  return stacks.map((panes, i) => {
    const width = widths[i];
    const drawn = (pane: Pane, rows: number): readonly Line[] =>
      pane.lines(view, { width, rows, spoken: false }, controls);
    const wishes = panes.map((pane) => ({
      pane,
      least: pane.least,
      wanted: drawn(pane, height).length,
    }));
    const shared = shareRows(height, wishes, ({ pane }) => pane.id === controls.focus);
    return {
      width,
      panes: shared.map(({ wish: { pane }, rows }) => {
        const lines = drawn(pane, rows);
        const focused = pane.id === controls.focus;
        const head = lines.length > rows ? Math.min(pane.head ?? 0, Math.max(0, rows - 1)) : 0;
        return {
          pane,
          title: typeof pane.title === 'string' ? pane.title : pane.title(view, controls),
          focused,
          lines,
          rows,
          head,
          first: firstLine(pane, { shown: rows - head, lines: lines.length - head, focused }, controls),
        };
      }),
    };
  });
}

/** The same controls, scrolled no further than there are lines. */
export function limit(view: DashboardView, controls: Controls, size: Size): Controls {
  const placed = placePanes(view, controls, size)
    .flatMap(({ panes }) => panes)
    .find(({ focused }) => focused);
  if (placed === undefined) return { ...controls, scroll: 0 };
  const { pane, lines, rows, head } = placed;
  const list = viewNamed(controls.view).panes.find(({ count }) => count !== undefined);
  const last = (list?.count?.(view, controls) ?? 0) - 1;
  const shape = { shown: rows - head, lines: lines.length - head, focused: true };
  const start = firstLine(pane, shape, { ...controls, scroll: 0 });
  return {
    ...controls,
    cursor: Math.max(0, Math.min(controls.cursor, last)),
    scroll: pane.anchor === 'cursor' ? 0 : placed.first - start,
  };
}

/** Scrolling up from the bottom is negative, down from the top positive. */
function firstLine(
  pane: Pane,
  { shown, lines, focused }: { readonly shown: number; readonly lines: number; readonly focused: boolean },
  { scroll, cursor }: Controls,
): number {
  const most = Math.max(0, lines - shown);
  const by = focused ? scroll : 0;
  const wanted = { top: by, bottom: most + by, cursor: cursor - Math.floor(shown / 2) }[pane.anchor];
  return Math.min(most, Math.max(0, wanted));
}

interface Wish {
  readonly least: number;
  readonly wanted: number;
}

/**
 * Shares the rows of a stack among its panes; each has a title beside its rows. All get their least; then the
 * focused pane, then the others in order, up to what they want; the last takes what is left. Panes that do not
 * even fit with their least are dropped from the end, the focused one last.
 */
export function shareRows<T extends Wish>(
  rows: number,
  wishes: readonly T[],
  isFocused: (wish: T) => boolean,
): readonly { readonly wish: T; readonly rows: number }[] {
  const cost = (kept: readonly T[]): number => kept.reduce((sum, { least }) => sum + least + 1, 0);
  let kept = wishes;
  while (kept.length > 1 && cost(kept) > rows) {
    const dropped = kept.findLastIndex((wish) => !isFocused(wish));
    kept = kept.filter((_, i) => i !== dropped);
  }
  let free = Math.max(0, rows - cost(kept));
  const extra = new Map<T, number>();
  for (const wish of kept.toSorted((a, b) => Number(isFocused(b)) - Number(isFocused(a)))) {
    const more = Math.min(free, Math.max(0, wish.wanted - wish.least));
    extra.set(wish, more);
    free -= more;
  }
  return kept.map((wish, i) => ({
    wish,
    rows: wish.least + (extra.get(wish) ?? 0) + (i === kept.length - 1 ? free : 0),
  }));
}
