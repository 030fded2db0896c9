import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/app/cli/logging.ts';
import { createRedactor } from '../../../src/app/config/redact.ts';

const redact = createRedactor({
  EXCHANGE_API_SECRET: 'p"ss/w&rd 1',
  EXCHANGE_API_KEY: 'abcdef123',
  HOME: '/home/me',
});

describe('secrets of the environment', () => {
  it.each([
    'p"ss/w&rd 1',
    'abcdef123',
    JSON.stringify('p"ss/w&rd 1').slice(1, -1),
    encodeURIComponent('p"ss/w&rd 1'),
  ])('%s never leaves', (secret) => {
    expect(redact(`before ${secret} after`)).toBe('before [redacted] after');
  });

  it('are masked in signed URLs and headers too, whoever made them', () => {
    expect(redact('GET /api/v3/order?symbol=BTCUSDT&signature=00ff')).toBe(
      'GET /api/v3/order?symbol=BTCUSDT&signature=[redacted]',
    );
    expect(redact('X-MBX-APIKEY: zzz')).toBe('X-MBX-APIKEY: [redacted]');
  });

  it('leave everything else alone', () => {
    expect(redact('/home/me is a folder')).toBe('/home/me is a folder');
  });
});

it('a secret in a message, a field or an error never reaches the log file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'log-'));
  const log = await createLog({
    directory,
    rotation: { fileMb: 10, files: 6 },
    fileLevel: 'info',
    terminalLevel: 'error',
    colour: false,
    redact,
    onUnwritable: ({ message }) => expect.fail(message),
  });
  log.info({ url: 'https://x/?apiKey=abcdef123' }, 'with abcdef123');
  log.warn({ err: new Error('refused p"ss/w&rd 1') }, 'failed');
  const text = readdirSync(directory)
    .map((file) => readFileSync(join(directory, file), 'utf8'))
    .join('');
  rmSync(directory, { recursive: true });
  expect(text).toContain('with [redacted]');
  expect(text).toContain('refused [redacted]');
  expect(text).not.toMatch(/abcdef123|ss\/w&rd/);
});
