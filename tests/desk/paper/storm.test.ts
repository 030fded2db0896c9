import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../../support/cli.ts';

it('killed at eight of its writes, syncs and renames, a session keeps the ledger of one nobody killed', async () => {
  const script = resolve(import.meta.dirname, '../../../scripts/storm.ts');
  const args = ['--import', 'tsx', script, '--kills', '8', '--seed', '20'];
  const cwd = resolve(import.meta.dirname, '../../..');
  expect(await runCommand(process.execPath, args, { cwd })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('8 kills, seed 20: 164 bars, nothing lost, nothing doubled.') as string,
  });
}, 240_000);
