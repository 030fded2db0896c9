import { join } from 'node:path';
import { z } from 'zod';
import { parseSymbol } from '../../core/market/symbol.ts';
import { isTimeframe } from '../../core/market/timeframe.ts';
import { makeFolder } from '../../data/files.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import { type JournalFile, JOURNAL_START } from '../../data/journal/journal.ts';
import { createJournal, resumeJournal } from '../../data/journal/json-lines.ts';
import { readEntries, readFirstEntry } from '../../data/journal/read.ts';
import { withLock } from '../../data/lock.ts';
import { advisorFolder } from './spending.ts';
import { Vote } from './vote.ts';

const Exchange = z.strictObject({
  requestSha256: z.string(),
  status: z.int(),
  contentType: z.string(),
  body: z.string(),
});

/** A vote on record, with all that it takes to judge it and to make it again. */
export const VoteRecord = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  /** Of one call of all voters. */
  ballot: z.string(),
  atMs: z.int(),
  provider: z.string(),
  providerKind: z.enum(['openai', 'anthropic', 'google', 'compatible']),
  model: z.string(),
  exchange: z.string(),
  symbol: z.string().transform(parseSymbol),
  timeframe: z.string().refine(isTimeframe),
  synthetic: z.boolean(),
  horizonBars: z.int().positive(),
  /** Close of the newest bar that the facts are of. */
  barClosedMs: z.int(),
  /** The bar was old when the vote was made: the model may have known what came after it. */
  contaminated: z.boolean(),
  facts: z.record(z.string(), z.number()),
  promptSha256: z.string(),
  mostOutputTokens: z.int(),
  cast: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('vote'), vote: Vote, repaired: z.boolean() }),
    z.strictObject({ kind: z.literal('abstained'), why: z.string() }),
  ]),
  usd: z.number(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  exchanges: z.array(Exchange),
});
export type VoteRecord = z.output<typeof VoteRecord>;

const voteFile = (dataDir: string): JournalFile => ({
  path: join(advisorFolder(dataDir), 'votes.jsonl'),
  name: 'record of votes',
  hint: 'Put it back from a backup, or move it away to start another.',
});

/** Durable when this returns. */
export async function keepVotes(dataDir: string, votes: readonly VoteRecord[]): Promise<void> {
  const file = voteFile(dataDir);
  makeFolder(advisorFolder(dataDir));
  await withLock(`${file.path}.lock`, { waitMs: 30_000, purpose: 'keeping votes' }, async () => {
    let left = votes;
    if ((await readFirstEntry(file)) === undefined) {
      await (await createJournal(file, [votes[0]])).close();
      left = votes.slice(1);
    }
    const { journal } = await resumeJournal(file, JOURNAL_START, () => {});
    try {
      for (const vote of left) await journal.append(vote);
    } finally {
      await journal.close();
    }
  });
}

/** Oldest first. */
export async function readVotes(dataDir: string): Promise<readonly VoteRecord[]> {
  const file = voteFile(dataDir);
  const votes: VoteRecord[] = [];
  if ((await readFirstEntry(file)) === undefined) return votes;
  await readEntries(file, JOURNAL_START, (entry) => votes.push(parseEntry(file, entry, VoteRecord)));
  return votes;
}
