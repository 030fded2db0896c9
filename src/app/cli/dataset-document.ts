import { formatTime } from '../../core/foundation/time.ts';
import type { EndedHistory } from '../../core/market/history-end.ts';
import type { Doubt } from '../../data/plausibility.ts';
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

/** Bars that are hard to believe, as the JSON documents show them. */
export const doubtDocument = ({ key, oddities }: Doubt) =>
  oddities.map(({ timeMs, verdict, what }) => ({
    exchange: key.exchange,
    symbol: key.symbol,
    timeframe: key.timeframe,
    time: formatTime(timeMs),
    verdict,
    what,
  }));

/** `20 in 10 gaps`, or `none`; and whether the history ends early. */
export function gapText(manifest: DatasetManifest, ended?: EndedHistory): string {
  const { gaps } = manifest;
  const inside = gaps.length === 0 ? 'none' : `${missingBars(manifest)} in ${counted(gaps.length, 'gap')}`;
  return ended === undefined ? inside : `${inside}, ends ${counted(ended.barsBehind, 'bar')} early`;
}

/** `1 gap`, `2 gaps`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const missingBars = ({ gaps }: DatasetManifest): number =>
  gaps.reduce((total, gap) => total + gap.bars, 0);
