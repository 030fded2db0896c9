import {
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDerived } from '../../src/data/derived.ts';
import { temporaryFolder } from '../support/folder.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('derived files', () => {
  it('give back what was kept, parts in a row', async () => {
    const files = openDerived(temporaryFolder(), 'test', { mostBytes: 1000 });
    expect(await files.get('a.bin')).toBeUndefined();
    await files.put('a.bin', [bytes(1, 2), bytes(3)]);
    expect(await files.get('a.bin')).toEqual(bytes(1, 2, 3));
    await files.put('a.bin', [bytes(4)]);
    expect(await files.get('a.bin')).toEqual(bytes(4));
  });

  it('are none when a bit has flipped, the end is gone or a link stands there', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'cache/test/a.bin');
    const files = openDerived(folder, 'test', { mostBytes: 1000 });
    await files.put('a.bin', [bytes(1, 2, 3)]);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1;
      writeFileSync(path, damaged);
      expect(await files.get('a.bin')).toBeUndefined();
    }
    writeFileSync(path, whole);
    expect(await files.get('a.bin')).toBeDefined();
    truncateSync(path, whole.length - 1);
    expect(await files.get('a.bin')).toBeUndefined();
    writeFileSync(path, whole);
    renameSync(path, `${path}.elsewhere`);
    symlinkSync(`${path}.elsewhere`, path);
    expect(await files.get('a.bin')).toBeUndefined();
  });

  it('stay within their bound: the longest unused goes first', async () => {
    const folder = temporaryFolder();
    const files = openDerived(folder, 'test', { mostBytes: 300 });
    for (const [i, name] of ['old.bin', 'middle.bin', 'new.bin'].entries()) {
      await files.put(name, [new Uint8Array(100)]);
      utimesSync(join(folder, 'cache/test', name), i, i);
    }
    // What is read is used.
    await files.get('old.bin');
    await files.prune();
    expect(readdirSync(join(folder, 'cache/test')).toSorted()).toEqual(['new.bin', 'old.bin']);
  });

  it('lose nothing but time when the disk refuses', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'cache'), 'a file where the folder should be');
    const files = openDerived(folder, 'test', { mostBytes: 300 });
    await files.put('a.bin', [bytes(1)]);
    expect(await files.get('a.bin')).toBeUndefined();
    await files.prune();
    const other = temporaryFolder();
    await mkdir(join(other, 'cache/test/a.bin/taken'), { recursive: true });
    const taken = openDerived(other, 'test', { mostBytes: 300 });
    await taken.put('a.bin', [bytes(1)]);
    expect(await taken.get('a.bin')).toBeUndefined();
    expect(readdirSync(join(other, 'cache/test'))).toEqual(['a.bin']);
  });
});
