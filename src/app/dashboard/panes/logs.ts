import { LOG_LEVELS } from '../controls.ts';
import type { Controls } from '../controls.ts';
import { minute } from '../format.ts';
import { dim, type Line, wrap } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { LogView } from '../view.ts';

const LEVEL_COLOUR = { error: 'bad', warn: 'warn', info: undefined, debug: undefined } as const;

/** The newest lines, one a row. */
export const logPane: Pane = {
  id: 'log',
  title: 'Log',
  least: 1,
  anchor: 'bottom',
  lines: ({ log }) => (log.length === 0 ? [[dim('The log is empty.')]] : log.slice(-200).map(shortLine)),
};

function shortLine({ time, level, message }: LogView): Line {
  const colour = LEVEL_COLOUR[level];
  return [dim(`${minute(time)} `), { text: `${level} ${message}`, ...(colour && { colour }) }];
}

/** Whole lines, filtered, following the newest until somebody scrolls up. */
export const logsPane: Pane = {
  id: 'logs',
  title: ({ log }, controls) => {
    const shown = log.filter((line) => isShown(line, controls)).length;
    const filter = controls.filter === '' ? '' : `, with "${controls.filter}"`;
    const level = controls.level === 'debug' ? '' : `, ${controls.level} and above`;
    return `Log: ${shown} of ${log.length} lines${level}${filter}${controls.scroll < 0 ? '' : ', following'}`;
  },
  least: 1,
  anchor: 'bottom',
  lines: ({ log }, { width, spoken }, controls) => {
    if (log.length === 0) return [[dim('The log is empty.')]];
    const shown = log.filter((line) => isShown(line, controls));
    if (shown.length === 0) return [[dim('No line passes the filter: esc clears it, l changes the level.')]];
    return shown.flatMap((line) => wholeLine(line, spoken ? Infinity : width));
  },
};

function isShown({ level, message }: LogView, { level: least, filter }: Controls): boolean {
  return (
    LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least) &&
    message.toLowerCase().includes(filter.toLowerCase())
  );
}

const INDENT = 17;

function wholeLine({ time, level, message }: LogView, width: number): readonly Line[] {
  const colour = LEVEL_COLOUR[level];
  return message
    .split('\n')
    .flatMap((part) => wrap(part, Math.max(20, width - INDENT - level.length - 1)))
    .map((text, i): Line => [
      dim(i === 0 ? `${minute(time)} ` : ' '.repeat(INDENT)),
      { text: `${i === 0 ? level : ' '.repeat(level.length)} ${text}`, ...(colour && { colour }) },
    ]);
}
