import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { provenanceOf } from '../../../src/app/workflows/provenance.ts';
import { forecastColumns } from '../../../src/learning/validation/forecast-columns.ts';
import type { Fold } from '../../../src/core/dataset/splits.ts';
import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import type { Forecast, Model } from '../../../src/core/forecast/model.ts';
import { createRandom, type Random } from '../../../src/core/foundation/random.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import type { LoadedPanel } from '../../../src/data/panel/load-panel.ts';
import { type Backtest, backtest } from '../../../src/lab/backtest/backtest.ts';
import { walkForwardForecasts } from '../../../src/lab/backtest/walk-forward-source.ts';
import { shiftedInTime } from '../../../src/lab/backtest/strategies.ts';
import { ENHANCED } from '../../../src/learning/ensemble/registry.ts';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { artifactHash } from '../../../src/learning/training/artifact-folder.ts';
import {
  forecastAll,
  loadTrained,
  loadTrainedPanel,
  type TrainedSet,
} from '../../../src/learning/training/checkpoints.ts';
import { forecastRun } from '../../../src/learning/training/run-forecasts.ts';
import { BARS, START_MS, trainOn, walkStore } from '../../learning/training/runs.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const params = { ridge: { features: ['return_1', 'rsi_14'] }, logistic: { features: ['return_3'] } };
const models = ['ridge', 'logistic', 'persistence'];

/** A trained set, its store and all of its bars. */
async function trainedOn(change?: (candles: Candles) => void) {
  const folder = temporaryFolder();
  const store = await walkStore(folder, change && { change });
  await trainOn(folder, store, { models, params });
  const trained = await loadTrained(join(folder, 'checkpoints'));
  return { trained, store, panel: await loadTrainedPanel(store, trained) };
}

