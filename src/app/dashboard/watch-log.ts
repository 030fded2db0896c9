import { z } from 'zod';
import { parseJson } from './parse-json.ts';
import { createTail } from './tail.ts';
import type { LogView } from './view.ts';

const KEPT_LINES = 1000;
const TAIL_BYTES = 256 * 1024;

const LogLine = z.object({ level: z.number(), time: z.string(), msg: z.string().default('') });

/** Follows the program's own log. */
export function watchLog(logDir: string): { poll(): Promise<boolean>; view(): readonly LogView[] } {
  let lines: LogView[] = [];
  let changed = false;
  const tail = createTail(logDir, {
    matches: (name) => /^crypto-trader\..*log$/.test(name),
    lastBytes: TAIL_BYTES,
    onReset: () => {},
    onLine: (line) => {
      const parsed = LogLine.safeParse(parseJson(line));
      if (!parsed.success) return;
      changed = true;
      const { level, time, msg } = parsed.data;
      lines.push({ time, level: levelName(level), message: msg });
      if (lines.length > 2 * KEPT_LINES) lines = lines.slice(-KEPT_LINES);
    },
  });
  return {
    poll: async () => {
      changed = false;
      await tail.poll();
      return changed;
    },
    view: () => lines.slice(-KEPT_LINES),
  };
}

/** Levels of pino. */
const levelName = (level: number): LogView['level'] =>
  level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug';
