import { describe, expect, it } from 'vitest';
import type { Journal, JournalEntry, JournalPosition } from '../../../src/data/journal/journal.ts';

/** One way of keeping a journal, over a place of its own. */
interface JournalUnderTest {
  create(first: object): Promise<Journal>;
  resume(
    from: JournalPosition,
    onEntry: (entry: JournalEntry) => void,
  ): Promise<{ readonly journal: Journal; readonly tornBytes: number }>;
}

const START: JournalPosition = { offset: 0, hash: '' };

/** What every journal promises, whatever it is kept in. */
export function journalContract(name: string, open: () => JournalUnderTest): void {
  describe(`the journal, ${name}`, () => {
    const entries = [
      { kind: 'first' },
      { kind: 'number', value: 0.1 + 0.2 },
      { kind: 'text', value: 'ends\nhere, "hash":"0"} \u2028 ünïcode \u0000' },
      { kind: 'nothing', value: null },
    ];

    async function filled() {
      const place = open();
      const journal = await place.create(entries[0]);
      const ends = [journal.end];
      for (const entry of entries.slice(1)) ends.push(await journal.append(entry));
      return { place, journal, ends };
    }

    it('gives back every entry, in order, as it was appended, with the position behind it', async () => {
      const { place, journal, ends } = await filled();
      await journal.close();
      const read: JournalEntry[] = [];
      const again = await place.resume(START, (entry) => read.push(entry));
      expect(read.map(({ json }) => JSON.parse(json) as unknown)).toEqual(entries);
      expect(read.map(({ json }) => json)).toEqual(entries.map((entry) => JSON.stringify(entry)));
      expect(read.map(({ end }) => end)).toEqual(ends);
      expect(again.tornBytes).toBe(0);
      expect(again.journal.end).toEqual(ends.at(-1));
      await again.journal.close();
    });

    it('gives from any position on exactly what lies behind it', async () => {
      const { place, journal, ends } = await filled();
      await journal.close();
      for (const [i, from] of ends.entries()) {
        const read: unknown[] = [];
        const { journal: again } = await place.resume(from, ({ json }) => read.push(JSON.parse(json)));
        await again.close();
        expect(read).toEqual(entries.slice(i + 1));
      }
    });

    it('refuses a position of another journal', async () => {
      const { place, journal, ends } = await filled();
      await journal.close();
      await expect(place.resume({ ...ends[0], hash: 'f'.repeat(64) }, () => undefined)).rejects.toThrow(
        'is damaged at',
      );
    });

    it('goes on after a resume where it stood, and differs in every hash behind a different entry', async () => {
      const [one, other] = [await filled(), await filled()];
      expect(one.journal.end).toEqual(other.journal.end);
      await one.journal.close();
      const { journal } = await one.place.resume(START, () => undefined);
      await journal.append({ kind: 'fifth' });
      await other.journal.append({ kind: 'Fifth' });
      expect(journal.end.offset).toBe(other.journal.end.offset);
      expect(journal.end.hash).not.toBe(other.journal.end.hash);
      await journal.append({ kind: 'sixth' });
      await other.journal.append({ kind: 'sixth' });
      expect(journal.end.hash).not.toBe(other.journal.end.hash);
      await journal.close();
      await other.journal.close();
    });

    it('stands while nobody else touches it', async () => {
      const { journal } = await filled();
      await journal.assertStanding();
      await journal.close();
    });
  });
}
