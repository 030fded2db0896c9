import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/app/config/load.ts';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { temporaryFolder } from '../../support/folder.ts';

const at = (file: string) => loadConfig({ file, fileRequired: true, environment: {}, flags: {} });

function load(content: string | Uint8Array) {
  const file = join(temporaryFolder(), 'config.yaml');
  writeFileSync(file, content);
  return at(file);
}

function message(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'no problem';
}

const tenfold = (levels: number): string =>
  Array.from({ length: levels }, (_, level) =>
    level === 0
      ? 'a0: &a0 [x]'
      : `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(',')}]`,
  ).join('\n');

describe('a configuration file that is none is refused with a sentence', () => {
  it.each([
    ['aliases that stand for ten million values', tenfold(8), /config.yaml holds more than 100000 values/],
    ['more aliases than anybody writes', tenfold(30), /aliases exceeded maxAliases/],
    ['an alias within what it stands for', 'models: { a: &m { b: *m } }', /stands for what it is part of/],
    ['lists in lists without end', '['.repeat(10_000), /nesting exceeded maxDepth/],
    ['a second document', 'seed: 1\n---\nseed: 2\n', /holds 2 YAML documents, expected one/],
    ['Latin-1', Buffer.from('seed: 1\ndataDir: caf\u00e9\n', 'latin1'), /line 2 is not UTF-8/],
    ['UTF-16', Buffer.from('\ufeffseed: 1\n', 'utf16le'), /it is UTF-16/],
    ['a NUL in a path', 'dataDir: "a\\0b"\n', /"dataDir": expected a path without control characters/],
    ['ten megabytes', `#${'x'.repeat(1e7)}`, /larger than 1 MiB/],
  ])('%s', (_, content, expected) => {
    expect(message(() => load(content))).toMatch(expected);
  });

  it('a pipe, a device and a folder are not waited for', () => {
    const folder = temporaryFolder();
    const pipe = join(folder, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    mkdirSync(join(folder, 'folder.yaml'));
    expect(message(() => at(pipe))).toContain('it is a pipe, not a file');
    expect(message(() => at('/dev/zero'))).toContain('it is a device, not a file');
    expect(message(() => at(join(folder, 'folder.yaml')))).toContain('it is a folder, not a file');
  });
});

describe('what is shown of a wrong file', () => {
  it('is one line for each value, cut and without the sequences a terminal obeys', () => {
    const text = message(() =>
      load(`"\\e[2J\\u202emodles": 1\ntrading: { feeBps: "\\e]0;owned\\a${'y'.repeat(500)}" }\n`),
    );
    expect(text).toContain('unknown key "modles"');
    expect(text).toMatch(/"trading.feeBps": expected a number \(found ".{1,60}…\)/);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  it('is the first twenty faults and how many there are beyond', () => {
    const text = message(() => load(Array.from({ length: 5_000 }, (_, i) => `key${i}: 1`).join('\n')));
    expect(text).toContain('config.yaml:20: unknown key "key19"');
    expect(text.split('\n')).toHaveLength(22);
    expect(text).toContain('and 4980 more');
  });
});

it('a byte order mark, as Notepad writes it, changes nothing', () => {
  expect(load('\ufeffseed: 7\r\n').config.seed).toBe(7);
});

it('twenty thousand lines are counted once, not again for every key', () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `  model${i}: { a: 1 }`);
  expect(message(() => load(`models:\n${lines.join('\n')}\nseed: x\n`))).toContain(
    'config.yaml:20002: "seed"',
  );
});
