import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../../src/app/cli/logging.ts';
import { temporaryFolder } from '../../support/folder.ts';

it('no more log files stay than the settings say, those of earlier processes included', async () => {
  const directory = temporaryFolder();
  for (let number = 1; number <= 8; number++)
    writeFileSync(join(directory, `crypto-trader.${number}.log`), 'earlier\n');
  writeFileSync(join(directory, 'notes.log'), 'of somebody else\n');
  const log = await createLog({
    directory,
    rotation: { fileMb: 1, files: 3 },
    fileLevel: 'info',
    terminalLevel: 'error',
    colour: false,
    redact: (text) => text,
    onUnwritable: ({ message }) => expect.fail(message),
  });
  for (let line = 0; line < 3; line++) log.info({}, 'x'.repeat(500_000));
  await expect
    .poll(() => readdirSync(directory).toSorted(), { timeout: 30_000 })
    .toEqual(['crypto-trader.7.log', 'crypto-trader.8.log', 'crypto-trader.9.log', 'notes.log']);
});
