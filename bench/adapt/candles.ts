/**
 * `npx tsx bench/adapt/candles.ts <project folder> [folds] [seeds, such as 1,2,3] [ways, such as fixed,meta]`: ways of keeping a network up to date, walked forward
 * over the stored hourly candles of a project, as lines of Markdown for docs/results/adapt.md. Finished folds are kept in the
 * project, so the command goes on where it was stopped.
 */
import { join } from 'node:path';
import { forwardReturns } from '../../src/core/dataset/labels.ts';
import { walkForwardFolds } from '../../src/core/dataset/splits.ts';
import { bootstrapMean } from '../../src/core/evaluation/bootstrap.ts';
import { REGIMES, regimesOf } from '../../src/core/evaluation/breakdown.ts';
import { calibration } from '../../src/core/evaluation/calibration.ts';
import { catalogue } from '../../src/core/features/catalogue.ts';
import { DEFAULT_SOURCES } from '../../src/core/features/inputs.ts';
import type { Forecast } from '../../src/core/forecast/model.ts';
import { createRandom } from '../../src/core/foundation/random.ts';
import { TIMEFRAME_MS } from '../../src/core/market/timeframe.ts';
import { loadPanel } from '../../src/data/panel/load-panel.ts';
import { openStore } from '../../src/data/store/store.ts';
import { gruModel } from '../../src/learning/models/gru/index.ts';
import { openFoldCache } from '../../src/learning/validation/fold-cache.ts';
import { walkForward } from '../../src/learning/validation/walk-forward.ts';

const [project = '.', foldCount = '53', seedList = '1,2,3', only = ''] = process.argv.slice(2);
const seeds = seedList.split(',').map(Number);
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
const firstTestMs = panel.firstTimeMs + Math.floor(0.2 * ((span.untilMs - span.fromMs) / step)) * step;
const folds = walkForwardFolds(span, '1h', { folds: Number(foldCount), firstTestMs, embargoMs: 24 * step });
const [first, last] = [folds[0], folds[folds.length - 1]];

const ALL: readonly (readonly [name: string, more: object, cold: boolean, folds: typeof folds])[] = [
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
const WAYS = ALL.filter(([name]) => only.split(',').some((part) => name.startsWith(part)));

const DAYS = 24;
/** A regime counts as changed when the new one lasts for a week; what is looked at are two weeks from there on. */
const [LASTS, AFTER] = [7 * DAYS, 14 * DAYS];

interface Row {
  readonly loss: number;
  readonly brier: number;
  readonly net: number;
  readonly p: number;
  readonly up: number;
  readonly regime: string;
  /** Within two weeks after a regime began. */
  readonly changed: boolean;
}

function afterChanges(regimes: readonly string[]): Uint8Array {
  const changed = new Uint8Array(regimes.length);
  let current = '';
  for (let from = 0; from < regimes.length;) {
    let until = from;
    while (until < regimes.length && regimes[until] === regimes[from]) until++;
    if (until - from >= LASTS && regimes[from] !== current) {
      if (current !== '') changed.fill(1, from, Math.min(until, from + AFTER));
      current = regimes[from];
    }
    from = until;
  }
  return changed;
}

/** Row by row of every symbol, from the first test bar on. */
function scored(forecasts: readonly Forecast[]): Row[] {
  const rows: Row[] = [];
  panel.series.forEach(({ candles }, s) => {
    const { probabilityUp = new Float64Array() } = forecasts[s];
    const label = forwardReturns(candles, '1h', HORIZON);
    const next = forwardReturns(candles, '1h', 1);
    const benchmark = candles.close.map((close, row) => (row === 0 ? 0 : close / candles.close[row - 1] - 1));
    const regimes = regimesOf({ time: candles.time, benchmark });
    const changed = afterChanges(regimes);
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
        ...{ loss: -Math.log(sure), brier: (p - up) ** 2, net, p, up },
        ...{ regime: regimes[row], changed: changed[row] === 1 },
      });
    }
  });
  return rows;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function interval(values: readonly number[], scale = 1): string {
  const found = bootstrapMean(Float64Array.from(values), createRandom(1), { blockBars: 48 });
  const text = (value: number): string => (scale * value).toFixed(scale === 1 ? 4 : 1);
  const middle = text(mean(values));
  return found === undefined ? middle : `${middle} (${text(found.low)} .. ${text(found.high)})`;
}

const PER_YEAR = 365 * 24 * 100;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const cache = openFoldCache(join(project, 'data', 'folds'));
/** By way, by seed. */
const results = new Map<string, Row[][]>();
for (const seed of seeds)
  for (const [name, more, cold, own] of WAYS) {
    const started = performance.now();
    const { members } = await walkForward({
      ...{ panel, folds: own, cold, validationPct: 10, seed, cache },
      entries: [{ model: gruModel, params: params(more) }],
      signal: new AbortController().signal,
      onFold: () => {},
    });
    results.set(name, [...(results.get(name) ?? []), scored(members[0].forecasts)]);
    console.error(`seed ${seed}: ${name}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }

/** The mean over the seeds of each row: the interval is that of time, seeds stand beside it. */
const values = (name: string, key: 'loss' | 'brier' | 'net', wanted: (row: Row) => boolean): number[] => {
  const all = results.get(name) ?? [];
  return all[0].flatMap((row, i) => (wanted(row) ? [mean(all.map((rows) => rows[i][key]))] : []));
};
const ofSeeds = (name: string, of: (rows: readonly Row[]) => number, digits: number): string => {
  const each = (results.get(name) ?? []).map(of);
  return `${Math.min(...each).toFixed(digits)} .. ${Math.max(...each).toFixed(digits)}`;
};
const ece = (rows: readonly Row[]): number =>
  calibration(
    Float64Array.from(rows, ({ p }) => p),
    Float64Array.from(rows, ({ up }) => up),
    { draws: 20 },
  )?.ece ?? NaN;

const every = (): boolean => true;
console.log(
  table(
    ['way', 'log loss', 'by seed', 'Brier score', 'ECE by seed', 'net return a year, %'],
    WAYS.map(([name]) => [
      name,
      interval(values(name, 'loss', every)),
      ofSeeds(name, (rows) => mean(rows.map(({ loss }) => loss)), 4),
      interval(values(name, 'brier', every)),
      ofSeeds(name, ece, 3),
      interval(values(name, 'net', every), PER_YEAR),
    ]),
  ),
);
const four = REGIMES.slice(0, 4);
const inRegime = (regime: string) => (row: Row) => row.regime === regime;
const afterChange = (regime: string) => (row: Row) => row.changed && row.regime === regime;
for (const [title, key, chosen, scale] of [
  ['log loss in', 'loss', inRegime, 1],
  ['log loss in the two weeks after a change to', 'loss', afterChange, 1],
  ['Brier score in the two weeks after a change to', 'brier', afterChange, 1],
  ['net return a year, %, in the two weeks after a change to', 'net', afterChange, PER_YEAR],
] as const) {
  const cells = (name: string): string[] =>
    four.map((regime) => {
      const own = values(name, key, chosen(regime));
      return own.length < 100 ? '-' : interval(own, scale);
    });
  console.log(
    `\n${table(
      [title, ...four],
      WAYS.map(([name]) => [name, ...cells(name)]),
    )}`,
  );
}
