import { forecastEnsemble, panelUntil } from 'crypto-trader';
import { openExample } from './project-of-examples.ts';

// An ensemble from code: forecasts of some models of a run, combined here, and by weights of one's own.
const { project, remove } = await openExample();
await project.train({ models: ['ridge', 'logistic', 'momentum-garch'], allowSynthetic: true });
const { panel, members } = await project.predict();
const chosen = members.filter(({ id }) => id !== 'logistic');
const combined = panel.series.map((_, s) => forecastEnsemble(chosen.map(({ forecasts }) => forecasts[s])));
const weights: Readonly<Record<string, number>> = { ridge: 0.7, 'momentum-garch': 0.3 };
const weighted = panel.series.map(({ candles }, s) =>
  Float64Array.from(candles.time, (_, row) =>
    chosen.reduce((sum, { id, forecasts }) => sum + weights[id] * (forecasts[s].position[row] || 0), 0),
  ),
);
const bars = panelUntil(panel, Infinity).series[0].candles.time.length;
await project.close();
remove();
process.stdout.write(
  `${chosen.length} of ${members.length} models on ${bars} bars; newest: equal ${combined[0].position[bars - 1].toFixed(2)}, weighted ${weighted[0][bars - 1].toFixed(2)}\n`,
);
