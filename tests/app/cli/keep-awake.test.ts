import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepAwake } from '../../../src/app/cli/keep-awake.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'awake-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it.skipIf(process.platform !== 'linux')(
  'asks systemd not to sleep while this process lives (needs Linux)',
  async () => {
    const said = join(folder, 'said');
    // Renamed into place, so that what is there is whole.
    writeFileSync(
      join(folder, 'systemd-inhibit'),
      `#!/bin/sh\necho "$@" > ${said}.new && mv ${said}.new ${said}\n`,
      {
        mode: 0o755,
      },
    );
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
    const stop = keepAwake();
    while (!existsSync(said)) await sleep(5);
    stop();
    expect(readFileSync(said, 'utf8')).toContain(`--what=idle:sleep`);
    expect(readFileSync(said, 'utf8')).toContain(`tail --pid=${process.pid} `);
  },
);

it('does nothing where nobody can be asked', () => {
  vi.stubEnv('PATH', folder);
  expect(keepAwake()).not.toThrow();
});
