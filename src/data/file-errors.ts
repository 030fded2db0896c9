import type { Stats } from 'node:fs';
import { UserError } from '../core/foundation/errors.ts';

/** A file or folder that cannot be read or written; the command line adds which setting names its folder. */
export class FileError extends UserError {
  readonly path: string;

  constructor(message: string, options: { readonly hint: string; readonly path: string; cause?: unknown }) {
    super(message, options);
    this.path = options.path;
  }
}

const FILE_FOR_FOLDER = [
  'a file stands where a folder is needed',
  'Move that file away, or choose another folder.',
] as const;

/** What the operating system's codes mean, and what to do; a code that is not here is a fault of the program. */
const CAUSES: Readonly<Record<string, readonly [meaning: string, hint: string]>> = {
  ENOENT: ['there is no such file or folder', 'Check the path.'],
  EACCES: ['permission denied', 'Check who owns it, or choose another folder.'],
  EPERM: ['permission denied', 'Check who owns it, or choose another folder.'],
  ENOTDIR: FILE_FOR_FOLDER,
  EEXIST: FILE_FOR_FOLDER,
  EISDIR: ['a folder stands where a file is needed', 'Move that folder away, or choose another name.'],
  ENOTEMPTY: ['the folder is not empty', 'Move its content away, or choose another name.'],
  ELOOP: ['its symbolic links go in a circle', 'Correct the link.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter one.'],
  ENOSPC: [
    'the disk is full',
    'Free some space and run the same command again; it resumes where it stopped.',
  ],
  EDQUOT: ['the disk quota is used up', 'Free some space and run the same command again; it resumes.'],
  EFBIG: [
    'the file size limit is reached',
    'Raise it (ulimit -f) and run the same command again; it resumes.',
  ],
  EROFS: ['the file system is read-only', 'Choose a folder that can be written.'],
  EIO: ['the disk answers with an error', 'Check the disk, then run the same command again.'],
  EBUSY: ['another program uses it', 'Close that program, then run the same command again.'],
  ETXTBSY: ['another program uses it', 'Close that program, then run the same command again.'],
  ESTALE: ['the network drive has lost it', 'Mount the drive again.'],
  ENXIO: ['it is a device or a pipe that nobody serves', 'Give the path of a file.'],
  ENODEV: ['it is no file', 'Give the path of a file.'],
  EXDEV: ['it lies on another drive', 'Choose a folder on the same drive.'],
  EMFILE: ['too many files are open', 'Raise the limit (ulimit -n).'],
  ENFILE: ['too many files are open on this machine', 'Close other programs.'],
  ERR_FS_FILE_TOO_LARGE: ['it is too large', 'Check the path.'],
};

/** Turns what the operating system says about a full, read-only or forbidden disk into a `FileError`. */
export function explainDiskError(error: unknown, path: string): unknown {
  const cause = causeOf(error);
  if (cause === undefined) return error;
  const [code, meaning, hint] = cause;
  return new FileError(`Cannot write "${path}" (${code}). What was there before is unchanged.`, {
    hint: `${capital(meaning)}. ${hint}`,
    path,
    cause: error,
  });
}

/** The same about a folder that cannot be made. */
export function explainFolderError(error: unknown, path: string): unknown {
  const cause = causeOf(error);
  if (cause === undefined) return error;
  const [code, meaning, hint] = cause;
  return new FileError(`Cannot make the folder "${path}": ${meaning} (${code}).`, {
    hint,
    path,
    cause: error,
  });
}

/** The same about reading; `what` says what the file is for, "the configuration". */
export function explainReadError(error: unknown, path: string, what?: string): unknown {
  const cause = causeOf(error);
  if (cause === undefined) return error;
  const [code, meaning, hint] = cause;
  const subject = what === undefined ? '' : `${what} `;
  return new FileError(`Cannot read ${subject}"${path}": ${meaning} (${code}).`, {
    hint,
    path,
    cause: error,
  });
}

/**
 * An error of the operating system that no caller has explained, as a sentence with its path and cause: the last net
 * of the command line. `undefined` for everything else.
 */
export function explainSystemError(error: unknown): FileError | undefined {
  const cause = causeOf(error);
  if (cause === undefined || !(error instanceof Error)) return undefined;
  const [code, meaning, hint] = cause;
  const path = [field(error, 'dest'), field(error, 'path')].find((found) => found !== undefined);
  const reading = ['open', 'read', 'scandir', 'stat', 'lstat', 'readlink', 'access', 'statfs'];
  const verb = reading.includes(field(error, 'syscall') ?? '') ? 'open' : 'write';
  const subject = path === undefined ? '' : ` "${path}"`;
  return new FileError(`Cannot ${verb}${subject}: ${meaning} (${code}).`, {
    hint,
    path: path ?? '',
    cause: error,
  });
}

/** The operating system's code of an error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** There is no such file, nor a folder that it could be in. */
export const isAbsent = (error: unknown): boolean =>
  errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';

function causeOf(error: unknown): readonly [code: string, meaning: string, hint: string] | undefined {
  const code = errorCode(error);
  if (code === 'ERR_INVALID_ARG_VALUE' && error instanceof Error && /null bytes/.test(error.message))
    return [code, 'its name contains a NUL character', 'Correct the path.'];
  if (code === undefined || !Object.hasOwn(CAUSES, code)) return undefined;
  return [code, ...CAUSES[code]];
}

function field(error: Error, name: 'path' | 'dest' | 'syscall'): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What stands where a file was expected, for messages. */
export function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a link';
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}
