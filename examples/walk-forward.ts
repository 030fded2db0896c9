import {
  builtIn,
  forecastEnsemble,
  panelUntil,
  refit,
  scoreForecasts,
  walkForwardFolds,
} from 'crypto-trader';
import { market } from './market.ts';

const HOUR_MS = 3_600_000;
const models = ['ridge', 'logistic'].map((id) => builtIn.findModel(id));
const entries = models.map((model) => ({ model, params: model.params.parse({}) }));
const panel = market([...new Set(entries.flatMap(({ model, params }) => model.features(params)))]);
const { time } = panel.series[0].candles;
const span = { fromMs: time[0], untilMs: time[time.length - 1] + HOUR_MS };
const folds = walkForwardFolds(span, panel.timeframe, {
  folds: 3,
  firstTestMs: span.fromMs + (span.untilMs - span.fromMs) / 2,
  embargoMs: 24 * HOUR_MS,
});
const signal = new AbortController().signal;
for (const fold of folds) {
  // Only bars before the fold and its embargo are learned from.
  const forecasts = await Promise.all(
    entries.map(async (entry) => {
      const fitted = await refit(entry, fold, { panel, validationPct: 15, seed: 1, signal });
      const names = entry.model.features(entry.params);
      const own = {
        timeframe: panel.timeframe,
        series: panelUntil(panel, fold.test.untilMs).series.map((one) => ({
          ...one,
          features: {
            names,
            columns: names.map((name) => one.features.columns[one.features.names.indexOf(name)]),
          },
        })),
      };
      return fitted.forecast(own);
    }),
  );
  const ensemble = panel.series.map((_, s) => forecastEnsemble(forecasts.map((one) => one[s])));
  const score = scoreForecasts(panelUntil(panel, fold.test.untilMs), ensemble, fold.test, {
    feeBps: 10,
    slippageBps: 5,
  });
  process.stdout.write(
    `from ${new Date(fold.test.fromMs).toISOString().slice(0, 10)}: ${score.samples} samples, hit rate ${score.directionalAccuracyPct?.toFixed(1) ?? '-'} %, net ${score.netReturnPct.toFixed(1)} %\n`,
  );
}
