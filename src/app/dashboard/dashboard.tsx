import { Box, Text } from 'ink';
import type { Controls } from './controls.ts';
import { duration } from '../../core/foundation/duration.ts';
import { minute } from './format.ts';
import { GAP, type PlacedPane, placePanes, type Size } from './layout.ts';
import type { Line } from './lines.ts';
import type { DashboardView } from './view.ts';

const KEYS = 'tab, left/right: pane   up/down: scroll   p: pause   ?: help   q: quit';

interface DashboardProps {
  readonly view: DashboardView;
  readonly controls: Controls;
  readonly size: Size;
}

interface HeaderProps {
  readonly view: DashboardView;
  readonly paused: boolean;
  readonly columns: number;
}

/** The whole screen as a function of what there is to see, what was pressed, and how large the terminal is. */
export function Dashboard({ view, controls, size }: DashboardProps) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      <Header view={view} paused={controls.paused} columns={size.columns} />
      {controls.help ? <Help rows={size.rows - 2} /> : <Panes {...{ view, controls, size }} />}
      <Text wrap="truncate" dimColor>
        {KEYS}
      </Text>
    </Box>
  );
}

function Header({ view, paused, columns }: HeaderProps) {
  const { session, time } = view;
  const flags = [
    ...(paused ? [{ text: ' PAUSED', color: 'yellow' }] : []),
    ...(session?.synthetic === true ? [{ text: ' SYNTHETIC', color: 'yellow' }] : []),
    ...(session?.overdueSeconds === undefined
      ? []
      : [{ text: ` STALE: next bar ${duration(session.overdueSeconds)} overdue`, color: 'red' }]),
  ];
  const last = session?.lastBarTime === undefined ? '' : `, last ${minute(session.lastBarTime)}`;
  const about = session === undefined ? '' : ` ${session.sessionId}, ${session.bars} bars${last}`;
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

function Panes({ view, controls, size }: DashboardProps) {
  const stacks = placePanes(view, controls, size);
  return (
    <Box height={size.rows - 2} columnGap={GAP}>
      {stacks.map(({ width, panes }) => (
        <Box key={panes[0].pane.id} flexDirection="column" width={width}>
          {panes.map((placed) => (
            <PaneBox key={placed.pane.id} placed={placed} width={width} />
          ))}
        </Box>
      ))}
    </Box>
  );
}

function PaneBox({ placed, width }: { readonly placed: PlacedPane; readonly width: number }) {
  const { pane, lines, rows, first, focused } = placed;
  const shown = lines.slice(first, first + rows);
  const hidden = lines.length - shown.length;
  const title = `${focused ? '▶' : '─'} ${pane.title}${hidden > 0 ? ` (${hidden} more ${hidden === 1 ? 'line' : 'lines'})` : ''} `;
  return (
    <Box flexDirection="column" height={rows + 1}>
      <Text wrap="truncate" {...(focused ? { color: 'cyan', bold: true } : { dimColor: true })}>
        {title.padEnd(width, '─')}
      </Text>
      {shown.map((line, i) => (
        <LineText key={i} line={line} />
      ))}
    </Box>
  );
}

function LineText({ line }: { readonly line: Line }) {
  return (
    <Text wrap="truncate">
      {line.map(({ text, colour, dim = false, bold = false }, i) => (
        <Text key={i} dimColor={dim} bold={bold} {...(colour && { color: colour })}>
          {text}
        </Text>
      ))}
    </Text>
  );
}

const HELP = [
  'This shows what `paper` and `train` write to disk. It changes nothing and',
  'can be opened and closed at any time, several times at once.',
  '',
  'tab, right / left    next / previous pane; the pane in focus gets the most room',
  'up / down            scroll the pane in focus',
  'p                    pause: the screen stands still',
  '?                    this help; esc closes it',
  'q                    quit',
  '',
  'next open: the target decided at the last close, for the open of the next bar.',
  'trial: what an agent in training returned on the validation bars.',
  'STALE: the exchange or the paper session is late; see the log.',
];

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
