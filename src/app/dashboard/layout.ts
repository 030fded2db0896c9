import type { Controls } from './controls.ts';
import type { Line } from './lines.ts';
import { PANES, type Pane, type PaneId } from './panes.ts';
import type { DashboardView } from './view.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A pane with its place on the screen. */
export interface PlacedPane {
  readonly pane: Pane;
  readonly focused: boolean;
  readonly lines: readonly Line[];
  /** Rows below the title. */
  readonly rows: number;
  /** The first line shown. */
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
const LEFT: ReadonlySet<PaneId> = new Set(['equity', 'positions', 'training']);
/** Header and key line. */
const FRAME_ROWS = 2;

/** The panes in one stack on a narrow terminal, in two on a wide one. */
export function placePanes(view: DashboardView, controls: Controls, size: Size): readonly Stack[] {
  const stacks =
    size.columns < TWO_STACKS_FROM
      ? [PANES]
      : [PANES.filter(({ id }) => LEFT.has(id)), PANES.filter(({ id }) => !LEFT.has(id))];
  const left = Math.floor(LEFT_SHARE * size.columns);
  const widths = stacks.length === 1 ? [size.columns] : [left, size.columns - GAP - left];
  const height = size.rows - FRAME_ROWS;
  return stacks.map((panes, i) => {
    const width = widths[i];
    const wishes = panes.map((pane) => ({
      pane,
      least: pane.least,
      wanted: pane.lines(view, { width, rows: height }).length,
    }));
    const shared = shareRows(height, wishes, ({ pane }) => pane.id === controls.focus);
    return {
      width,
      panes: shared.map(({ wish: { pane }, rows }) => {
        const lines = pane.lines(view, { width, rows });
        const focused = pane.id === controls.focus;
        const first = firstLine(lines.length - rows, focused ? controls.scroll : 0, pane.anchor);
        return { pane, focused, lines, rows, first };
      }),
    };
  });
}

/** The same controls, scrolled no further than there are lines. */
export function limitScroll(view: DashboardView, controls: Controls, size: Size): Controls {
  const placed = placePanes(view, controls, size)
    .flatMap(({ panes }) => panes)
    .find(({ focused }) => focused);
  if (placed === undefined) return { ...controls, scroll: 0 };
  const start = firstLine(placed.lines.length - placed.rows, 0, placed.pane.anchor);
  return { ...controls, scroll: placed.first - start };
}

/** `hidden`: lines more than rows. Scrolling up from the bottom is negative, down from the top positive. */
function firstLine(hidden: number, scroll: number, anchor: 'top' | 'bottom'): number {
  const most = Math.max(0, hidden);
  return Math.min(most, Math.max(0, (anchor === 'top' ? 0 : most) + scroll));
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
