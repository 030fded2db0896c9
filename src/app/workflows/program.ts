import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Which program this is: its version, and a hash of its code, which a version does not tell apart. */
export interface ProgramIdentity {
  readonly version: string;
  /** SHA-256 over names and contents of all its files. */
  readonly codeSha256: string;
}

export function identifyProgram(): ProgramIdentity {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const hash = createHash('sha256');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|ts|tsx|wasm)$/.test(name),
  );
  for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  const about = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return {
    version: /"version":\s*"([^"]+)"/.exec(about)?.[1] ?? 'unknown',
    codeSha256: hash.digest('hex'),
  };
}

/** What a result was computed on; another processor may round another way. */
export const describeMachine = () => ({
  node: process.version,
  platform: platform(),
  arch: arch(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
});
