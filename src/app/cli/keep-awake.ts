import { spawn } from 'node:child_process';

/** What asks the system not to sleep for as long as the process `pid` lives. */
const ASKING: Partial<Record<NodeJS.Platform, (pid: number) => readonly [string, ...string[]]>> = {
  darwin: (pid) => ['caffeinate', '-i', '-w', `${pid}`],
  linux: (pid) => [
    'systemd-inhibit',
    '--what=idle:sleep',
    '--who=crypto-trader',
    '--why=Long computation',
    'tail',
    `--pid=${pid}`,
    '-f',
    '/dev/null',
  ],
};

/**
 * Keeps the machine from sleeping until the returned function is called or this process ends, where the system offers it:
 * `caffeinate` of macOS, `systemd-inhibit` of Linux. Elsewhere, and where it is refused, nothing happens.
 */
export function keepAwake(): () => void {
  const [program, ...args] = ASKING[process.platform]?.(process.pid) ?? [];
  if (program === undefined) return () => undefined;
  const child = spawn(program, args, { stdio: 'ignore' });
  // Not installed here.
  child.on('error', () => undefined);
  child.unref();
  return () => void child.kill();
}
