import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { Log } from '../../core/foundation/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogSettings {
  readonly directory: string;
  readonly fileLevel: LogLevel;
  readonly terminalLevel: LogLevel;
  readonly colour: boolean;
  readonly redact: (text: string) => string;
}

/** Keep this many files of this size beside the current one. */
const ROTATION = { size: '10m', limit: { count: 5 } } as const;

/**
 * JSON lines in `<directory>/crypto-trader.<n>.log`, rotated by size, and human lines on stderr. Both are
 * written synchronously, so a line that was logged survives a kill, and both are redacted.
 */
export async function createLog(settings: LogSettings): Promise<Log> {
  const [{ default: roll }, { default: pretty }] = await Promise.all([
    import('pino-roll'),
    import('pino-pretty'),
  ]);
  mkdirSync(settings.directory, { recursive: true });
  const file = await roll({
    file: join(settings.directory, 'crypto-trader'),
    extension: '.log',
    sync: true,
    ...ROTATION,
  });
  const terminal = pretty({
    destination: 2,
    sync: true,
    colorize: settings.colour,
    ignore: 'pid,hostname',
    translateTime: 'UTC:HH:MM:ss',
    singleLine: true,
  });
  const redacted = (stream: { write(line: string): unknown }) => ({
    write: (line: string) => void stream.write(settings.redact(line)),
  });
  const log = pino(
    { level: lowest(settings.fileLevel, settings.terminalLevel), timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream([
      { level: settings.fileLevel, stream: redacted(file) },
      { level: settings.terminalLevel, stream: redacted(terminal) },
    ]),
  );
  return log;
}

const lowest = (a: LogLevel, b: LogLevel): LogLevel =>
  pino.levels.values[a] <= pino.levels.values[b] ? a : b;
