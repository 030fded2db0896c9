import assert from 'node:assert/strict';
import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import { type Panel, panelUntil } from '../../core/dataset/panel.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { artifactHash } from '../../learning/training/artifact-folder.ts';
import { fitOn, fitted, latePanelOf, lawFit, lawForecast, panelOf, panelOn } from './law-fits.ts';
import { BARS, HOUR_MS, lawMarket, TRAIN_UNTIL } from './law-market.ts';

/** What every model promises of its fit: what it learns, it learns from the bars that it may learn from. */
export const FIT_LAWS: Readonly<Record<string, (model: Model) => Promise<void>>> = {
  'learns nothing from bars behind the end of its panel': async (model) => {
    // A view on longer columns, as every cut panel is. Its bars are those of the laws; behind them there are others.
    const longer = panelOn(model, lawMarket({ fromRow: BARS, name: 'behind' }, BARS + 300));
    const cut = await fitOn(model, panelUntil(longer, BARS * HOUR_MS));
    assert.equal(artifactHash(cut.save()), artifactHash((await fitted(model)).save()), 'the weights differ');
  },

  'learns the same weights whatever the validation bars are, unless it says that it uses them': async (
    model,
  ) => {
    if (model.usesValidation === true) return;
    const other = (await lawFit(model, 'other')).fitted;
    assert.equal(
      artifactHash(other.save()),
      artifactHash((await fitted(model)).save()),
      'the weights differ',
    );
  },

  'gives the same on features in single precision, if it says that it rounds to that': async (model) => {
    if (model.readsSingle !== true) return;
    const single = rounded(panelOf(model));
    const other = await fitOn(model, single);
    assert.equal(
      artifactHash(other.save()),
      artifactHash((await fitted(model)).save()),
      'the weights differ',
    );
    assert.deepEqual(await (await fitted(model)).forecast(single), await lawForecast(model));
  },

  'gives the same on columns that are worked out when they are read, if it says that it goes through them in order':
    async (model) => {
      if (model.readsColumns !== true) return;
      const { panel, reads } = latePanelOf(model);
      const columns = panel.series.length * panel.series[0].features.names.length;
      const other = await fitOn(model, panel);
      assert.equal(
        artifactHash(other.save()),
        artifactHash((await fitted(model)).save()),
        'the weights differ',
      );
      assert.ok(reads() <= MOST_PASSES * columns, `each column was read ${reads() / columns} times`);
      assert.deepEqual(await (await fitted(model)).forecast(panel), await lawForecast(model));
      assert.ok(
        reads() <= 2 * MOST_PASSES * columns,
        `with a forecast each column was read ${reads() / columns} times`,
      );
    },

  'trains with the same losses until it first looks at the validation bars': async (model) => {
    const [one, other] = [
      await lossesBeforeValidation(model, 'law'),
      await lossesBeforeValidation(model, 'other'),
    ];
    const steps = Math.min(one.length, other.length);
    assert.deepEqual(one.slice(0, steps), other.slice(0, steps));
  },

  'knows nothing of the returns that it was validated on': async (model) => {
    const known = { law: await fitted(model), other: (await lawFit(model, 'other')).fitted };
    const hits: number[] = [];
    let horizonBars = 1;
    for (const market of ['law', 'other'] as const) {
      const panel = panelOf(model, market);
      const own = market === 'law' ? await lawForecast(model) : await known.other.forecast(panel);
      const untied = await known[market === 'law' ? 'other' : 'law'].forecast(panel);
      hits.push(...hitsAhead(panel, own, untied));
      horizonBars = Math.max(horizonBars, ...own.map((forecast) => forecast.horizonBars));
    }
    const ahead = standingOut(hits, horizonBars);
    assert.ok(
      ahead === undefined || ahead.score < MOST_SCORE,
      `on the bars that it was validated on it is right ${(100 * (ahead?.mean ?? 0)).toFixed(1)} points more often than a fit that was validated on others (${ahead?.score.toFixed(1)} standard errors)`,
    );
  },
};

/** Every reading of a column works it out once more. */
const MOST_PASSES = 6;

const rounded = ({ timeframe, series }: Panel): Panel => ({
  timeframe,
  series: series.map((one) => {
    const { names, columns } = one.features;
    return { ...one, features: { names, columns: columns.map((column) => Float32Array.from(column)) } };
  }),
});

/** Standard errors; a model that stops early by its validation bars is a little ahead there, by chance 1 in 30 000. */
const MOST_SCORE = 4;

/** The losses that a fit reports before its first figure of the validation bars. */
async function lossesBeforeValidation(model: Model, market: 'law' | 'other'): Promise<readonly number[]> {
  const { progress } = await lawFit(model, market);
  const looked = progress.findIndex(
    ({ validationLoss, figures = {} }) =>
      validationLoss !== undefined || Object.keys(figures).some((name) => /validation/i.test(name)),
  );
  return progress
    .slice(0, looked < 0 ? progress.length : looked)
    .flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
}

/** The directions that a forecast states, in each way it states them. */
const directionsOf = ({ position, expectedReturn, probabilityUp }: Forecast): readonly Float64Array[] => [
  position,
  ...(expectedReturn ? [expectedReturn] : []),
  ...(probabilityUp ? [probabilityUp.map((probability) => probability - 0.5)] : []),
];

/**
 * Of each validation bar with a return: 1 where the model that was validated on it is right about the direction and
 * the other is not, -1 the other way round, 0 where both are or neither is.
 */
function hitsAhead(panel: Panel, own: readonly Forecast[], untied: readonly Forecast[]): readonly number[] {
  return panel.series.flatMap(({ candles }, s) => {
    const { horizonBars } = own[s];
    const returns = forwardReturns(candles, panel.timeframe, horizonBars);
    const rows = [...candles.time.keys()].filter(
      (row) =>
        row >= TRAIN_UNTIL &&
        returns[row] !== 0 &&
        labelEndMs(candles.time[row], panel.timeframe, horizonBars) < BARS * HOUR_MS,
    );
    const other = directionsOf(untied[s]);
    return directionsOf(own[s]).flatMap((direction, way) =>
      rows.flatMap((row) => {
        const [mine, theirs] = [direction[row], other[way]?.[row] ?? NaN];
        if (Number.isNaN(mine) || Number.isNaN(theirs)) return [];
        return [Number(mine * returns[row] > 0) - Number(theirs * returns[row] > 0)];
      }),
    );
  });
}

/** Mean, and its distance from 0 in standard errors; returns over h bars overlap, so n of them count as n / h. */
function standingOut(
  values: readonly number[],
  horizonBars: number,
): { readonly mean: number; readonly score: number } | undefined {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  if (squares === 0) return undefined;
  return { mean: sum / values.length, score: sum / Math.sqrt(squares * horizonBars) };
}
