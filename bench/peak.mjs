/** What this process held at most, in MB. */
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';

const STATUS = '/proc/self/status';

/** Linux counts what the parent held when it forked into a child's maxRSS: there the kernel's own figure is asked for. */
export function peakMb() {
  const own = existsSync(STATUS) ? /VmHWM:\s+(\d+)/.exec(readFileSync(STATUS, 'utf8'))?.[1] : undefined;
  return Number(own ?? process.resourceUsage().maxRSS) / 1024;
}
