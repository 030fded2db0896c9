import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1 << 16;
const NEWLINE = 10;

/**
 * Calls `onLine` with each complete line from byte `offset` on, until it answers `stop`; returns the offset
 * behind the last line it was given. What follows that at the end of the file is a line still being written,
 * or torn by a crash. Holds one chunk and one line in memory, whatever the size of the file.
 */
export async function readLines(
  path: string,
  offset: number,
  onLine: (line: string, endOffset: number) => 'go-on' | 'stop',
): Promise<number> {
  const file = await open(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let carried: Buffer = Buffer.alloc(0);
    let position = offset;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position + carried.length);
      if (bytesRead === 0) return position;
      const bytes = Buffer.concat([carried, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        position += end + 1 - start;
        if (onLine(bytes.toString('utf8', start, end), position) === 'stop') return position;
        start = end + 1;
      }
      carried = bytes.subarray(start);
    }
  } finally {
    await file.close();
  }
}
