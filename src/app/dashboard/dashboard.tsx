import { Box, Text } from 'ink';
import { duration } from '../../core/foundation/duration.ts';
import type { Controls } from './controls.ts';
import { minute } from './format.ts';
import { HELP } from './help.ts';
import { FRAME_ROWS, GAP, type PlacedPane, placePanes, type Size } from './layout.ts';
import type { Line } from './lines.ts';
import type { Palette } from './palette.ts';
import type { DashboardView } from './view.ts';
import { VIEWS } from './views.ts';

interface DashboardProps {
  readonly view: DashboardView;
  readonly controls: Controls;
  readonly size: Size;
  readonly palette: Palette;
}

/** The whole screen as a function of what there is to see, what was pressed, and how large the terminal is. */
export function Dashboard({ view, controls, size, palette }: DashboardProps) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      <Header view={view} paused={controls.paused} columns={size.columns} palette={palette} />
      <Menu controls={controls} columns={size.columns} />
      {controls.help ? (
        <Help rows={size.rows - FRAME_ROWS} />
      ) : (
        <Panes {...{ view, controls, size, palette }} />
      )}
      <Text wrap="truncate" dimColor={!controls.typing}>
        {keyLine(controls)}
      </Text>
    </Box>
  );
}

const OWN_KEYS: Partial<Readonly<Record<Controls['view'], string>>> = {
  markets: '[ ] symbol   + - zoom   , . older, newer',
  models: 'up/down: run   v: validation',
  training: 'up/down: model   t: studies',
  studies: 'up/down: study',
  live: 'up/down: session',
  trades: 'up/down: trade   s: sort   r: reverse   /: filter',
  logs: 'up/down: scroll   l: level   /: filter   f: follow',
};

function keyLine({ view, typing, filter }: Controls): string {
  if (typing) return `filter: ${filter}_   enter: keep   esc: clear`;
  const own = OWN_KEYS[view];
  return `q: quit   ?: help   ${own ?? 'tab: pane   up/down: scroll'}   left/right: view   p: pause`;
}

interface HeaderProps {
  readonly view: DashboardView;
  readonly paused: boolean;
  readonly columns: number;
  readonly palette: Palette;
}

function Header({ view, paused, columns, palette }: HeaderProps) {
  const { session, time } = view;
  const flags = [
    ...(paused ? [{ text: ' PAUSED', color: palette.warn }] : []),
    ...(session?.synthetic === true ? [{ text: ' SYNTHETIC', color: palette.warn }] : []),
    ...(session?.overdueSeconds === undefined
      ? []
      : [{ text: ` STALE: next bar ${duration(session.overdueSeconds)} overdue`, color: palette.bad }]),
  ];
  const last = session?.lastBarTime === undefined ? '' : `, last ${minute(session.lastBarTime)}`;
  const about =
    session === undefined
      ? ''
      : ` ${session.sessionId}, ${session.bars} ${session.bars === 1 ? 'bar' : 'bars'}${last}`;
  const clock = ` now ${minute(time)} UTC`;
  const used = ['crypto-trader', ...flags.map(({ text }) => text), about].join('').length;
  return (
    <Text wrap="truncate">
      <Text bold>crypto-trader</Text>
      {flags.map(({ text, color }) => (
        <Text key={text} color={color}>
          {text}
        </Text>
      ))}
      {about}
      {used + clock.length <= columns && <Text dimColor>{clock}</Text>}
    </Text>
  );
}

/** Where a view stands in a menu that has no room for it. */
const NEIGHBOUR: Partial<Readonly<Record<Controls['view'], Controls['view']>>> = {
  validation: 'models',
  studies: 'training',
  live: 'trades',
};

/** The chosen view stands in brackets: no colour is needed to see it. */
function Menu({ controls, columns }: { readonly controls: Controls; readonly columns: number }) {
  const fit = (some: typeof VIEWS): boolean =>
    some.reduce((sum, { title }) => sum + title.length + 4, 0) <= columns;
  const views = fit(VIEWS) ? VIEWS : VIEWS.filter(({ key }) => /\d/.test(key));
  const isWide = fit(views);
  const chosen = views.some(({ id }) => id === controls.view) ? controls.view : NEIGHBOUR[controls.view];
  return (
    <Text wrap="truncate">
      {views.map(({ id, key, title, short }, i) => {
        const isChosen = id === chosen;
        const name = `${key} ${isWide ? title : short}`;
        // Where there is little room, neighbours share what stands between them.
        const before = isChosen ? '[' : !isWide && views[i - 1]?.id === chosen ? ']' : ' ';
        const after = isChosen && (isWide || i === views.length - 1) ? ']' : isWide ? ' ' : '';
        return (
          <Text key={id} bold={isChosen} dimColor={!isChosen}>
            {before}
            <Text inverse={isChosen}>{name}</Text>
            {after}
          </Text>
        );
      })}
    </Text>
  );
}

function Panes({ view, controls, size, palette }: DashboardProps) {
  const stacks = placePanes(view, controls, size);
  return (
    <Box height={size.rows - FRAME_ROWS} columnGap={GAP}>
      {stacks.map(({ width, panes }) => (
        <Box key={panes[0].pane.id} flexDirection="column" width={width}>
          {panes.map((placed) => (
            <PaneBox key={placed.pane.id} placed={placed} width={width} palette={palette} />
          ))}
        </Box>
      ))}
    </Box>
  );
}

interface PaneBoxProps {
  readonly placed: PlacedPane;
  readonly width: number;
  readonly palette: Palette;
}

function PaneBox({ placed, width, palette }: PaneBoxProps) {
  const { title, lines, rows, head, first, focused } = placed;
  const shown = [...lines.slice(0, head), ...lines.slice(head + first, first + rows)];
  const hidden = lines.length - shown.length;
  const more = hidden > 0 ? ` (${hidden} more ${hidden === 1 ? 'line' : 'lines'})` : '';
  return (
    <Box flexDirection="column" height={rows + 1}>
      <Text wrap="truncate" {...(focused ? { color: palette.accent, bold: true } : { dimColor: true })}>
        {`${focused ? '▶' : '─'} ${title}${more} `.padEnd(width, '─')}
      </Text>
      {shown.map((line, i) => (
        <LineText key={i} line={line} palette={palette} />
      ))}
    </Box>
  );
}

function LineText({ line, palette }: { readonly line: Line; readonly palette: Palette }) {
  // A text without anything in it takes no row.
  if (line.every(({ text }) => text === '')) return <Text> </Text>;
  return (
    <Text wrap="truncate">
      {line.map(({ text, colour, dim = false, bold = false, inverse = false }, i) => (
        <Text
          key={i}
          dimColor={dim}
          bold={bold}
          inverse={inverse}
          {...(colour && { color: palette[colour] })}
        >
          {text}
        </Text>
      ))}
    </Text>
  );
}

function Help({ rows }: { readonly rows: number }) {
  return (
    <Box flexDirection="column" height={rows}>
      {HELP.slice(0, rows).map((text, i) => (
        <Text key={i} wrap="truncate">
          {text === '' ? ' ' : text}
        </Text>
      ))}
    </Box>
  );
}
