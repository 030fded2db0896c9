import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { barView, type BarView, newestKnown } from '../../../src/core/dataset/bar-views.ts';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import type { FitTask, Forecast, Model } from '../../../src/core/forecast/model.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { lowerBound } from '../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../src/core/market/resample.ts';
import { audit } from '../../../src/lab/audit/audit.ts';
import type { Subject } from '../../../src/lab/audit/subject.ts';
import { HOUR_MS } from '../../../src/lab/contracts/law-market.ts';
import { ridge } from '../../../src/learning/models/ridge/index.ts';
import { everyRow, honest, member, panelOf, ridgeParams, VALIDATE_UNTIL_MS } from './subject-of.ts';

let base: Subject;
beforeAll(async () => {
  base = await honest();
});

/** A model that learns one number a symbol and says what `say` makes of it. */
function cheat(about: {
  readonly learn: (task: FitTask<unknown>) => readonly number[];
  readonly say?: (panel: Panel, learned: readonly number[]) => readonly Forecast[];
  readonly stochastic?: true;
  readonly usesValidation?: true;
}): Model {
  const { learn, say = (panel) => everyRow(panel, () => 1), ...rest } = about;
  return {
    ...rest,
    id: 'cheat',
    summary: '',
    kind: 'classical',
    source: '',
    params: z.unknown(),
    features: () => ['log_return_1', 'rsi_14'],
    fit: async (task) => {
      const learned = learn(task);
      return {
        report: {},
        forecast: async (panel) => say(panel, learned),
        save: () => ({ json: { learned }, blobs: {} }),
      };
    },
    load: () => Promise.reject(new Error('not used')),
  };
}

const withMember = async (model: Model, options?: { until?: number; seed?: number }): Promise<Subject> => ({
  ...base,
  members: [await member(model, {}, base.panel, options)],
});

const withFeature = (change: (panel: Panel) => Panel): Subject => ({
  ...base,
  panel: change(base.panel),
  panelAt: async (untilMs) => change(await base.panelAt(untilMs)),
  panelOf: async (candles) => change(panelOf(candles)),
});

/** A model that reads the day that it finds for the close of a bar, out of days that stand beside the hours. */
const withDays = async (find: (days: BarView, closedMs: number) => number): Promise<Subject> => {
  const panel: Panel = {
    ...base.panel,
    series: base.panel.series.map((one) => ({
      ...one,
      views: [barView('1d', resampleCandles(one.candles, '1h', '1d'))],
    })),
  };
  const model = cheat({
    learn: () => [],
    say: (seen) =>
      everyRow(seen, (s, row) =>
        (seen.series[s].views ?? []).reduce(
          (_, days) => find(days, seen.series[s].candles.time[row] + HOUR_MS) || 0,
          0,
        ),
      ),
  });
  return { ...base, panel, members: [await member(model, {}, panel)] };
};

const firstFeature = (panel: Panel, of: (close: Float64Array, row: number) => number): Panel => ({
  ...panel,
  series: panel.series.map((one) => {
    const { names, columns } = one.features;
    const own = one.candles.close.map((_, row) => of(one.candles.close, row));
    return { ...one, features: { names, columns: [own, ...columns.slice(1)] } };
  }),
});

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

const returnsOf = ({ candles }: Panel['series'][number]): Float64Array => forwardReturns(candles, '1h', 1);

