import { readFileSync } from 'node:fs';

/** As package.json says, which is two folders up from the source and from the compiled program alike. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
