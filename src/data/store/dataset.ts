import { type Candles } from '../../core/market/candles.ts';
import { findGaps, type Gap } from '../../core/market/gaps.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../core/market/timeframe.ts';
import { subtractRanges, type TimeRange, unionRanges } from '../time-range.ts';
import { candlesSha256, datasetSha256, sha256 } from './fingerprint.ts';
import type { DatasetGap, DatasetKey, DatasetManifest, DatasetPart } from './manifest.ts';

/** What the manifest says of one month. */
export function describePart(
  file: string,
  candles: Candles,
  timeframe: Timeframe,
  bytes: Uint8Array,
): DatasetPart {
  const rows = candles.time.length;
  return {
    file,
    rows,
    firstTimeMs: candles.time[0],
    lastTimeMs: candles.time[rows - 1],
    gaps: findGaps(candles.time, timeframe),
    sha256: sha256(bytes),
    contentSha256: candlesSha256(candles),
  };
}

/** The manifest of a dataset made of these months. `parts` is not empty. */
export function describeDataset(
  key: DatasetKey,
  found: {
    readonly source: string;
    readonly synthetic: boolean;
    readonly covered: readonly TimeRange[];
    readonly parts: readonly DatasetPart[];
  },
): DatasetManifest {
  const parts = found.parts.toSorted((a, b) => a.firstTimeMs - b.firstTimeMs);
  const covered = unionRanges(found.covered);
  return {
    exchange: key.exchange,
    symbol: key.symbol,
    timeframe: key.timeframe,
    source: found.source,
    synthetic: found.synthetic,
    rows: parts.reduce((total, part) => total + part.rows, 0),
    firstTimeMs: parts[0].firstTimeMs,
    lastTimeMs: parts[parts.length - 1].lastTimeMs,
    gaps: datasetGaps(parts, key.timeframe, covered),
    covered,
    parts,
    sha256: datasetSha256(key, parts),
  };
}

/** Times in `range` that hold no bar and that the source has not been asked for yet. */
export function missingRanges(
  manifest: DatasetManifest | undefined,
  range: TimeRange,
  options: { readonly askGapsAgain?: boolean } = {},
): readonly TimeRange[] {
  if (manifest === undefined) return subtractRanges(range, []);
  const step = TIMEFRAME_MS[manifest.timeframe];
  const span = { fromMs: manifest.firstTimeMs, untilMs: manifest.lastTimeMs + step };
  const held = subtractRanges(
    span,
    manifest.gaps.map((gap) => gapRange(gap, step)),
  );
  const outside = options.askGapsAgain === true ? [] : manifest.covered;
  return subtractRanges(range, [...held, ...outside]);
}

/** The open of the last bar before `timeMs`, and of the first one at or after it; `undefined` where there is none. */
export function barBefore(manifest: DatasetManifest, timeMs: number): number | undefined {
  const step = TIMEFRAME_MS[manifest.timeframe];
  if (timeMs <= manifest.firstTimeMs) return undefined;
  let beforeMs = Math.min(manifest.lastTimeMs, timeMs - step);
  for (const { fromMs, toMs } of manifest.gaps.toReversed())
    if (fromMs <= beforeMs && beforeMs <= toMs) beforeMs = fromMs - step;
  return beforeMs;
}

export function barAfter(manifest: DatasetManifest, timeMs: number): number | undefined {
  const step = TIMEFRAME_MS[manifest.timeframe];
  if (timeMs > manifest.lastTimeMs) return undefined;
  let afterMs = Math.max(manifest.firstTimeMs, timeMs);
  for (const { fromMs, toMs } of manifest.gaps)
    if (fromMs <= afterMs && afterMs <= toMs) afterMs = toMs + step;
  return afterMs;
}

/** Gaps inside the months and between them, cut where what the source was asked for begins or ends. */
function datasetGaps(
  parts: readonly DatasetPart[],
  timeframe: Timeframe,
  covered: readonly TimeRange[],
): readonly DatasetGap[] {
  const step = TIMEFRAME_MS[timeframe];
  const gaps = parts.flatMap((part, i): readonly Gap[] =>
    i === 0
      ? part.gaps
      : [...findGaps(Float64Array.of(parts[i - 1].lastTimeMs, part.firstTimeMs), timeframe), ...part.gaps],
  );
  return gaps.flatMap((gap) => {
    const range = gapRange(gap, step);
    const unchecked = subtractRanges(range, covered);
    return [
      ...unchecked.map((piece) => ({ ...rangeGap(piece, step), checked: false })),
      ...subtractRanges(range, unchecked).map((piece) => ({ ...rangeGap(piece, step), checked: true })),
    ].toSorted((a, b) => a.fromMs - b.fromMs);
  });
}

const gapRange = (gap: Gap, step: number): TimeRange => ({ fromMs: gap.fromMs, untilMs: gap.toMs + step });

const rangeGap = ({ fromMs, untilMs }: TimeRange, step: number): Gap => ({
  fromMs,
  toMs: untilMs - step,
  bars: (untilMs - fromMs) / step,
});
