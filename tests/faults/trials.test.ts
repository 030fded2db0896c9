import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/foundation/errors.ts';
import { recordTrials, type Trial } from '../../src/lab/backtest/trials.ts';
import { temporaryFolder } from '../support/folder.ts';

const market = 'binance 1h BTC/USDT';
const trial = (id: string): Trial => ({
  time: '2026-01-01T00:00:00.000Z',
  id,
  market,
  strategy: 'ridge',
  bars: 100,
  barSharpe: 0.01,
});
const line = `${JSON.stringify(trial('before'))}\n`;

/** The ledger of trials x what may stand in its place: trials counted afterwards, or words of the sentence that refuses. */
const cells: readonly [fault: string, prepare: (file: string) => void, answer: number | RegExp][] = [
  ['absent', () => undefined, 1],
  ['empty', (file) => writeFileSync(file, ''), 1],
  ['sound', (file) => writeFileSync(file, line), 2],
  ['repeated lines', (file) => writeFileSync(file, line.repeat(3)), 2],
  ['a last line cut short', (file) => writeFileSync(file, line + line.slice(0, 40)), 2],
  ['a line that is no JSON', (file) => writeFileSync(file, `${line}{"time":oops}\n`), 2],
  ['a line of another shape', (file) => writeFileSync(file, `${line}[1,2,3]\n{"a":1}\n`), 2],
  ['a byte order mark', (file) => writeFileSync(file, `\ufeff${line}`), 2],
  ['CRLF', (file) => writeFileSync(file, line.replace('\n', '\r\n')), 2],
  ['UTF-16', (file) => writeFileSync(file, Buffer.from(`\ufeff${line}`, 'utf16le')), /it is UTF-16/],
  [
    'a byte that is no UTF-8',
    (file) => writeFileSync(file, Buffer.concat([Buffer.from(line), Buffer.of(0xff)])),
    /line 2 is not UTF-8/,
  ],
  [
    'huge',
    (file) => {
      writeFileSync(file, '');
      truncateSync(file, 300 * 2 ** 20);
    },
    /larger than 256 MiB/,
  ],
  ['a folder', (file) => mkdirSync(file), /it is a folder/],
  ['a pipe', (file) => execFileSync('mkfifo', [file]), /it is a pipe/],
  ['a device', (file) => symlinkSync('/dev/zero', file), /it is a device/],
  ['links in a circle', (file) => symlinkSync(file, file), /ELOOP|circle/],
];

describe.skipIf(process.platform === 'win32')('the ledger of trials', () => {
  it.each(cells)('%s', async (_, prepare, answer) => {
    const file = join(temporaryFolder(), 'trials.jsonl');
    prepare(file);
    const recorded = recordTrials(file, market, [trial('now')]);
    if (typeof answer === 'number') {
      expect(await recorded).toHaveLength(answer);
      // What was recorded is found by the next command.
      expect(await recordTrials(file, market, [])).toHaveLength(answer);
      return;
    }
    const error: unknown = await recorded.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error instanceof UserError ? `${error.message} ${error.hint ?? ''}` : '').toMatch(answer);
    expect(error instanceof Error ? error.message : '').toContain('trials.jsonl');
  });

  it('is made with the folders above it', async () => {
    const file = join(temporaryFolder(), 'a', 'b', 'trials.jsonl');
    await recordTrials(file, market, [trial('now')]);
    expect(readFileSync(file, 'utf8')).toContain('"now"');
  });

  it('a file where its folder should be is a sentence, and nothing is left behind', async () => {
    const file = join(temporaryFolder(), 'data', 'trials.jsonl');
    writeFileSync(dirname(file), 'in the way');
    await expect(recordTrials(file, market, [trial('now')])).rejects.toBeInstanceOf(UserError);
    expect(existsSync(file)).toBe(false);
  });
});
