import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadEnvironmentFile } from '../../../src/app/cli/environment-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

function load(content: string | Uint8Array, environment: Record<string, string> = {}): NodeJS.ProcessEnv {
  const file = join(temporaryFolder(), '.env');
  writeFileSync(file, content);
  loadEnvironmentFile(file, environment);
  return environment;
}

describe('.env', () => {
  it.each([
    ['with a byte order mark, as Notepad saves it', '\ufeffCRYPTO_TRADER_SEED=7\nFEE=5\n'],
    ['with line ends of Windows', 'CRYPTO_TRADER_SEED=7\r\nFEE=5\r\n'],
    ['with comments, quotes and export', '# mine\nexport CRYPTO_TRADER_SEED="7" # lucky\n\nFEE=5'],
  ])('%s gives all its settings, the first one too', (_, content) => {
    expect(load(content)).toEqual({ CRYPTO_TRADER_SEED: '7', FEE: '5' });
  });

  it('does not win over what is set, but over what is set to nothing', () => {
    const set = { CRYPTO_TRADER_SEED: '1', CRYPTO_TRADER_LOG_DIR: '', OTHER: '' };
    expect(load('CRYPTO_TRADER_SEED=7\nCRYPTO_TRADER_LOG_DIR=l\nOTHER=x\n', set)).toEqual({
      CRYPTO_TRADER_SEED: '1',
      CRYPTO_TRADER_LOG_DIR: 'l',
      OTHER: '',
    });
  });

  it.each([
    [
      'a colon instead of "="',
      'CRYPTO_TRADER_SEED: 7\n',
      /line 1 sets nothing: it begins with "CRYPTO_TRADER_SEED"/,
    ],
    ['no "=" in the last line', 'A=1\nCRYPTO_TRADER_SEED 7', /line 2 sets nothing/],
    [
      'a line that takes the next one with it',
      'A=1\nlost\nB=2\n',
      /line 2 sets nothing: it begins with "lost"/,
    ],
    ['UTF-16', Buffer.from('\ufeffA=1\n', 'utf16le'), /it is UTF-16/],
    ['Latin-1', Buffer.from('A=caf\u00e9\n', 'latin1'), /line 1 is not UTF-8/],
  ])('%s is refused instead of losing a setting', (_, content, expected) => {
    expect(() => load(content)).toThrow(expected);
  });

  it('does not show what may be a secret', () => {
    expect(() => load('EXCHANGE_API_SECRET: hunter2000\n')).toThrow(/^(?!.*hunter)/s);
  });
});
