import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../', import.meta.url));
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/**
 * The program's own files that a model's folds depend on, by name from `src/` (or `dist/`): what its folder and the walk-forward
 * import, directly or through others, or start as a worker. Features are not among them: their values are part of the data.
 */
export function filesOfModel(id: string): readonly string[] {
  const folder = join(root, 'learning/models', id, `index${extension}`);
  const own = existsSync(folder) ? folder : join(root, `learning/models/registry${extension}`);
  const found = new Set<string>();
  const open = [own, join(root, `learning/validation/walk-forward${extension}`)];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    open.push(...importsOf(file).filter((one) => !found.has(one)));
  }
  return [...found].map((file) => relative(root, file)).sort();
}

/** Relative imports, static and dynamic, and files that are named for a worker; types leave no trace in what runs. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/^(?:import|export) type [^;]*;/gm, '');
  // A worker is started by a name that is put together: it lies beside who starts it.
  const workers = text.includes('new Worker(') ? readdirSync(dirname(file)).filter(isCode) : [];
  const named = [...text.matchAll(/(?:\bfrom|\bimport\(|\bimport|\bnew URL\()\s*'(\.{1,2}\/[^']+\.[jt]s)'/g)]
    .map(([, name]) => name)
    .concat(workers);
  return named.map((name) => resolve(dirname(file), name)).filter((one) => existsSync(one));
}

const isCode = (name: string): boolean => name.endsWith(extension) && !name.endsWith('.d.ts');

const known = new Map<string, string>();

/** SHA-256 of those files, and of the packages that the program computes with. */
export function codeOfModel(id: string): string {
  const before = known.get(id);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  for (const file of filesOfModel(id)) hash.update(file).update(readFileSync(join(root, file)));
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(root, '../package.json'), 'utf8')));
  const code = hash.update(JSON.stringify(dependencies)).digest('hex');
  known.set(id, code);
  return code;
}
