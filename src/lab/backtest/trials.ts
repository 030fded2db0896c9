import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { explainDiskError, makeFolder } from '../../data/files.ts';
import { jsonIn } from '../../data/json.ts';
import { readTextFile } from '../../data/text-file.ts';
import { CoarseReturns } from './coarse-returns.ts';

/** One decision rule, as it was tried on a market. */
export const Trial = z.object({
  time: z.iso.datetime(),
  /** Of the rule alone: neither the range of bars nor what trading cost makes another trial of it. */
  id: z.string(),
  /** Trials on the same market compete: `marketName`. */
  market: z.string(),
  strategy: z.string(),
  /** Of its training, where chance is in it. */
  seed: z.int().optional(),
  /** SHA-256 of the candles it was tried on. */
  data: z.string().optional(),
  /** What it decides with: the hash of its weights, or its parameters. */
  params: z.unknown().optional(),
  /** Where it was compared; absent in older ledgers. */
  by: z.enum(['backtest', 'walk-forward', 'validation']).optional(),
  bars: z.int().optional(),
  /** Not annualised; absent where it was not measured, and after ruin. */
  barSharpe: z.number().optional(),
  returns: CoarseReturns.optional(),
});
export type Trial = z.output<typeof Trial>;

/** Exchange, timeframe and symbols; the order of the symbols makes no other market. */
export const marketName = (exchange: string, timeframe: string, symbols: readonly string[]): string =>
  [exchange, timeframe, ...symbols.toSorted()].join(' ');

/**
 * Adds trials to the ledger and returns every different one on `market`, the new ones included. A rule that was tried
 * before is the same trial on more bars: it is counted once, with what it did last. Every result that somebody
 * looked at counts, or the best of many would pass for skill.
 */
export async function recordTrials(
  file: string,
  market: string,
  trials: readonly Trial[],
): Promise<readonly Trial[]> {
  const { records, endsTorn } = readTrials(file);
  const known = new Map(records.map((trial) => [trial.id, trial]));
  const fresh = trials.filter((trial) => !isSame(known.get(trial.id), trial));
  if (fresh.length > 0) await append(file, fresh, endsTorn);
  return distinctOn([...records, ...fresh], market);
}

/** Every market that something was tried on, each name as `marketName` makes it. */
export const triedMarkets = (file: string): readonly string[] => [
  ...new Set(readTrials(file).records.map(({ market }) => canonical(market))),
];

/** Every different rule that was tried on a market, with what it did last. */
export const trialsOf = (file: string, market: string): readonly Trial[] =>
  distinctOn(readTrials(file).records, market);

function distinctOn(records: readonly Trial[], market: string): readonly Trial[] {
  const distinct = new Map<string, Trial>();
  for (const trial of records) {
    const before = distinct.get(trial.id);
    // A comparison that measured nothing does not hide one that did.
    if (before?.barSharpe === undefined || trial.barSharpe !== undefined) distinct.set(trial.id, trial);
  }
  return [...distinct.values()].filter((trial) => canonical(trial.market) === market);
}

const isSame = (before: Trial | undefined, now: Trial): boolean =>
  before !== undefined &&
  before.market === now.market &&
  before.bars === now.bars &&
  before.barSharpe === now.barSharpe;

/** Older ledgers hold the symbols in the order in which they were given. */
function canonical(market: string): string {
  const [exchange, timeframe, ...symbols] = market.split(' ');
  return marketName(exchange, timeframe, symbols);
}

/** Some 50 000 trials. */
const LARGEST_BYTES = 256 * 2 ** 20;

/** A line that a crash cut short is left out, and the next record starts on a line of its own. */
function readTrials(file: string): { records: readonly Trial[]; endsTorn: boolean } {
  const text = readTextFile({ path: file, what: 'the ledger of trials', largestBytes: LARGEST_BYTES });
  if (text === undefined) return { records: [], endsTorn: false };
  const records = text.split('\n').flatMap((line) => {
    const parsed = Trial.safeParse(jsonIn(line));
    return parsed.success ? [parsed.data] : [];
  });
  return { records, endsTorn: text !== '' && !text.endsWith('\n') };
}

async function append(file: string, trials: readonly Trial[], endsTorn: boolean): Promise<void> {
  try {
    makeFolder(dirname(file));
    const handle = await open(file, 'a');
    try {
      const lines = trials.map((trial) => `${JSON.stringify(trial)}\n`).join('');
      await handle.writeFile(`${endsTorn ? '\n' : ''}${lines}`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainDiskError(error, file);
  }
}
