import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/data/files.ts';
import { encodeLink } from '../../../src/data/journal/chain.ts';
import { createJournal, resumeJournal } from '../../../src/data/journal/json-lines.ts';
import { JOURNAL_START, type JournalFile } from '../../../src/data/journal/journal.ts';
import { checkChain, readFirstEntry } from '../../../src/data/journal/read.ts';
import { failingDisk } from '../../support/failing-disk.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { journalContract } from './contract.ts';

const newFile = (): JournalFile => ({
  path: join(temporaryFolder(), 'log.jsonl'),
  name: 'test log',
  hint: 'Put it back.',
});

for (const [name, disk] of [
  ['lines of JSON in a file', nodeDisk],
  ['on a disk that takes one byte at a time', failingDisk(0, { kind: 'short-write' }, true).disk],
] as const) {
  journalContract(name, () => {
    const file = newFile();
    return {
      create: (first) => createJournal(file, [first], disk),
      resume: (from, onEntry) => resumeJournal(file, from, onEntry, disk),
    };
  });
}

describe('a journal of JSON lines', () => {
  it('carries SHA-256 of the hash before and the JSON, as anybody can recompute', async () => {
    const file = newFile();
    const journal = await createJournal(file, [{ a: 1 }]);
    await journal.append({ b: 'ü' });
    await journal.close();
    const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
    const first = sha256('{"a":1}');
    expect(readFileSync(file.path, 'utf8')).toBe(
      `{"a":1,"hash":"${first}"}\n{"b":"ü","hash":"${sha256(`${first}{"b":"ü"}`)}"}\n`,
    );
    const atOnce = newFile();
    await (await createJournal(atOnce, [{ a: 1 }, { b: 'ü' }])).close();
    expect(readFileSync(atOnce.path)).toEqual(readFileSync(file.path));
  });

  it('takes nothing more after a failed append, until it is opened again', async () => {
    const file = newFile();
    // The first line: written, synced, renamed, its folder synced. Then the first append's write.
    const { disk } = failingDisk(4, { kind: 'stores-half', code: 'ENOSPC' }, false);
    const journal = await createJournal(file, [{ a: 1 }], disk);
    await expect(journal.append({ b: 2 })).rejects.toThrow('ENOSPC');
    await expect(journal.append({ b: 2 })).rejects.toThrow('open it again');
    expect(journal.end.offset).toBe(readFileSync(file.path).length);
    await journal.close();
    const again = await resumeJournal(file, JOURNAL_START, () => undefined);
    expect(again.tornBytes).toBe(0);
    await again.journal.append({ b: 2 });
    await again.journal.close();
    expect(await checkChain(file)).toMatchObject({ entries: 2 });
  });

  it('is read whole when its lines are longer than what is read at a time', async () => {
    const file = newFile();
    const journal = await createJournal(file, [{ text: 'x'.repeat(3_000_000) }]);
    for (let i = 0; i < 4; i++) await journal.append({ i, text: 'ü'.repeat(700_000 * i) });
    await journal.close();
    expect(await checkChain(file)).toEqual({ entries: 5, end: journal.end });
    expect((await readFirstEntry(file))?.json).toHaveLength('{"text":""}'.length + 3_000_000);
  });

  it('refuses a line without an end instead of reading it into memory', async () => {
    const file = newFile();
    writeFileSync(file.path, Buffer.alloc(40 << 20, 'x'));
    await expect(readFirstEntry(file)).rejects.toThrow(/line 1 of .* has more than 16777216 bytes/);
  });

  it('stops a check that is no longer wanted', async () => {
    const file = newFile();
    let hash = '';
    for (let i = 0; i < 3; i++) {
      const link = encodeLink({ i }, hash);
      hash = link.hash;
      appendFileSync(file.path, link.line);
    }
    await expect(checkChain(file, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});
