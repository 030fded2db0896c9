import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

/** Debian keeps the server's programs out of the path. */
const FOLDERS = [
  '/usr/local/bin',
  '/usr/bin',
  ...[18, 17, 16, 15, 14, 13].map((v) => `/usr/lib/postgresql/${v}/bin`),
];
/** Where PostgreSQL is installed; `undefined`: it is not. */
export const pgCtl = FOLDERS.map((folder) => join(folder, 'pg_ctl')).find((path) => existsSync(path));

/** A server of its own in a folder, as a user that PostgreSQL agrees to run as. */
export function startPostgres(
  folder: string,
  port: number,
): { readonly url: string; restart(): void; stop(): void } {
  const control = pgCtl ?? 'pg_ctl';
  const nobody = 65_534;
  const isRoot = process.getuid?.() === 0;
  mkdirSync(folder, { recursive: true });
  chmodSync(dirname(folder), 0o755);
  if (isRoot) chownSync(folder, nobody, nobody);
  const as = { stdio: 'ignore', ...(isRoot && { uid: nobody, gid: nobody }) } as const;
  const data = join(folder, 'data');
  const initdb = join(dirname(control), 'initdb');
  execFileSync(existsSync(initdb) ? initdb : 'initdb', ['-D', data, '-A', 'trust', '-U', 'postgres'], as);
  const options = `-p ${port} -h 127.0.0.1 -k ${folder}`;
  const start = (): void =>
    void execFileSync(control, ['-D', data, '-o', options, '-w', '-l', join(folder, 'log'), 'start'], as);
  const stop = (): void => void execFileSync(control, ['-D', data, '-m', 'immediate', 'stop'], as);
  start();
  const restart = (): void => {
    stop();
    start();
  };
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, restart, stop };
}

export const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
