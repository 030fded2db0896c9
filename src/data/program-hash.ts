import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

let hash: string | undefined;

/**
 * SHA-256 of the program's own files, by name, and of what it depends on, on whatever machine: programs with the same one
 * compute the same digits on machines of one kind.
 */
export function programHash(): string {
  if (hash !== undefined) return hash;
  const root = fileURLToPath(new URL('../', import.meta.url));
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const all = createHash('sha256');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith(ending) && !name.endsWith('.d.ts'),
  );
  for (const name of names.toSorted())
    all.update(`\n${name.replaceAll('\\', '/')}\n`).update(readFileSync(join(root, name)));
  const manifest = readFileSync(join(root, '../package.json'), 'utf8');
  all.update(/"dependencies":\s*\{[^}]*\}/.exec(manifest)?.[0] ?? '');
  hash = all.digest('hex');
  return hash;
}
