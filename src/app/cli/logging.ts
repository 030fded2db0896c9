import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { Log } from '../../core/foundation/log.ts';
import { plainText } from '../../core/foundation/plain-text.ts';
import { explainSystemError, FileError } from '../../data/file-errors.ts';
import { makeFolder } from '../../data/files.ts';
import { escapeUnprintable } from './json-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogSettings {
  readonly directory: string;
  /** Largest size of a file, and how many there may be. */
  readonly rotation: { readonly fileMb: number; readonly files: number };
  readonly fileLevel: LogLevel;
  readonly terminalLevel: LogLevel;
  readonly colour: boolean;
  readonly redact: (text: string) => string;
  /** Told once when lines cannot be kept in the file; the program goes on without them. */
  readonly onUnwritable: (problem: FileError) => void;
}

interface LineStream {
  write(line: string): void;
}

/** Lines that a full disk does not take are tried again with the next one, up to this many bytes. */
const MOST_WAITING_BYTES = 2 ** 20;

/**
 * JSON lines in `<directory>/crypto-trader.<n>.log`, rotated by size, and human lines on stderr. Both are
 * written synchronously, so a line that was logged survives a kill, and both are redacted. A folder that cannot be
 * written, or a disk that is full, costs the file and nothing else.
 */
export async function createLog(settings: LogSettings): Promise<Log> {
  const streams = [{ level: settings.terminalLevel, stream: await terminalLines(settings) }];
  const file = await fileLines(settings);
  if (file !== undefined) streams.push({ level: settings.fileLevel, stream: file });
  const log: Log = pino(
    { level: lowest(settings.fileLevel, settings.terminalLevel), timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  );
  return log;
}

async function terminalLines({ colour, redact }: LogSettings): Promise<LineStream> {
  const {
    default: { prettyFactory },
  } = await import('pino-pretty');
  const format = prettyFactory({
    colorize: colour,
    ignore: 'pid,hostname',
    translateTime: 'UTC:HH:MM:ss',
    singleLine: true,
  });
  return {
    write(line) {
      // Stripped before the colours are added: those are sequences too.
      const fields: unknown = JSON.parse(line, (_, value: unknown) =>
        typeof value === 'string' ? plainText(value) : value,
      );
      process.stderr.write(redact(format(JSON.stringify(fields))));
    },
  };
}

async function fileLines({
  directory,
  rotation,
  redact,
  onUnwritable,
}: LogSettings): Promise<LineStream | undefined> {
  const { default: roll } = await import('pino-roll');
  try {
    makeFolder(directory);
    requireFiles(directory);
    const file = await roll({
      file: join(directory, 'crypto-trader'),
      extension: '.log',
      sync: true,
      maxLength: MOST_WAITING_BYTES,
      size: `${rotation.fileMb}m`,
      // Those that earlier processes left count too.
      limit: { count: rotation.files, removeOtherLogFiles: true },
    });
    let told = false;
    file.on('error', (error: unknown) => {
      const problem = problemOf(error);
      if (!told) onUnwritable(problem);
      told = true;
    });
    return { write: (line) => void file.write(redact(escapeUnprintable(line))) };
  } catch (error) {
    onUnwritable(problemOf(error));
    return undefined;
  }
}

function problemOf(error: unknown): FileError {
  const problem = error instanceof FileError ? error : explainSystemError(error);
  if (problem === undefined) throw error;
  return problem;
}

/** Opening a pipe that stands where a log file belongs would wait for a reader. */
function requireFiles(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (
      !/^crypto-trader\..*\.log$/.test(name) ||
      statSync(path, { throwIfNoEntry: false })?.isFile() !== false
    )
      continue;
    throw new FileError(`Cannot write "${path}": no file stands there.`, { hint: 'Move it away.', path });
  }
}

const lowest = (a: LogLevel, b: LogLevel): LogLevel =>
  pino.levels.values[a] <= pino.levels.values[b] ? a : b;
