import assert from 'node:assert/strict';
import { panelUntil, panelWithin } from '../../core/dataset/panel.ts';
import { ExplanationPart } from '../../core/forecast/explanation.ts';
import type { Artifact, Forecast, Model, SnapshotKeeper } from '../../core/forecast/model.ts';
import { exactJson } from '../../core/foundation/exact-json.ts';
import { artifactHash } from '../../learning/training/artifact-folder.ts';
import { fitOn, fitted, lawForecast, ownPanelOf, panelOf, panelOn } from './law-fits.ts';
import { BARS, HOUR_MS, lawMarket, TRAIN_UNTIL } from './law-market.ts';
import { leastMicrosecondsOf } from './speed.ts';

/** Two years of hourly bars must not take a night: eight times as many bars, and how much more each may take. In fewer than these a window of days is hardly filled. */
const FEW = 1500;
const MANY = 8 * FEW;
const MOST_SLOWER = 4;
/** Whoever answers this fast is fast enough at any length, and too fast for a comparison. */
const LEAST_MICROSECONDS = 50;

/** What every model promises of its forecasts and its checkpoints. Each throws when `model` does not keep it. */
export const FORECAST_LAWS: Readonly<Record<string, (model: Model) => Promise<void>>> = {
  'has defaults for all parameters, and they survive JSON': async (model) => {
    const params = model.params.parse({});
    assert.deepEqual(model.params.parse(JSON.parse(JSON.stringify(params))), params);
    model.params.parse({ ...model.quickParams });
  },

  'gives the same weights for the same seed': async (model) => {
    const again = await fitOn(model, panelOf(model));
    assert.equal(artifactHash(again.save()), artifactHash((await fitted(model)).save()));
  },

  'gives other weights for another seed exactly when it says that it draws random numbers': async (model) => {
    const other = artifactHash((await fitOn(model, panelOf(model), { seed: 8 })).save());
    const same = other === artifactHash((await fitted(model)).save());
    assert.equal(same, model.stochastic !== true);
  },

  'forecasts the same bits after saving and loading': async (model) => {
    const saved = (await fitted(model)).save();
    const loaded = await model.load(copyOf(saved));
    assert.deepEqual(await loaded.forecast(panelOf(model)), await lawForecast(model));
    assert.equal(artifactHash(loaded.save()), artifactHash(saved));
  },

  'never changes a forecast when later bars arrive': async (model) => {
    const panel = panelOf(model);
    const full = await lawForecast(model);
    for (const rows of [1, 2, 57, 700, TRAIN_UNTIL + 1, BARS - 1]) {
      const seen = await (await fitted(model)).forecast(panelUntil(panel, rows * HOUR_MS));
      seen.forEach((forecast, s) => {
        columnsOf(full[s]).forEach(([name, column], c) => {
          const known = columnsOf(forecast)[c][1];
          assert.deepEqual(known, column.slice(0, rows), `${name} of ${forecast.symbol} cut at row ${rows}`);
        });
      });
    }
  },

  'forecasts the same bits when asked only for the newest bars': async (model) => {
    const panel = panelOf(model);
    const from = BARS - 5;
    const full = await lawForecast(model);
    const newest = await (await fitted(model)).forecast(panel, { sinceMs: from * HOUR_MS });
    newest.forEach((forecast, s) => {
      const all = columnsOf(full[s]);
      columnsOf(forecast).forEach(([name, column], c) => {
        assert.equal(column.length, all[c][1].length, name);
        assert.deepEqual(column.slice(from), all[c][1].slice(from), name);
      });
    });
  },

  'forecasts the same bits when it follows the bars as they close': async (model) => {
    const panel = panelOf(model);
    const forecaster = await fitted(model);
    let follower = forecaster.follow?.();
    if (follower === undefined) return;
    const full = await lawForecast(model);
    const check = (said: readonly Forecast[], offset: number, from: number): void =>
      said.forEach((forecast, s) => {
        const all = columnsOf(full[s]);
        columnsOf(forecast).forEach(([name, column], c) => {
          const known = all[c][1].slice(from, offset + column.length);
          assert.deepEqual(
            column.slice(from - offset),
            known,
            `${name} of ${forecast.symbol} from row ${from}`,
          );
        });
      });
    // A day that began long before closes within the first bars: models that make longer bars need all of its parts.
    let from = BARS - 90;
    check(await follower.forecast(panelUntil(panel, from * HOUR_MS), (from - 20) * HOUR_MS), 0, from - 20);
    // Bar by bar, and several at once after an outage.
    for (const bars of [1, 1, 1, 7, 1, 30, 1, 1]) {
      // What it stands at, written down and read back, is as good as what it remembers.
      const standing: unknown = follower.standing?.();
      if (standing !== undefined) follower = forecaster.follow?.(JSON.parse(exactJson(standing))) ?? follower;
      const first = Math.max(0, from - follower.lookBackBars);
      const seen = panelWithin(panel, { fromMs: first * HOUR_MS, untilMs: (from + bars) * HOUR_MS });
      check(await follower.forecast(seen, from * HOUR_MS), first, from);
      from += bars;
    }
  },

  'takes no longer for a bar when it is given more bars': async (model) => {
    const perBar = async (rows: number): Promise<number> => {
      const panel = panelOn(model, lawMarket(undefined, rows));
      const forecaster = await fitted(model);
      return (await leastMicrosecondsOf(() => forecaster.forecast(panel))) / rows;
    };
    const [short, long] = [await perBar(FEW), await perBar(MANY)];
    assert.ok(
      long < MOST_SLOWER * short + LEAST_MICROSECONDS,
      `a bar takes ${short.toFixed(0)} microseconds in ${FEW} bars and ${long.toFixed(0)} in ${MANY}`,
    );
  },

  'forecasts every symbol with values in their ranges': async (model) => {
    const panel = panelOf(model);
    const forecasts = await lawForecast(model);
    assert.deepEqual(
      forecasts.map(({ symbol }) => symbol),
      panel.series.map(({ symbol }) => symbol),
    );
    for (const forecast of forecasts) {
      assert.ok(Number.isInteger(forecast.horizonBars) && forecast.horizonBars >= 1);
      for (const [name, column] of columnsOf(forecast)) assert.equal(column.length, BARS, name);
      forecast.position.forEach((position, row) => {
        const confidence = forecast.confidence[row];
        assert.ok(Number.isNaN(position) || Math.abs(position) <= 1, `position ${position} in row ${row}`);
        assert.equal(Number.isNaN(confidence), Number.isNaN(position), `confidence in row ${row}`);
        assert.ok(!(confidence < 0 || confidence > 1), `confidence ${confidence} in row ${row}`);
        const probability = forecast.probabilityUp?.[row] ?? NaN;
        assert.ok(!(probability < 0 || probability > 1), `probability ${probability} in row ${row}`);
      });
    }
    // A pair model has an opinion on its pair only.
    assert.ok(
      forecasts.some(({ position }) => position.some(Number.isFinite)),
      'an opinion on some bar',
    );
  },

  'forecasts quantiles that do not cross': async (model) => {
    for (const { quantiles } of await lawForecast(model)) {
      for (let i = 1; i < (quantiles?.levels.length ?? 0); i++) {
        assert.ok(quantiles && quantiles.levels[i] > quantiles.levels[i - 1], 'levels ascend');
        const [low, high] = [quantiles.columns[i - 1], quantiles.columns[i]];
        low.forEach((value, row) => assert.ok(!(value > high[row]), `row ${row}`));
      }
    }
  },

  'explains every symbol in readable parts, where it explains': async (model) => {
    const { explanation = [], explain } = await fitted(model);
    const panel = panelOf(model);
    const parts = (await explain?.(panel)) ?? panel.series.map(() => []);
    assert.equal(parts.length, panel.series.length);
    for (const part of [...explanation, ...parts.flat()]) {
      ExplanationPart.parse(part); // zod's numbers are finite
      const length = part.kind === 'importance' ? part.names.length : part.values.length;
      assert.ok(length > 0 && part.values.length === length, part.title);
    }
    assert.deepEqual((await explain?.(panel)) ?? parts, parts);
  },

  'keeps nothing between forecasts and leaves the panel alone': async (model) => {
    const panel = ownPanelOf(model);
    const before = structuredClone(panel);
    await fitOn(model, panel);
    const first = await (await fitted(model)).forecast(panel);
    await (await fitted(model)).forecast(panelUntil(panel, 300 * HOUR_MS));
    assert.deepEqual(await (await fitted(model)).forecast(panel), first);
    assert.deepEqual(panel, before);
  },

  'resumes from a snapshot to the weights of a training that was never stopped': async (model) => {
    const snapshots: Artifact[] = [];
    const stop = new AbortController();
    const keeper: SnapshotKeeper = {
      isDue: ({ step }) => step >= 2 && !stop.signal.aborted,
      keep: async (snapshot) => {
        snapshots.push(copyOf(snapshot));
        stop.abort(new Error('stop'));
      },
    };
    const stopped = fitOn(model, panelOf(model), { signal: stop.signal, snapshots: keeper });
    await stopped.catch(() => undefined);
    if (model.kind === 'deep' || model.kind === 'agent')
      assert.equal(snapshots.length, 2, 'one when it was due, one on the way out');
    const from = snapshots.at(-1);
    if (from === undefined) return;
    const resumed = await fitOn(model, panelOf(model), {
      snapshots: { from, isDue: () => false, keep: async () => {} },
    });
    assert.equal(artifactHash(resumed.save()), artifactHash((await fitted(model)).save()));
  },

  'stops with the reason when aborted': async (model) => {
    const reason = new Error('stop');
    await assert.rejects(
      fitOn(model, panelOf(model), { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
  },

  'refuses an artifact of something else': async (model) => {
    await assert.rejects(model.load({ json: { something: 'else' }, blobs: {} }));
  },
};

/** As read from disk: a blob may be a Buffer that lies anywhere in a larger one, as Node reads small files. */
const copyOf = ({ json, blobs }: Artifact): Artifact => ({
  json: JSON.parse(JSON.stringify(json)) as unknown,
  blobs: Object.fromEntries(
    Object.entries(blobs).map(([name, bytes]) => [
      name,
      Buffer.concat([Buffer.of(1, 2, 3), bytes, Buffer.of(4, 5)]).subarray(3, 3 + bytes.length),
    ]),
  ),
});

/** Every column that a forecast states, by name. */
const columnsOf = (forecast: Forecast): readonly (readonly [string, Float64Array])[] => [
  ['position', forecast.position],
  ['confidence', forecast.confidence],
  ...(forecast.probabilityUp ? [['probabilityUp', forecast.probabilityUp] as const] : []),
  ...(forecast.expectedReturn ? [['expectedReturn', forecast.expectedReturn] as const] : []),
  ...(forecast.quantiles?.columns ?? []).map((column, i) => [`quantile ${i}`, column] as const),
];