describe('what a trained set says', () => {
  type Say = (trained: TrainedSet, panel: LoadedPanel) => ReturnType<typeof forecastAll>;

  /** Who says something else about old bars when later ones are not there. */
  async function unsteady(
    say: Say,
    { trained, store, panel }: Awaited<ReturnType<typeof trainedOn>>,
  ): Promise<readonly string[]> {
    const whole = await say(trained, panel);
    const names = new Set<string>();
    for (const rows of [260, 430, BARS - 1]) {
      const cut = await say(
        trained,
        await loadTrainedPanel(store, trained, { untilMs: START_MS + rows * HOUR }),
      );
      const compare = (name: string, all: readonly Forecast[], known: readonly Forecast[]): void =>
        known.forEach((forecast, s) =>
          forecastColumns(forecast).forEach((column, c) => {
            const same = forecastColumns(all[s])[c].subarray(0, rows);
            if (column.length !== rows || column.some((value, row) => !Object.is(value, same[row])))
              names.add(name);
          }),
        );
      cut.members.forEach(({ id, forecasts }, m) => compare(id, whole.members[m].forecasts, forecasts));
      compare('ensemble', whole.ensemble, cut.ensemble);
    }
    return [...names];
  }

  test('of old bars stays the same bits when later ones are cut off, members and ensemble', async () => {
    const set = await trainedOn();
    expect(await unsteady(forecastAll, set)).toEqual([]);

    const scaled = (forecasts: readonly Forecast[]): readonly Forecast[] =>
      forecasts.map((one) => {
        const most = one.position.reduce((a, b) => (Number.isNaN(b) ? a : Math.max(a, Math.abs(b))), 0);
        return {
          ...one,
          position: one.position.map((value, row) => (value * (most + row)) / one.position.length),
        };
      });
    const cheat: Say = async (trained, panel) => {
      const said = await forecastAll(trained, panel);
      const members = said.members.map((one) =>
        one.id === 'ridge' ? { ...one, forecasts: scaled(one.forecasts) } : one,
      );
      return { ...said, members };
    };
    expect(await unsteady(cheat, set)).toEqual(['ridge']);
    const combiner: Say = async (trained, panel) => {
      const said = await forecastAll(trained, panel);
      return { ...said, ensemble: scaled(said.members[2].forecasts) };
    };
    expect(await unsteady(combiner, set)).toEqual(['ensemble']);
  });

  test('and what it consists of has the same hashes whatever the test bars are', async () => {
    const first = await trainedOn();
    // The last validation label ends at the open of the first test bar, which is known before that bar is decided on.
    const second = await trainedOn(({ open, high, low, close }) => {
      for (const [k, column] of [high, close, open, low].entries())
        for (let row = k < 2 ? 480 : 481; row < BARS; row++) column[row] *= row % 7 === 0 ? 1.5 : 1.01;
    });
    expect(second.panel.fingerprint).not.toBe(first.panel.fingerprint);

    /** Parts of a set, each as text that differs when the part does. */
    const parts = async ({ trained, panel }: typeof first, cheating = false) => {
      const fromMs = cheating ? panel.untilMs - 10 * HOUR : trained.validateUntilMs;
      const own = cheating ? { ...trained, validateUntilMs: panel.untilMs } : trained;
      const { combined } = await forecastRun(own, panel, { choice: ENHANCED, fromMs });
      const refitted = await builtIn.findModel('ridge').fit({
        panel,
        params: builtIn.findModel('ridge').params.parse(params.ridge),
        trainUntilMs: cheating ? panel.untilMs : trained.trainUntilMs,
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      });
      const { coefficients, weights, weighing } = combined.learned;
      return {
        model: cheating
          ? artifactHash(refitted.save())
          : trained.members.map(({ manifest }) => manifest.weightHash).join(),
        'ensemble weights': JSON.stringify([[...coefficients], [...weights], weighing]),
        // What an edge is measured by, from the forecasts before the test bars.
        thresholds: JSON.stringify(
          combined.forecasts.map(({ confidence, position }) => [
            ...(cheating ? confidence.slice(-5) : []),
            ...confidence.slice(420, 480),
            ...position.slice(420, 480),
          ]),
        ),
        plan: JSON.stringify([
          trained.sinceMs,
          trained.trainUntilMs,
          cheating ? panel.series[0].candles.close[BARS - 1] : trained.validateUntilMs,
          trained.members.map((one) => [one.id, one.manifest.seed, one.noSkill]),
        ]),
      };
    };
    const changed = (one: Record<string, string>, other: Record<string, string>) =>
      Object.keys(one).filter((name) => one[name] !== other[name]);
    expect(changed(await parts(first), await parts(second))).toEqual([]);
    expect(changed(await parts(first, true), await parts(second, true))).toEqual([
      'model',
      'ensemble weights',
      'thresholds',
      'plan',
    ]);
  });
});

