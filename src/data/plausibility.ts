import { UserError } from '../core/foundation/errors.ts';
import { findOddities, type Oddity, oddityLines } from '../core/market/plausible.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import { type DatasetKey, describeKey } from './store/manifest.ts';
import type { Store } from './store/store.ts';

/** What is hard to believe of a stored dataset. Throws `UserError` when it is absent or damaged. */
export const datasetOddities = async (store: Store, key: DatasetKey): Promise<readonly Oddity[]> =>
  findOddities(await store.read(key), key.timeframe);

/** What is left to warn of: everything doubtful, and what is wrong but accepted. */
export interface Doubt {
  readonly key: DatasetKey;
  readonly oddities: readonly Oddity[];
}

/**
 * Throws `UserError` for bars that are surely wrong, unless their pair is among `accepted`: what is learned or measured
 * on them means nothing.
 */
export function refuseWrong(doubts: readonly Doubt[], accepted: readonly PairSymbol[]): void {
  const refused = doubts.flatMap(({ key, oddities }) => {
    const wrong = accepted.includes(key.symbol) ? [] : oddities.filter(({ verdict }) => verdict === 'wrong');
    return wrong.length === 0 ? [] : [{ key, wrong }];
  });
  if (refused.length === 0) return;
  const lines = refused.flatMap(({ key, wrong }) => [
    `The stored ${describeKey(key)} candles are not plausible:`,
    ...oddityLines(wrong).map((line) => `  ${line}`),
  ]);
  const names = refused.map(({ key }) => key.symbol);
  throw new UserError(lines.join('\n'), {
    hint: `Leave those bars out (market.since, market.until), or move the stored folder away and get the candles again. If they are right, accept them by name: market.acceptImplausible: [${names.join(', ')}].`,
  });
}

/** One line for each dataset and oddity, for people. */
export const doubtLines = (doubts: readonly Doubt[]): readonly string[] =>
  doubts.flatMap(({ key, oddities }) => oddityLines(oddities).map((line) => `${describeKey(key)}, ${line}`));
