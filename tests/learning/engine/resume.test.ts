import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'resume-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The hash of the weights after the steps `from` .. `to` in a new process. */
function train(from: number, to: number): string {
  const script = resolve(import.meta.dirname, 'resume-process.ts');
  const args = ['--import', 'tsx', script, folder, String(from), String(to)];
  return execFileSync(process.execPath, args, { encoding: 'utf8' });
}

it('a new process goes on from the files of another with the bits of an uninterrupted run', () => {
  const whole = train(0, 12);
  expect(train(0, 5)).not.toBe(whole);
  expect(train(5, 12)).toBe(whole);
});