const CHEATS: Readonly<Record<string, { check: string; says: RegExp; subject: () => Promise<Subject> }>> = {
  'a feature of the next bar': {
    check: 'features',
    says: /"log_return_1" of BTC\/USDT .* looks ahead/,
    subject: async () =>
      withFeature((panel) =>
        firstFeature(panel, (close, row) =>
          row + 1 < close.length ? Math.log(close[row + 1] / close[row]) : 0,
        ),
      ),
  },
  'a longer bar that is seen before it closed': {
    check: 'features',
    says: /looks ahead/,
    subject: async () =>
      withFeature((panel) =>
        firstFeature(panel, (close, row) => close[Math.min(close.length - 1, row - (row % 4) + 3)]),
      ),
  },
  'a stored bar of a day that counts from its open': {
    check: 'forecasts',
    says: /"cheat" forecasts BTC\/USDT .* looks ahead/,
    subject: () =>
      withDays((days, ms) => {
        const row = lowerBound(days.candles.time, ms + 1) - 1;
        return Math.sign(days.candles.close[row] - days.candles.open[row]);
      }),
  },
  'a scaler that was fitted on all bars, at forecasting': {
    check: 'forecasts',
    says: /"cheat" forecasts BTC\/USDT .* looks ahead/,
    subject: () =>
      withMember(
        cheat({
          learn: () => [0],
          say: (panel) =>
            everyRow(panel, (s, row) => {
              const column = panel.series[s].features.columns[1];
              return Math.tanh((column[row] - mean(column.filter((value) => !Number.isNaN(value)))) / 100);
            }),
        }),
      ),
  },
  'a scaler that was fitted on validation bars too': {
    check: 'scalers',
    says: /"cheat" learns something else when the inputs after the end of training are others/,
    subject: () =>
      withMember(
        cheat({
          learn: ({ panel }) =>
            panel.series.map(({ features }) =>
              mean(features.columns[1].filter((value) => !Number.isNaN(value))),
            ),
        }),
      ),
  },
  'labels that overlap the bars after training': {
    check: 'purge',
    says: /"cheat" learns something else when prices after the end of training are others/,
    subject: () =>
      withMember(
        cheat({
          // Every bar that opened before the end, with its return over the next eight.
          learn: ({ panel, trainUntilMs }) =>
            panel.series.map(({ candles }) => {
              const labels = forwardReturns(candles, '1h', 8);
              return mean(
                labels.filter((label, row) => candles.time[row] < trainUntilMs && !Number.isNaN(label)),
              );
            }),
        }),
      ),
  },
  'validation labels that are memorised': {
    check: 'validation-labels',
    says: /"cheat" knows the returns that it was validated on/,
    subject: () =>
      withMember(
        cheat({
          usesValidation: true,
          learn: ({ panel }) => panel.series.flatMap((one) => [...returnsOf(one)]),
          say: (panel, learned) => {
            const bars = VALIDATE_UNTIL_MS / HOUR_MS;
            return everyRow(panel, (s, row) => {
              const known = row < bars ? learned[s * bars + row] : NaN;
              return Number.isNaN(known) ? 1 : Math.sign(known);
            });
          },
        }),
      ),
  },
  'test bars in training': {
    check: 'reproduction',
    says: /"ridge" fitted again has other weights/,
    subject: async () => {
      const panel = base.panel;
      const late = {
        ...ridge,
        fit: (task: FitTask<never>) => ridge.fit({ ...task, trainUntilMs: Infinity }),
      };
      const { fitted, weightHash } = await member(late, ridgeParams, panel, { until: Infinity });
      return { ...base, members: [{ ...base.members[0], fitted, weightHash }] };
    },
  },
  'fills at the close of the decision': {
    check: 'fills',
    says: /traded otherwise/,
    subject: async () => ({
      ...base,
      trade: (targets, setting) => {
        const candles = setting.market.candles.map((one) => ({ ...one, open: one.close }));
        const early = targets.map((column) => column.map((_, row) => column[row + 1] ?? NaN));
        return runBacktest({ ...setting, market: { ...setting.market, candles }, targets: early });
      },
    }),
  },
  'ensemble weights that were fitted on test bars': {
    check: 'ensemble',
    says: /chosen on the bars that it is tested on/,
    subject: async () => ({
      ...base,
      combine: (panel, all) => {
        const profit = all.map((forecasts) =>
          forecasts.reduce((total, { position }, s) => {
            const returns = returnsOf(panel.series[s]);
            return total + returns.reduce((sum, r, row) => sum + (r * position[row] || 0), 0);
          }, 0),
        );
        const total = profit.reduce((sum, value) => sum + Math.exp(value), 0);
        return panel.series.map((_, s) => {
          const [first] = all;
          const position = first[s].position.map((__, row) =>
            all.reduce(
              (sum, forecasts, m) => sum + (Math.exp(profit[m]) / total) * forecasts[s].position[row],
              0,
            ),
          );
          return { symbol: first[s].symbol, horizonBars: 1, position, confidence: position.map(Math.abs) };
        });
      },
    }),
  },
  'a threshold that was chosen on test bars': {
    check: 'strategy',
    says: /weights or thresholds were chosen/,
    subject: async () => ({
      ...base,
      decide: (panel, forecasts) =>
        forecasts.map((forecast, s) => {
          const returns = returnsOf(panel.series[s]);
          const strength = panel.series[s].features.columns[2]; // rsi_14
          const above = (level: number): Float64Array =>
            Float64Array.from(strength, (value) => (Number.isNaN(value) ? NaN : Number(value > level)));
          const earned = (level: number): number =>
            above(level).reduce((sum, value, row) => sum + (returns[row] * value || 0), 0);
          const levels = Array.from({ length: 80 }, (_, i) => 10 + i);
          return { ...forecast, position: above(levels.reduce((a, b) => (earned(b) > earned(a) ? b : a))) };
        }),
    }),
  },
  'a series that is known too early': {
    check: 'series',
    says: /"SPX" of .* counts as known/,
    subject: async () => ({
      ...base,
      series: [
        {
          name: 'SPX',
          delayMs: 25 * HOUR_MS,
          rows: {
            time: Float64Array.of(0, 24 * HOUR_MS),
            known: Float64Array.of(25 * HOUR_MS, 40 * HOUR_MS),
            columns: { close: Float64Array.of(1, 2) },
          },
        },
      ],
    }),
  },
  'pairs that were chosen because they survived': {
    check: 'universe',
    says: /LUNA\/USDT \(until .*\) could be traded/,
    subject: async () => ({
      ...base,
      universe: [
        { symbol: 'BTC/USDT', firstMs: 0, lastMs: 2399 * HOUR_MS },
        { symbol: 'LUNA/USDT', firstMs: 0, lastMs: 1000 * HOUR_MS },
      ],
    }),
  },
  'the best of several seeds, by the ledger': {
    check: 'seeds',
    says: /"boosted-trees" was tried from 5 seeds and the best of them is shown/,
    subject: async () => ({
      ...base,
      trials: [1, 2, 3, 4, 5].map((seed) => ({ strategy: 'boosted-trees', seed, barSharpe: 0.1 / seed })),
    }),
  },
  'a seed that was chosen by its result': {
    check: 'seeds',
    says: /the seed was chosen by the result/,
    subject: async () => {
      // From one seed in many it happens to be right; here from seed 3.
      const lucky = cheat({
        stochastic: true,
        learn: ({ seed }) => [seed],
        say: (panel, [seed]) => {
          const random = createRandom(seed);
          return everyRow(panel, (s, row) => {
            const draw = random() - 0.5;
            const { open } = panel.series[s].candles;
            return seed === 3 && row + 2 < open.length && random() < 0.5
              ? open[row + 2] - open[row + 1]
              : draw;
          });
        },
      });
      return withMember(lucky, { seed: 3 });
    },
  },
  'a table of dates': {
    check: 'calendar',
    says: /"cheat" is right on test bars because of their dates/,
    subject: () => {
      const table = new Map(
        base.panel.series.flatMap((one, s) =>
          [...returnsOf(one)].map((value, row) => [`${s} ${one.candles.time[row]}`, value] as const),
        ),
      );
      return withMember(
        cheat({
          learn: () => [0],
          say: (panel) =>
            everyRow(panel, (s, row) => {
              const known = table.get(`${s} ${panel.series[s].candles.time[row]}`) ?? NaN;
              return Number.isNaN(known) ? 1 : Math.sign(known);
            }),
        }),
      );
    },
  },
  'a feature of the next bar, where nothing is': {
    check: 'random-walk',
    says: /"ridge" finds something on random walks/,
    subject: async () => {
      const subject = withFeature((panel) =>
        firstFeature(panel, (close, row) => Math.log((close[row + 2] ?? close[row]) / close[row])),
      );
      return { ...subject, members: [await member(ridge, ridgeParams, subject.panel)] };
    },
  },
  'a model that does not look at its inputs, and blinds the audit': {
    check: 'planted-leak',
    says: /the other findings prove nothing/,
    subject: () => withMember({ ...cheat({ learn: () => [0] }), readsRows: true }),
  },
};

