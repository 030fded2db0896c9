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
  const { rows, observe } = barRows();
  const sums = new Map<number, [sum: number, count: number]>();
  return {
    observe: [observe],
    step: (bar, out) => {
      let [count, weights, weighted, sum, squares, subjective] = [0, 0, 0, 0, 0, 0];
      sums.clear();
      for (const [polarity, subjectivity, relevance, source] of rows.of(bar.time, timeframe)) {
        count++;
        weights += relevance;
        weighted += relevance * polarity;
        sum += polarity;
        squares += polarity * polarity;
        subjective += subjectivity;
        const [ownSum, own] = sums.get(source) ?? [0, 0];
        sums.set(source, [ownSum + polarity, own + 1]);
      }
      out.fill(NaN);
      if (count === 0) return;
      let voices = 0;
      for (const [ownSum, own] of sums.values()) voices += ownSum / own;
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
  const { rows, observe } = barRows();
  const usual = new RollingMean(USUAL_BARS);
  let before = NaN;
  return {
    observe: [observe],
    step: (bar, out) => {
      let [weights, weighted] = [0, 0];
      for (const [polarity, , relevance] of rows.of(bar.time, timeframe)) {
        weights += relevance;
        weighted += relevance * polarity;
      }
      out[0] = NaN;
      if (weights === 0) return;
      const now = weighted / weights;
      out[0] = now - before;
      before = usual.push(now);
    },
  };
}

/** The rows observed since the last bar, and of them those that became known while a bar lasted. */
function barRows() {
  let held: (readonly [timeMs: number, values: readonly number[]])[] = [];
  return {
    observe: (values: Float64Array, timeMs: number): void => void held.push([timeMs, Array.from(values)]),
    rows: {
      of(openMs: number, timeframe: Timeframe): readonly (readonly number[])[] {
        const closeMs = openMs + TIMEFRAME_MS[timeframe];
        const rows = held
          .filter(([timeMs]) => timeMs > openMs && timeMs <= closeMs)
          .map(([, values]) => values);
        held = [];
        return rows;
      },
    },
  };
}
