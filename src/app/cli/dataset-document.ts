import { formatTime } from '../../core/foundation/time.ts';
import { type EndedHistory, endedHistories } from '../../core/market/history-end.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
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

/** Where a history ends before the newest stored one of its exchange and bar length. */
export function earlyEnd(
  manifest: DatasetManifest,
  stored: readonly DatasetManifest[],
): EndedHistory | undefined {
  const peers = stored.filter(
    ({ exchange, timeframe }) => exchange === manifest.exchange && timeframe === manifest.timeframe,
  );
  const newestMs = Math.max(...peers.map(({ lastTimeMs }) => lastTimeMs));
  return endedHistories([manifest], manifest.timeframe, newestMs)[0];
}

/** Where it ends before the bars that were asked for, the newest of which may still be on its way. */
export function endBefore(manifest: DatasetManifest, untilMs: number): EndedHistory | undefined {
  const { timeframe } = manifest;
  const step = TIMEFRAME_MS[timeframe];
  const askedMs = Math.min(Math.ceil(untilMs / step) * step, barOpen(Date.now(), timeframe)) - step;
  return endedHistories([manifest], timeframe, askedMs).find(({ barsBehind }) => barsBehind > 1);
}

/** `1 gap`, `2 gaps`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const missingBars = ({ gaps }: DatasetManifest): number =>
  gaps.reduce((total, gap) => total + gap.bars, 0);
