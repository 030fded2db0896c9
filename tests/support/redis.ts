import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Whether a Redis server is installed. */
export const hasRedis = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** A server of its own that keeps nothing on disk: what was in it is lost when it restarts. */
export function startRedis(
  folder: string,
  port: number,
): { readonly url: string; restart(): void; stop(): void } {
  mkdirSync(folder, { recursive: true });
  const cli = (...words: string[]): string =>
    spawnSync('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...words], { encoding: 'utf8' }).stdout;
  const start = (): void => {
    const options = `--port ${port} --bind 127.0.0.1 --dir ${folder} --daemonize yes --appendonly no`;
    execFileSync('redis-server', [...options.split(' '), '--save', ''], { stdio: 'ignore' });
    while (!cli('ping').startsWith('PONG'));
  };
  const stop = (): void => {
    cli('shutdown', 'nosave', 'now');
    while (cli('ping') !== '');
  };
  start();
  const restart = (): void => {
    stop();
    start();
  };
  return { url: `redis://127.0.0.1:${port}`, restart, stop };
}
