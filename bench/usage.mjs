/** Loaded before a program that is measured: at its end writes what it took to the file that USAGE_FILE names. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const STATUS = '/proc/self/status';

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  // Linux counts what the parent held when it forked into a child's maxRSS.
  const own = existsSync(STATUS) ? /VmHWM:\s+(\d+)/.exec(readFileSync(STATUS, 'utf8'))?.[1] : undefined;
  const usage = { peakMb: Number(own ?? maxRSS) / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  writeFileSync(process.env.USAGE_FILE, JSON.stringify(usage));
});
