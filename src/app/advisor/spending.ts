import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { makeFolder } from '../../data/files.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import { type JournalFile, JOURNAL_START } from '../../data/journal/journal.ts';
import { createJournal, resumeJournal } from '../../data/journal/json-lines.ts';
import { readEntries, readFirstEntry } from '../../data/journal/read.ts';
import { withLock } from '../../data/lock.ts';

/** What may be spent in a UTC day, over all providers. */
export interface Budget {
  readonly usdPerDay: number;
  readonly tokensPerDay: number;
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

export interface Spent {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
}

const Cost = { inputTokens: z.int().min(0), outputTokens: z.int().min(0), usd: z.number().min(0) };
const Entry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('reserved'),
    id: z.string(),
    atMs: z.int(),
    provider: z.string(),
    purpose: z.string(),
    ...Cost,
  }),
  z.strictObject({ kind: z.literal('settled'), id: z.string(), ...Cost }),
]);

/** Money and tokens, kept on disk. */
export interface Purse {
  /**
   * Sets aside what a call may cost at most; on disk when this returns, so a call whose end nobody saw counts in full.
   * Throws `UserError` when the day's budget does not hold it.
   */
  reserve(call: {
    readonly provider: string;
    readonly purpose: string;
    readonly price: { readonly input: number; readonly output: number };
    readonly most: Tokens;
  }): Promise<Reservation>;
  /** Of today, UTC. */
  today(): Promise<Spent>;
}

interface Reservation {
  /** What it came to. */
  settle(tokens: Tokens): Promise<number>;
}

/** US dollars. */
export const costOf = (
  price: { readonly input: number; readonly output: number },
  { input, output }: Tokens,
): number => (input * price.input + output * price.output) / 1e6;

export const advisorFolder = (dataDir: string): string => join(dataDir, 'advisor');

/** One file per month: a day is read from a file that stays small. */
const spendingFile = (dataDir: string, day: string): JournalFile => ({
  path: join(advisorFolder(dataDir), `spending-${day.slice(0, 7)}.jsonl`),
  name: 'record of what language models cost',
  hint: 'Move it away: what it says of today is then no longer counted.',
});

export function openPurse(dataDir: string, budget: Budget, now: () => number = Date.now): Purse {
  const append = async (day: string, make: (spent: Spent) => z.output<typeof Entry>): Promise<void> => {
    const file = spendingFile(dataDir, day);
    makeFolder(advisorFolder(dataDir));
    await withLock(
      `${file.path}.lock`,
      { waitMs: 30_000, purpose: 'counting what a model costs' },
      async () => {
        const counted = tally(day);
        if ((await readFirstEntry(file)) === undefined) {
          await (await createJournal(file, [make(counted.spent())])).close();
          return;
        }
        const { journal } = await resumeJournal(file, JOURNAL_START, (entry) =>
          counted.add(parseEntry(file, entry, Entry)),
        );
        try {
          await journal.append(make(counted.spent()));
        } finally {
          await journal.close();
        }
      },
    );
  };
  return {
    reserve: async ({ provider, purpose, price, most }) => {
      const atMs = now();
      const id = randomUUID();
      const day = dayOf(atMs);
      const usd = costOf(price, most);
      const cost = { inputTokens: most.input, outputTokens: most.output, usd };
      await append(day, (spent) => {
        requireRoom(budget, spent, { usd, tokens: most.input + most.output });
        return { kind: 'reserved', id, atMs, provider, purpose, ...cost };
      });
      return {
        settle: async (tokens) => {
          const came = costOf(price, tokens);
          const cost = { inputTokens: tokens.input, outputTokens: tokens.output, usd: came };
          await append(day, () => ({ kind: 'settled', id, ...cost }));
          return came;
        },
      };
    },
    today: async () => {
      const day = dayOf(now());
      const file = spendingFile(dataDir, day);
      const counted = tally(day);
      if ((await readFirstEntry(file)) !== undefined)
        await readEntries(file, JOURNAL_START, (entry) => counted.add(parseEntry(file, entry, Entry)));
      return counted.spent();
    },
  };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function requireRoom(budget: Budget, spent: Spent, wanted: Pick<Spent, 'usd' | 'tokens'>): void {
  const over = (what: string, limit: string, key: string): never => {
    throw new UserError(`Today's budget for language models does not hold this call: ${what} of ${limit}.`, {
      hint: `A new day begins at 00:00 UTC; or raise advisor.${key} in config.yaml.`,
    });
  };
  const { usdPerDay, tokensPerDay } = budget;
  // A budget of 0.3 holds three calls of 0.1.
  if (spent.usd + wanted.usd > usdPerDay + 1e-9)
    over(
      `${usdText(spent.usd)} spent and up to ${usdText(wanted.usd)} more`,
      usdText(usdPerDay),
      'usdPerDay',
    );
  if (spent.tokens + wanted.tokens > tokensPerDay)
    over(`${spent.tokens} tokens used and up to ${wanted.tokens} more`, String(tokensPerDay), 'tokensPerDay');
}

/** `0.0042 USD`. */
export const usdText = (usd: number): string => `${usd.toFixed(usd < 0.1 ? 4 : 2)} USD`;

/** Sums of one day: what was settled, and what is set aside for calls that nobody has seen the end of. */
function tally(day: string) {
  const calls = new Map<string, { usd: number; tokens: number }>();
  return {
    add: (entry: z.output<typeof Entry>): void => {
      const known = entry.kind === 'settled' ? calls.has(entry.id) : dayOf(entry.atMs) === day;
      if (known) calls.set(entry.id, { usd: entry.usd, tokens: entry.inputTokens + entry.outputTokens });
    },
    spent: (): Spent => {
      const all = [...calls.values()];
      return {
        usd: all.reduce((sum, { usd }) => sum + usd, 0),
        tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
        calls: all.length,
      };
    },
  };
}
