import { type Timeframe, TIMEFRAME_MS } from '../../market/timeframe.ts';
import type { Feature } from '../feature.ts';
import { type Observer, observing } from '../observing.ts';
import { RollingMean } from '../kernels/rolling.ts';

const COLUMNS = ['polarity', 'subjectivity', 'relevance', 'source'] as const;

/** After this long a text counts half in the decayed figures. */
const HALF_LIFE_MS = 12 * 3_600_000;
const DECAY = Math.LN2 / HALF_LIFE_MS;
/** What a bar's news is a surprise against: that of so many bars with news before it. */
const USUAL_BARS = 20;

const shared = {
  group: 'news',
  source: 'texts by the moment at which they were first seen, scored by features.textScorer',
  unit: 'score',
  inputs: [],
} as const;
const needs = [{ input: 'news', columns: COLUMNS }] as const;

/*
 * A text counts in the bar during which it was first seen. A bar without news has no value: that nothing was written, and
 * that nobody was reading, look the same.
 */
export const newsFeatures: readonly Feature[] = [
  ...observing(
    shared,
    needs,
    [
      { name: 'news_count', warmUp: 0, unit: 'log', about: 'ln(1 + texts first seen during the bar)' },
      {
        name: 'news_polarity',
        warmUp: 0,
        about:
          'mean polarity of the texts of the bar, -1 bad to 1 good, weighted by how much each is about the asset',
      },
      {
        name: 'news_disagreement',
        warmUp: 0,
        about: 'population standard deviation of the polarity of the texts of the bar',
      },
      {
        name: 'news_subjectivity',
        warmUp: 0,
        unit: 'fraction',
        about: 'mean subjectivity of the texts of the bar',
      },
      {
        name: 'news_by_source',
        warmUp: 0,
        about: 'mean over sources of the mean polarity of their texts of the bar: each source has one voice',
      },
    ],
    ofTheBar,
  ),
  ...observing(
    shared,
    needs,
    [
      {
        name: 'news_decayed',
        warmUp: 0,
        about: 'mean polarity of all texts so far, each weighted by relevance and halved every 12 hours',
      },
      {
        name: 'news_intensity',
        warmUp: 0,
        unit: 'log',
        about: 'ln(1 + texts so far, each halved every 12 hours)',
      },
    ],
    decayed,
  ),
  ...observing(
    shared,
    needs,
    [
      {
        name: 'news_surprise',
        warmUp: USUAL_BARS,
        about: `mean polarity of the texts of the bar less its mean over the ${USUAL_BARS} bars with news before it`,
      },
    ],
    surprise,
  ),
];

function ofTheBar(timeframe: Timeframe): Observer {
  const rows = barRows();
  const sums = new Map<number, number>();
  const counts = new Map<number, number>();
  return {
    observe: [rows.observe],
    step: (bar, out) => {
      let [weights, weighted, sum, squares, subjective] = [0, 0, 0, 0, 0];
      sums.clear();
      const count = rows.select(bar.time, timeframe);
      for (let i = rows.from; i < rows.from + count; i++) {
        const polarity = rows.values[WIDTH * i];
        const relevance = rows.values[WIDTH * i + 2];
        const source = rows.values[WIDTH * i + 3];
        weights += relevance;
        weighted += relevance * polarity;
        sum += polarity;
        squares += polarity * polarity;
        subjective += rows.values[WIDTH * i + 1];
        const own = sums.get(source);
        sums.set(source, (own ?? 0) + polarity);
        counts.set(source, own === undefined ? 1 : (counts.get(source) ?? 0) + 1);
      }
      out.fill(NaN);
      if (count === 0) return;
      let voices = 0;
      for (const [source, own] of sums) voices += own / (counts.get(source) ?? NaN);
      out[0] = Math.log1p(count);
      out[1] = weighted / weights;
      out[2] = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
      out[3] = subjective / count;
      out[4] = voices / sums.size;
    },
  };
}

function decayed(timeframe: Timeframe): Observer {
  let [lastMs, weights, weighted, count] = [NaN, 0, 0, 0];
  const fadeTo = (nowMs: number): void => {
    const left = lastMs === lastMs ? Math.exp(-DECAY * (nowMs - lastMs)) : 0;
    weights *= left;
    weighted *= left;
    count *= left;
    lastMs = nowMs;
  };
  return {
    observe: [
      ([polarity, , relevance], timeMs) => {
        fadeTo(timeMs);
        weights += relevance;
        weighted += relevance * polarity;
        count++;
      },
    ],
    step: (bar, out) => {
      // Not faded here: what was there between two texts must not depend on how many bars looked at it.
      const left = Math.exp(-DECAY * (bar.time + TIMEFRAME_MS[timeframe] - lastMs));
      out[0] = weights > 0 ? weighted / weights : NaN;
      out[1] = weights > 0 ? Math.log1p(count * left) : NaN;
    },
  };
}

function surprise(timeframe: Timeframe): Observer {
  const rows = barRows();
  const usual = new RollingMean(USUAL_BARS);
  let before = NaN;
  return {
    observe: [rows.observe],
    step: (bar, out) => {
      let [weights, weighted] = [0, 0];
      const count = rows.select(bar.time, timeframe);
      for (let i = rows.from; i < rows.from + count; i++) {
        const relevance = rows.values[WIDTH * i + 2];
        weights += relevance;
        weighted += relevance * rows.values[WIDTH * i];
      }
      out[0] = NaN;
      if (weights === 0) return;
      const now = weighted / weights;
      out[0] = now - before;
      before = usual.push(now);
    },
  };
}

const WIDTH = COLUMNS.length;

/** The rows observed since the last bar, one behind another, and which of them became known while a bar lasted. */
function barRows() {
  let times = new Float64Array(64);
  let held = 0;
  const rows = {
    /** [rows, columns] */
    values: new Float64Array(64 * WIDTH),
    from: 0,
    observe: (values: Float64Array, timeMs: number): void => {
      if (held === times.length) {
        const [moreTimes, moreValues] = [new Float64Array(2 * held), new Float64Array(2 * held * WIDTH)];
        moreTimes.set(times);
        moreValues.set(rows.values);
        [times, rows.values] = [moreTimes, moreValues];
      }
      times[held] = timeMs;
      rows.values.set(values, WIDTH * held++);
    },
    /** How many rows from `from` on are those of the bar; the others are forgotten. */
    select: (openMs: number, timeframe: Timeframe): number => {
      const closeMs = openMs + TIMEFRAME_MS[timeframe];
      let [first, last] = [0, held];
      while (first < held && times[first] <= openMs) first++;
      while (last > first && times[last - 1] > closeMs) last--;
      rows.from = first;
      held = 0;
      return last - first;
    },
  };
  return rows;
}
