import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** End-to-end tests and worker threads run the compiled program: let the launcher compile it before any test. */
export default function buildOnce(): void {
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../bin/crypto-trader.js'), '--version'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
