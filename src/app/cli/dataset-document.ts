import { formatTime } from '../../core/foundation/time.ts';
import type { DatasetManifest } from '../../data/store/store.ts';

/** A dataset as the JSON documents of `fetch` and `data` show it. */
export const describeDataset = (manifest: DatasetManifest) => ({
  exchange: manifest.exchange,
  symbol: manifest.symbol,
  timeframe: manifest.timeframe,
  source: manifest.source,
  synthetic: manifest.synthetic,
  rows: manifest.rows,
  firstTime: formatTime(manifest.firstTimeMs),
  lastTime: formatTime(manifest.lastTimeMs),
  missingBars: missingBars(manifest),
  gaps: manifest.gaps.map(({ fromMs, toMs, bars, checked }) => ({
    from: formatTime(fromMs),
    to: formatTime(toMs),
    bars,
    checked,
  })),
  sha256: manifest.sha256,
});

/** `20 in 10 gaps`, or `none`. */
export const gapText = (manifest: DatasetManifest): string =>
  manifest.gaps.length === 0 ? 'none' : `${missingBars(manifest)} in ${counted(manifest.gaps.length, 'gap')}`;

/** `1 gap`, `2 gaps`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const missingBars = ({ gaps }: DatasetManifest): number =>
  gaps.reduce((total, gap) => total + gap.bars, 0);
