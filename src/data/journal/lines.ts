import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { FileError, kindOf } from '../file-errors.ts';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** A longer line is no entry of ours: reading it whole would take whatever memory a damaged file asks for. */
export const LONGEST_LINE_BYTES = 1 << 24;

/**
 * Calls `onLine` with the bytes of each complete line from byte `offset` on, without its newline, until it answers
 * `stop`; returns the offset behind the last line it was given. What follows that at the end of the file is a line
 * still being written, or torn by a crash. The bytes are valid only during the call. Holds one chunk and one line in
 * memory, whatever the size of the file, and gives way to other work after each chunk. Throws `RangeError` at a line
 * of more than 16 MiB, and `UserError` where something else than a file stands.
 */
export async function readLineBytes(
  path: string,
  offset: number,
  onLine: (line: Buffer, endOffset: number) => 'go-on' | 'stop',
): Promise<number> {
  // Without O_NONBLOCK, opening a pipe waits until somebody writes into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (!found.isFile())
      throw new FileError(`Cannot read "${path}": it is ${kindOf(found)}, not a file.`, {
        hint: 'Move away what stands there.',
        path,
      });
    const ahead = found.size - offset;
    let buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, ahead)));
    let carried = 0;
    let position = offset;
    for (;;) {
      if (carried === buffer.length) {
        if (carried >= LONGEST_LINE_BYTES)
          throw new RangeError(`the line at byte ${position} has more than ${LONGEST_LINE_BYTES} bytes`);
        buffer = Buffer.concat([buffer], 2 * buffer.length);
      }
      const { bytesRead } = await file.read(buffer, carried, buffer.length - carried, position + carried);
      if (bytesRead === 0) return position;
      const filled = carried + bytesRead;
      const bytes = buffer.subarray(0, filled);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE, carried); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        position += end + 1 - start;
        if (onLine(bytes.subarray(start, end), position) === 'stop') return position;
        start = end + 1;
      }
      buffer.copyWithin(0, start, filled);
      carried = filled - start;
    }
  } finally {
    await file.close();
  }
}

/** The same with each line as text. */
export const readLines = (
  path: string,
  offset: number,
  onLine: (line: string, endOffset: number) => 'go-on' | 'stop',
): Promise<number> => readLineBytes(path, offset, (line, end) => onLine(line.toString('utf8'), end));