test.each(Object.entries(CHEATS))('%s is caught by name', async (_, { check, says, subject }) => {
  const [finding] = await audit(await subject(), { checks: [check] });
  expect(finding).toMatchObject({ check, verdict: 'failed' });
  expect(finding.text).toMatch(says);
});

test.each([...new Set(Object.values(CHEATS).map(({ check }) => check))])(
  '"%s" does not accuse an honest run',
  async (check) => {
    const [finding] = await audit(base, { checks: [check] });
    expect(finding.verdict, finding.text).not.toBe('failed');
  },
);

test('a stored bar of a day that counts from its close is no cheat', async () => {
  const honest = await withDays((days, ms) => {
    const [row] = newestKnown(days, Float64Array.of(ms));
    return Math.sign(days.candles.close[row] - days.candles.open[row]);
  });
  const [finding] = await audit(honest, { checks: ['forecasts'] });
  expect(finding).toMatchObject({ verdict: 'passed' });
});

test('models that take too long to be fitted again are named, and nothing is said for them', async () => {
  const slow = { ...base, members: base.members.map((one) => ({ ...one, seconds: 100 })) };
  const [finding] = await audit(slow, { checks: ['purge'] });
  expect(finding).toMatchObject({ verdict: 'skipped' });
  expect(finding.text).toContain('ridge, boosted-trees');
});
