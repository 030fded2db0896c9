/**
 * `npx tsx bench/adapt/candles.ts <project folder> [folds]`: ways of keeping a network up to date, walked forward over the stored
 * hourly candles of a project, as lines of Markdown for docs/results/adapt.md. A fold is about a month; the network is small and
 * each fold takes seconds.
 */
import { join } from 'node:path';
import { forwardReturns } from '../../src/core/dataset/labels.ts';
import { walkForwardFolds } from '../../src/core/dataset/splits.ts';
import { bootstrapMean } from '../../src/core/evaluation/bootstrap.ts';
import { REGIMES, regimesOf } from '../../src/core/evaluation/breakdown.ts';
import { catalogue } from '../../src/core/features/catalogue.ts';
import { DEFAULT_SOURCES } from '../../src/core/features/inputs.ts';
import type { Forecast } from '../../src/core/forecast/model.ts';
import { createRandom } from '../../src/core/foundation/random.ts';
import { TIMEFRAME_MS } from '../../src/core/market/timeframe.ts';
import { loadPanel } from '../../src/data/panel/load-panel.ts';
import { openStore } from '../../src/data/store/store.ts';
import { gruModel } from '../../src/learning/models/gru/index.ts';
import { walkForward } from '../../src/learning/validation/walk-forward.ts';

const [project = '.', foldCount = '15'] = process.argv.slice(2);
const HORIZON = 4;
const COST = 0.0015;
const SMALL = {
  ...{ lookBack: 24, hidden: 16, layers: 1, horizonBars: HORIZON, batchSize: 64 },
  ...{ epochs: 6, windowsPerEpoch: 8192, validationWindows: 2048 },
};
const symbols = ['BTC/USDT', 'ETH/USDT'] as const;
const params = (more: object) => gruModel.params.parse({ ...SMALL, ...more });
const panel = await loadPanel(openStore(join(project, 'data')), {
  ...{ exchange: 'binance', symbols, timeframe: '1h' },
  featureNames: gruModel.features(params({})),
  sources: DEFAULT_SOURCES,
  catalogue,
});
const step = TIMEFRAME_MS['1h'];
const span = { fromMs: panel.firstTimeMs, untilMs: panel.untilMs };
const firstTestMs = panel.firstTimeMs + Math.floor(0.4 * ((span.untilMs - span.fromMs) / step)) * step;
const folds = walkForwardFolds(span, '1h', { folds: Number(foldCount), firstTestMs, embargoMs: 24 * step });
const [first, last] = [folds[0], folds[folds.length - 1]];

const WAYS: readonly (readonly [name: string, more: object, cold: boolean, folds: typeof folds])[] = [
  [
    'fixed',
    {},
    true,
    [{ train: first.train, test: { fromMs: first.test.fromMs, untilMs: last.test.untilMs } }],
  ],
  ['refitted every fold', {}, true, folds],
  ['fine-tuned', {}, false, folds],
  ['EWC', { continual: 'ewc', importanceWeight: 10 }, false, folds],
  ['replay', { continual: 'replay' }, false, folds],
  ['meta-trained (first-order), refitted', { meta: 'first-order', innerSteps: 3 }, true, folds],
];

/** By row of every symbol, from the first test bar on: log loss, Brier score, net return of the position over one bar. */
function scored(forecasts: readonly Forecast[]) {
  const rows: { loss: number; brier: number; net: number; regime: string; time: number }[] = [];
  panel.series.forEach(({ candles }, s) => {
    const { probabilityUp = new Float64Array() } = forecasts[s];
    const label = forwardReturns(candles, '1h', HORIZON);
    const next = forwardReturns(candles, '1h', 1);
    const benchmark = candles.close.map((close, row) => (row === 0 ? 0 : close / candles.close[row - 1] - 1));
    const regimes = regimesOf({ time: candles.time, benchmark });
    let held = 0;
    for (let row = 0; row < candles.time.length; row++) {
      const p = probabilityUp[row];
      if (Number.isNaN(p) || candles.time[row] < firstTestMs || Number.isNaN(label[row])) continue;
      const up = label[row] > 0 ? 1 : 0;
      // Long while a rise is likelier than not: the plainest rule there is.
      const target = p > 0.5 ? 1 : 0;
      const net = (Number.isNaN(next[row]) ? 0 : target * next[row]) - Math.abs(target - held) * COST;
      held = target;
      const sure = Math.min(Math.max(up === 1 ? p : 1 - p, 1e-6), 1);
      rows.push({
        loss: -Math.log(sure),
        brier: (p - up) ** 2,
        net,
        regime: regimes[row],
        time: candles.time[row],
      });
    }
  });
  return rows;
}

const interval = (values: readonly number[], scale = 1): string => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = bootstrapMean(Float64Array.from(values), createRandom(1), { blockBars: 48 });
  const text = (value: number): string => (scale * value).toFixed(scale === 1 ? 4 : 1);
  return found === undefined ? text(mean) : `${text(mean)} (${text(found.low)} .. ${text(found.high)})`;
};

const PER_YEAR = 365 * 24 * 100;
const byRegime: string[] = [];
console.log(
  '| way | log loss | Brier score | net return a year, % | seconds |\n| --- | --- | --- | --- | --- |',
);
for (const [name, more, cold, own] of WAYS) {
  const started = performance.now();
  const { members } = await walkForward({
    ...{ panel, folds: own, cold, validationPct: 10, seed: 42 },
    entries: [{ model: gruModel, params: params(more) }],
    signal: new AbortController().signal,
    onFold: () => {},
  });
  const rows = scored(members[0].forecasts);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const of = (key: 'loss' | 'brier' | 'net', list = rows): number[] => list.map((row) => row[key]);
  console.log(
    `| ${name} | ${interval(of('loss'))} | ${interval(of('brier'))} | ${interval(of('net'), PER_YEAR)} | ${seconds} |`,
  );
  const cells = REGIMES.slice(0, 4).map((regime) => {
    const after = rows.filter((row) => row.regime === regime);
    return after.length < 100 ? '-' : interval(of('loss', after));
  });
  byRegime.push(`| ${name} | ${cells.join(' | ')} |`);
}
console.log(
  `\n| log loss in | ${REGIMES.slice(0, 4).join(' | ')} |\n| --- | --- | --- | --- | --- |\n${byRegime.join('\n')}`,
);
