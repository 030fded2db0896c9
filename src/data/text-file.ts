import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { explainReadError, FileError, isAbsent, kindOf } from './file-errors.ts';

/** What a file that a person edits, or that this program wrote as text, may take. */
interface TextFileLimits {
  readonly path: string;
  /** For messages: "the configuration". */
  readonly what?: string;
  readonly largestBytes: number;
}

/**
 * The text of a UTF-8 file without its byte order mark, or `undefined` when there is no such file. A folder, a pipe, a
 * device, a file above `largestBytes` and bytes of another encoding are a `UserError`: none of them is waited for, and
 * none is read whole.
 */
export function readTextFile(file: TextFileLimits): string | undefined {
  const bytes = readBytes(file);
  if (bytes === undefined) return undefined;
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw wrongEncoding(file, 'it is UTF-16');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw wrongEncoding(file, `line ${lineOfBadByte(bytes)} is not UTF-8`, error);
  }
}

const wrongEncoding = (file: TextFileLimits, found: string, cause?: unknown): FileError =>
  unreadable(file, found, 'Save the file as UTF-8; editors offer it under "Save with encoding".', cause);

const unreadable = ({ path, what }: TextFileLimits, why: string, hint: string, cause?: unknown): FileError =>
  new FileError(`Cannot read ${what === undefined ? '' : `${what} `}"${path}": ${why}.`, {
    hint,
    path,
    cause,
  });

const CHUNK_BYTES = 64 * 2 ** 10;

/** The bytes of a file, under the same conditions. */
export function readBytes(file: TextFileLimits): Buffer | undefined {
  const { path, what, largestBytes } = file;
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a pipe waits until somebody writes into it.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw explainReadError(error, path, what);
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) {
      throw unreadable(
        file,
        `it is ${kindOf(found)}, not a file`,
        'Give the path of a file, or move what stands there.',
      );
    }
    // Files of /proc say that they are empty: only reading tells their size.
    const chunks: Buffer[] = [];
    const firstBytes = Math.max(CHUNK_BYTES, Math.min(found.size, largestBytes) + 1);
    for (let total = 0; total <= largestBytes;) {
      const chunk = Buffer.allocUnsafe(total === 0 ? firstBytes : CHUNK_BYTES);
      const length = readSync(descriptor, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
      total += length;
    }
    throw unreadable(
      file,
      `it is larger than ${largestBytes / 2 ** 20} MiB`,
      'It is hardly the file that was meant. Check the path.',
    );
  } catch (error) {
    throw explainReadError(error, path, what);
  } finally {
    closeSync(descriptor);
  }
}

/** Decodes line by line: what is no UTF-8 stands in the first line that cannot be decoded alone. */
function lineOfBadByte(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(start, stop));
    } catch {
      return line;
    }
    start = stop;
  }
  return line;
}
