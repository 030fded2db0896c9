import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** As package.json says, which is two folders up from the source and from the compiled program alike. */
export function programVersion(): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

/**
 * Changes whenever this program could compute other bits: with its version, with Node and the processor, and in a
 * checkout with any file of its source and the pins of its packages.
 */
export function programIdentity(): string {
  const hash = createHash('sha256');
  hash.update(`${programVersion()} ${process.version} ${process.arch} ${cpus()[0]?.model ?? ''}`);
  const source = join(root, 'src');
  if (existsSync(source)) {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .toSorted();
    for (const file of [...files.map((name) => join('src', name)), 'package-lock.json']) {
      const { size, mtimeMs } = statSync(join(root, file));
      hash.update(`\n${file} ${size} ${mtimeMs}`);
    }
  }
  return hash.digest('hex');
}
