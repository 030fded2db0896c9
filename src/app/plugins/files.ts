import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { errorCode } from '../../data/files.ts';

/** The folder of a project whose files are plug-ins; what lies in folders inside it is for them to import. */
export const USER_FOLDER = 'user';

const MOST_BYTES = 4 * 1024 * 1024;

/** A plug-in before it is run. */
export interface PluginSource {
  /** Below the project folder, with `/` between the parts. */
  readonly path: string;
  readonly file: string;
  readonly code: string;
  /** Of exactly the bytes that will be run; of what they import it says nothing. */
  readonly sha256: string;
}

const isPlugin = (name: string): boolean =>
  /^[^._].*\.(ts|mjs|js)$/.test(name) && !/\.(d|test)\.(ts|mjs|js)$/.test(name);

/** Paths of the plug-ins of a project: the files of `user/`, then those that the settings name. */
export async function pluginPaths(project: string, named: readonly string[]): Promise<readonly string[]> {
  const found = await readdir(join(project, USER_FOLDER)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  const own = found
    .filter(isPlugin)
    .toSorted()
    .map((name) => `${USER_FOLDER}/${name}`);
  return [...new Set([...own, ...named])];
}

/** Reads a plug-in. Throws `UserError` when it is not a file inside the project folder, whatever links say. */
export async function readPlugin(project: string, path: string): Promise<PluginSource> {
  const root = await realpath(project);
  const file = await realpath(resolve(root, path)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new UserError(`There is no plug-in "${path}".`, {
      hint: 'Put the file there, or take it out of `plugins` in config.yaml.',
    });
  });
  const inside = relative(root, file);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new UserError(`The plug-in "${path}" lies outside the project folder "${root}".`, {
      hint: `Copy it into ${USER_FOLDER}/: only what lies inside the project is run.`,
    });
  }
  const about = await stat(file);
  if (!about.isFile() || about.size > MOST_BYTES) {
    throw new UserError(`The plug-in "${path}" is no file of code of at most ${MOST_BYTES >> 20} MiB.`, {
      hint: 'Expected one .ts, .mjs or .js file with a default export.',
    });
  }
  const bytes = await readFile(file);
  return {
    path: inside.split(sep).join('/'),
    file,
    code: new TextDecoder().decode(bytes),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
