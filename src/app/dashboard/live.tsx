import { setTimeout as sleep } from 'node:timers/promises';
import { type Key, render, useInput } from 'ink';
import { plainText } from '../../core/foundation/plain-text.ts';
import type { Controls } from './controls.ts';
import { Dashboard } from './dashboard.tsx';
import { type Command, KEYS, press } from './keys.ts';
import { limit, type Size } from './layout.ts';
import type { Palette } from './palette.ts';
import type { DashboardView } from './view.ts';
import { viewNamed } from './views.ts';
import type { Watch } from './watch.ts';

const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[H';
const MAIN_SCREEN = '\u001b[?1049l\u001b[?25h';
const CLEAR = '\u001b[2J\u001b[H';

interface LiveOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly start: Controls;
  readonly palette: Palette;
  /** Ctrl-C was pressed: in raw mode the terminal does not turn it into a signal. */
  readonly onInterrupt: () => void;
}

/** Shows the dashboard on a terminal until q is pressed or `signal` aborts, and leaves the screen as it was. */
export async function showLive(watch: Watch, options: LiveOptions): Promise<void> {
  const { stdin, stdout, intervalMs, signal, palette } = options;
  const quit = new AbortController();
  const stop = AbortSignal.any([signal, quit.signal]);
  let controls = options.start;
  let view = await watch.look(viewNamed(controls.view).details);
  let shown = '';

  const onCommand = (command: Command): void => {
    const before = controls;
    controls = limit(view, press(controls, command), sizeOf(stdout));
    draw();
    // What another view shows may not have been read yet.
    if (controls.view !== before.view) void lookAgain();
  };
  const onInput = (input: string, key: Key): void => {
    if (key.ctrl && input === 'c') {
      options.onInterrupt();
      return;
    }
    const command = controls.typing ? undefined : moved(key);
    if (command !== undefined || input === '') {
      onCommand(command ?? typed('', key));
      return;
    }
    // Keys that follow each other fast arrive together.
    for (const character of input) {
      if (controls.typing) onCommand(typed(character, key));
      else if (character === 'q') quit.abort();
      else if (KEYS[character] !== undefined) onCommand(KEYS[character]);
    }
  };
  const screen = () => <Screen {...{ view, controls, palette, onInput }} size={sizeOf(stdout)} />;
  const onResize = (): void => {
    assumeSize(stdout);
    stdout.write(CLEAR);
    draw();
  };
  let broken: Error | undefined;
  const lookAgain = async (): Promise<void> => {
    try {
      const newest = await watch.look(viewNamed(controls.view).details);
      view = newest;
      // Drawing takes longer than looking, and most looks find nothing new.
      const text = JSON.stringify({ ...newest, time: newest.time.slice(0, 16) });
      if (text === shown) return;
      shown = text;
      controls = limit(view, controls, sizeOf(stdout));
      draw();
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
      quit.abort();
    }
  };
  assumeSize(stdout);
  // Before Ink's own listener, which asks for the size too.
  stdout.on('resize', onResize);
  const restore = (): void => void stdout.write(MAIN_SCREEN);
  // Whatever ends the process, the terminal is as it was.
  process.once('exit', restore);
  stdout.write(ALTERNATE_SCREEN);
  const ink = render(screen(), { stdin, stdout, exitOnCtrlC: false, patchConsole: false });
  const draw = (): void => ink.rerender(screen());
  try {
    while (!stop.aborted) {
      await sleep(intervalMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted || controls.paused) continue;
      await lookAgain();
    }
  } finally {
    stdout.off('resize', onResize);
    ink.unmount();
    restore();
    process.off('exit', restore);
  }
  if (broken !== undefined) throw broken;
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
  readonly palette: Palette;
  readonly onInput: (input: string, key: Key) => void;
}

function Screen({ view, controls, size, palette, onInput }: ScreenProps) {
  useInput(onInput);
  return <Dashboard {...{ view, controls, size, palette }} />;
}

/** What keys without a character do. */
function moved(key: Key): Command | undefined {
  if (key.tab) return key.shift ? 'previous-pane' : 'next-pane';
  if (key.rightArrow) return 'next-view';
  if (key.leftArrow) return 'previous-view';
  if (key.upArrow) return 'up';
  if (key.downArrow) return 'down';
  if (key.pageUp) return 'page-up';
  if (key.pageDown) return 'page-down';
  return key.escape ? 'close' : undefined;
}

/** What is typed into a filter. */
function typed(text: string, key: Key): Command {
  if (key.escape) return 'close';
  if (key.return || text === '\r' || text === '\n') return 'accept';
  if (key.backspace || key.delete || text === '\u007f' || text === '\b') return 'erase';
  // A control character would move the cursor of the screen.
  return { typed: key.ctrl || key.meta ? '' : plainText(text).replace(/\s/g, ' ') };
}
