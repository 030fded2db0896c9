import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
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
  /** Of its bytes and, where it imports files of the project, of theirs and their names: see `importsOf`. */
  readonly sha256: string;
  /** Its code and that of the files it imports. */
  readonly allCode: string;
  /** Files of the project that it imports, directly or not, as `path` names its own. */
  readonly imports: readonly string[];
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
  const imports = await importsOf({ root, file, bytes });
  const own = createHash('sha256').update(bytes).digest('hex');
  const lines = imports.map((one) => `\n${one.path} ${one.sha256}`);
  return {
    path: inside.split(sep).join('/'),
    file,
    code: new TextDecoder().decode(bytes),
    allCode: [bytes, ...imports.map((one) => one.content)]
      .map((one) => new TextDecoder().decode(one))
      .join('\n'),
    sha256:
      lines.length === 0
        ? own
        : createHash('sha256')
            .update([own, ...lines].join(''))
            .digest('hex'),
    imports: imports.map((one) => one.path),
  };
}

const MOST_IMPORTS = 200;
const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g;
const ENDINGS = ['', '.ts', '.mjs', '.js', '.json', '/index.ts', '/index.mjs', '/index.js'];

/**
 * Files that a plug-in imports by a relative path that stands in its code, and what those import, sorted by path. Packages
 * and paths that are put together at run time are not among them. Throws `UserError` for a file outside the project.
 */
async function importsOf({
  root,
  file,
  bytes,
}: {
  readonly root: string;
  readonly file: string;
  readonly bytes: Uint8Array;
}): Promise<readonly { readonly path: string; readonly sha256: string; readonly content: Uint8Array }[]> {
  const found = new Map<string, Uint8Array>();
  const todo = [{ file, bytes }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const [, , specifier] of new TextDecoder().decode(next.bytes).matchAll(IMPORT)) {
      const target = await firstFile(resolve(dirname(next.file), specifier));
      if (target === undefined || target === file) continue;
      const inside = relative(root, target);
      if (inside.startsWith('..') || isAbsolute(inside))
        throw new UserError(`It imports "${specifier}", which lies outside the project folder "${root}".`, {
          hint: 'Only what lies inside the project is run: copy that file into it.',
        });
      const path = inside.split(sep).join('/');
      if (found.has(path)) continue;
      if (found.size >= MOST_IMPORTS)
        throw new UserError(`It imports more than ${MOST_IMPORTS} files.`, {
          hint: 'Make a package of them, and import that.',
        });
      const content = await readFile(target);
      found.set(path, content);
      todo.push({ file: target, bytes: content });
    }
  }
  return [...found]
    .map(([path, content]) => ({ path, content, sha256: createHash('sha256').update(content).digest('hex') }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The file that an import without its ending means; `undefined` when there is none: running the plug-in will say so. */
async function firstFile(path: string): Promise<string | undefined> {
  const stem = path.replace(/\.js$/, '');
  for (const candidate of [...ENDINGS.map((ending) => path + ending), `${stem}.ts`]) {
    const about = await stat(candidate).catch(() => undefined);
    if (about?.isFile() === true) return realpath(candidate);
  }
  return undefined;
}