describe('a walk-forward', () => {
  /** Bars that fits were shown, by fold. */
  async function lastBars(embargoBars: number) {
    const looks: number[] = [];
    const witness: Model = {
      id: 'witness',
      summary: '',
      kind: 'classical',
      source: '',
      params: z.unknown(),
      features: () => [],
      fit: async ({ panel }) => {
        const { time } = panel.series[0].candles;
        looks.push(time[time.length - 1]);
        return {
          report: {},
          forecast: async ({ series }) =>
            series.map(({ symbol, candles }) => ({
              symbol,
              horizonBars: 1,
              position: candles.time.map((_, row) => (row % 2 === 0 ? 1 : -1)),
              confidence: candles.time.map(() => 1),
            })),
          save: () => ({ json: undefined, blobs: {} }),
        };
      },
      load: () => Promise.reject(new Error('not used')),
    };
    const registry = { ...builtIn, models: [witness], findModel: () => witness };
    const source = await walkForwardForecasts({
      ...(await walk()),
      registry,
      embargoBars,
      models: ['witness'],
    });
    return { looks, folds: source.folds ?? [] };
  }

  const walk = async () => ({
    store: await walkStore(temporaryFolder()),
    exchange: 'binance',
    timeframe: '1h' as const,
    symbols: ['BTC/USDT', 'ETH/USDT'] as const,
    sinceMs: START_MS,
    fromMs: undefined,
    untilMs: undefined,
    models,
    folds: 3,
    embargoBars: 24,
    validationPct: 10,
    params,
    sources: DEFAULT_SOURCES,
    seed: 1,
    signal: new AbortController().signal,
    onFold: () => {},
  });

  const breaches = ({ looks, folds }: { looks: readonly number[]; folds: readonly Fold[] }) =>
    folds.flatMap(({ test: { fromMs } }, fold) =>
      looks[fold] + HOUR > fromMs - 24 * HOUR ? [`fold ${fold + 1} was shown bars of its embargo`] : [],
    );

  test('shows no fit a bar of the embargo that was asked for', async () => {
    expect(breaches(await lastBars(24))).toEqual([]);
    expect(breaches(await lastBars(0))).toEqual(
      [1, 2, 3].map((fold) => `fold ${fold} was shown bars of its embargo`),
    );
  });

  test('counts every rule that it compared', async () => {
    const source = await walkForwardForecasts(await walk());
    const instruments = source.panel.series.map(({ symbol }) => ({
      symbol,
      priceTick: 0,
      amountStep: 0,
      minNotional: 0,
    }));
    const result = backtest({ ...source, instruments, rules: SPOT_RULES, seed: 1 });
    const trialsFile = join(temporaryFolder(), 'trials.jsonl');
    await provenanceOf(source, result, { seed: 1, trialsFile, by: 'walk-forward' });
    expect(uncounted(result, trialsFile)).toEqual([]);
    const lines = readFileSync(trialsFile, 'utf8').trim().split('\n');
    writeFileSync(trialsFile, lines.filter((line) => !line.includes('"strategy":"logistic"')).join('\n'));
    expect(uncounted(result, trialsFile)).toEqual(['logistic was compared and is not counted']);
  });

  function uncounted({ members }: Backtest, file: string): readonly string[] {
    const text = readFileSync(file, 'utf8');
    return members
      .filter(({ strategy }) => strategy.kind === 'model')
      .map(({ strategy }) => strategy.name)
      .filter((name) => !text.includes(`"strategy":"${name}"`))
      .map((name) => `${name} was compared and is not counted`);
  }
});

test('the timing test moves all symbols together, by any number of bars', () => {
  const bars = 1000;
  const rows = Float64Array.from({ length: bars }, (_, row) => row);
  const faults = (shift: (targets: readonly Float64Array[], random: Random) => readonly Float64Array[]) => {
    const random = createRandom(1);
    const moved = Array.from({ length: 200 }, () => shift([rows, rows], random));
    const distances = moved.map(([first]) => (bars - first[0]) % bars).sort((a, b) => a - b);
    return [
      ...(distances[0] === 0 ? ['leaves decisions where they were'] : []),
      // Uniform over 999 places: a quarter of 200 draws beyond three quarters, give or take four deviations.
      ...(distances.filter((distance) => distance > 0.75 * bars).length < 26 ? ['moves by too little'] : []),
      ...(new Set(distances).size < 100 ? ['moves by the same few distances'] : []),
      ...(moved.some(([a, b]) => a[0] !== b[0]) ? ['moves symbols apart'] : []),
      ...(moved.some(([a]) => new Set(a).size !== bars) ? ['loses decisions'] : []),
    ];
  };
  expect(faults(shiftedInTime)).toEqual([]);
  const turned = (column: Float64Array, by: number): Float64Array =>
    Float64Array.from(column, (_, row) => column[(row - by + bars) % bars]);
  expect(faults((targets) => targets.map((column) => turned(column, 1)))).toEqual([
    'moves by too little',
    'moves by the same few distances',
  ]);
  expect(
    faults((targets, random) => targets.map((column) => turned(column, 1 + Math.floor(random() * 998)))),
  ).toEqual(['moves symbols apart']);
});
