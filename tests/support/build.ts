import { execFileSync } from 'node:child_process';

/** End-to-end tests and worker threads run the compiled program: build it once before any test. */
export default function buildOnce(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
