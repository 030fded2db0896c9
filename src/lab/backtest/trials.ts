import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { errorCode, explainDiskError, makeFolder } from '../../data/files.ts';

/** One strategy on one range of bars, as it was tried. */
export const Trial = z.object({
  time: z.iso.datetime(),
  /** Equal for equal weights, rules, candles and range: running the same again is no new trial. */
  id: z.string(),
  /** Trials on the same market compete: exchange, symbols and timeframe. */
  market: z.string(),
  strategy: z.string(),
  bars: z.int(),
  /** Not annualised. */
  barSharpe: z.number(),
});
export type Trial = z.output<typeof Trial>;

/**
 * Adds trials to the ledger and returns the Sharpe ratios per bar of every different one on `market`, the new ones
 * included. Every result that somebody looked at counts, or the best of many would pass for skill.
 */
export async function recordTrials(
  file: string,
  market: string,
  trials: readonly Trial[],
): Promise<readonly number[]> {
  const { records, endsTorn } = await readTrials(file);
  const known = new Set(records.map(({ id }) => id));
  const fresh = trials.filter(({ id }) => !known.has(id));
  if (fresh.length > 0) await append(file, fresh, endsTorn);
  const distinct = new Map([...records, ...fresh].map((trial) => [trial.id, trial]));
  return [...distinct.values()].filter((trial) => trial.market === market).map(({ barSharpe }) => barSharpe);
}

/** A line that a crash cut short is left out, and the next record starts on a line of its own. */
async function readTrials(file: string): Promise<{ records: readonly Trial[]; endsTorn: boolean }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { records: [], endsTorn: false };
    throw error;
  }
  const records = text.split('\n').flatMap((line) => {
    const parsed = Trial.safeParse(parseJson(line));
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

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
