import { setTimeout as sleep } from 'node:timers/promises';
import { render, useInput } from 'ink';
import { type Controls, type Key, press, START } from './controls.ts';
import { Dashboard } from './dashboard.tsx';
import { limitScroll, type Size } from './layout.ts';
import type { DashboardView } from './view.ts';
import type { Watch } from './watch.ts';

const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[H';
const MAIN_SCREEN = '\u001b[?1049l';
const CLEAR = '\u001b[2J\u001b[H';

interface LiveOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Ctrl-C was pressed: in raw mode the terminal does not turn it into a signal. */
  readonly onInterrupt: () => void;
}

/** Shows the dashboard on a terminal until q is pressed or `signal` aborts, and leaves the screen as it was. */
export async function showLive(watch: Watch, options: LiveOptions): Promise<void> {
  const { stdin, stdout, intervalMs, signal } = options;
  const quit = new AbortController();
  const stop = AbortSignal.any([signal, quit.signal]);
  let view = await watch.look();
  let controls = START;

  const onKey = (key: Key): void => {
    controls = limitScroll(view, press(controls, key), sizeOf(stdout));
    draw();
  };
  const screen = () => (
    <Screen
      {...{ view, controls, onKey, onInterrupt: options.onInterrupt }}
      size={sizeOf(stdout)}
      onQuit={() => quit.abort()}
    />
  );
  const onResize = (): void => {
    assumeSize(stdout);
    stdout.write(CLEAR);
    draw();
  };
  assumeSize(stdout);
  // Before Ink's own listener, which asks for the size too.
  stdout.on('resize', onResize);
  stdout.write(ALTERNATE_SCREEN);
  const ink = render(screen(), { stdin, stdout, exitOnCtrlC: false, patchConsole: false });
  const draw = (): void => ink.rerender(screen());
  try {
    while (!stop.aborted) {
      await sleep(intervalMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted || controls.paused) continue;
      view = await watch.look();
      draw();
    }
  } finally {
    stdout.off('resize', onResize);
    ink.unmount();
    stdout.write(MAIN_SCREEN);
  }
}

/**
 * Serial lines and some containers have terminals of 0 columns and rows. Ink then asks the machine for the size at every
 * drawing, and leaves the terminal open each time.
 */
function assumeSize(stdout: NodeJS.WriteStream): void {
  stdout.columns ||= 80;
  stdout.rows ||= 24;
}

/** Ink redraws the whole screen, flickering, when its output is as tall as the terminal. */
const sizeOf = (stdout: NodeJS.WriteStream): Size => ({ columns: stdout.columns, rows: stdout.rows - 1 });

interface ScreenProps {
  readonly view: DashboardView;
  readonly controls: Controls;
  readonly size: Size;
  readonly onKey: (key: Key) => void;
  readonly onQuit: () => void;
  readonly onInterrupt: () => void;
}

function Screen({ view, controls, size, onKey, onQuit, onInterrupt }: ScreenProps) {
  useInput((input, key) => {
    if (key.ctrl && input === 'c') onInterrupt();
    else if (input === 'q') onQuit();
    else if (key.tab) onKey(key.shift ? 'previous' : 'next');
    else if (key.rightArrow) onKey('next');
    else if (key.leftArrow) onKey('previous');
    else if (key.upArrow) onKey('up');
    else if (key.downArrow) onKey('down');
    else if (input === 'p') onKey('pause');
    else if (input === '?' || input === 'h') onKey('help');
    else if (key.escape) onKey('close');
  });
  return <Dashboard {...{ view, controls, size }} />;
}
