/** Loaded before a program that is measured: at its end writes what it took to the file that USAGE_FILE names. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { peakMb } from './peak.mjs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const usage = { peakMb: peakMb(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  writeFileSync(process.env.USAGE_FILE, JSON.stringify(usage));
});
