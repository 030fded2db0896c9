import { type Oddity, oddityLines } from '../core/market/plausible.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import { datasetOddities, type Doubt } from './plausibility.ts';
import { type DatasetManifest, describeKey } from './store/manifest.ts';
import type { Store } from './store/store.ts';

export interface VerifiedDataset {
  readonly manifest: DatasetManifest;
  /** Damage, and bars that are surely wrong, a line each. */
  readonly faults: readonly string[];
  /** The files are not those of the manifest, or break a law of candles. */
  readonly damaged: boolean;
  /** Bars that are hard to believe, or accepted by name. */
  readonly doubt: Doubt;
}

/** Files and candles of a stored dataset: first whether they are intact, then whether they can be true. */
export async function verifyDataset(
  store: Store,
  manifest: DatasetManifest,
  accepted: readonly PairSymbol[],
): Promise<VerifiedDataset> {
  const damage = await store.verify(manifest);
  if (damage.length > 0)
    return { manifest, faults: damage, damaged: true, doubt: { key: manifest, oddities: [] } };
  const oddities = await datasetOddities(store, manifest);
  const isWrong = ({ verdict }: Oddity): boolean =>
    verdict === 'wrong' && !accepted.includes(manifest.symbol);
  const wrong = oddityLines(oddities.filter(isWrong)).map((line) => `${describeKey(manifest)}, ${line}`);
  const doubt = { key: manifest, oddities: oddities.filter((oddity) => !isWrong(oddity)) };
  return { manifest, faults: wrong, damaged: false, doubt };
}
