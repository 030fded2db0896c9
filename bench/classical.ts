import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { boost, lossOf, predictMargin } from '../src/learning/learners/trees/boosting.ts';
import { engleGranger } from '../src/core/evaluation/cointegration.ts';
import { johansen } from '../src/learning/models/mean-reversion/johansen.ts';
import { fitGarch } from '../src/learning/models/momentum-garch/garch.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';

const ROWS = 20_000;
const FEATURES = 50;
const BARS = 17_520;

export async function run(): Promise<readonly BenchRow[]> {
  return [...(await boosting()), ...(await statistics())];
}

async function boosting(): Promise<readonly BenchRow[]> {
  const random = createRandom(1);
  const columns = Array.from({ length: FEATURES }, () =>
    Float64Array.from({ length: ROWS }, () => normal(random)),
  );
  const [a, b, c, d] = columns;
  const labels = a.map((value, row) =>
    value * b[row] + Math.sin(3 * c[row]) + 0.5 * d[row] + 0.7 * normal(random) > 0 ? 1 : 0,
  );
  const params = {
    objective: 'binary:logistic',
    baseScore: 0.5,
    rounds: 100,
    maxBin: 255,
    subsample: 1,
    colsampleByTree: 1,
    eta: 0.3,
    maxDepth: 6,
    minChildWeight: 1,
    lambda: 1,
    alpha: 0,
    gamma: 0,
  } as const;
  const train = (): ReturnType<typeof boost> => boost({ train: { columns, labels }, params, seed: 1 });
  const booster = await train();
  const ms = await medianMs(train, 3);
  const predictMs = await medianMs(() => predictMargin(booster, columns), 5);
  const loss = lossOf('binary:logistic', predictMargin(booster, columns), labels);

  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'labels.f32'), Float32Array.from(labels));
  writeFileSync(join(folder, 'columns.f32'), Float32Array.from(columns.flatMap((column) => [...column])));
  const xgboost = runPeer('xgboost-hist.py', [folder]);
  rmSync(folder, { recursive: true });
  const name = 'XGBoost hist, 1 thread';
  const note = xgboost === undefined ? 'no Python with XGBoost here' : 'one thread each';
  return [
    {
      name: `boosting ${ROWS} x ${FEATURES}, 100 trees, depth 6`,
      value: ms,
      unit: 'ms',
      target: "<= XGBoost's",
      note,
      ...(xgboost && { peer: { name, value: xgboost['ms'] } }),
    },
    {
      name: 'its training log loss',
      value: loss,
      unit: '',
      target: "XGBoost's to 1 %",
      ...(xgboost && { peer: { name, value: xgboost['loss'] } }),
    },
    {
      name: `prediction of ${ROWS} rows`,
      value: predictMs,
      unit: 'ms',
      target: '<= 30 ms',
      ...(xgboost && { peer: { name, value: xgboost['predictMs'] } }),
    },
  ];
}

async function statistics(): Promise<readonly BenchRow[]> {
  const random = createRandom(2);
  let h = 0.3;
  let shock = 0;
  // Student's t with 4 degrees of freedom, about what hourly crypto returns have.
  const tails = (): number => {
    const squares = Array.from({ length: 4 }, () => normal(random) ** 2);
    return normal(random) / Math.sqrt((2 * squares.reduce((sum, square) => sum + square, 0)) / 4);
  };
  const returns = Float64Array.from({ length: BARS }, () => {
    h = 0.01 + 0.15 * shock * shock + 0.82 * h;
    shock = Math.sqrt(h) * tails();
    return shock;
  });
  let [level, away] = [4, 0];
  const x = Float64Array.from({ length: BARS }, () => (level += 0.005 * normal(random)));
  const y = x.map((value) => 1.2 * value + (away = 0.98 * away + 0.003 * normal(random)));

  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  for (const [name, column] of Object.entries({ returns, y, x }))
    writeFileSync(join(folder, `${name}.f64`), column);
  const peer = runPeer('classical-statistics.py', [folder]);
  rmSync(folder, { recursive: true });
  const against = (name: string, key: string) => (peer ? { peer: { name, value: peer[key] } } : {});

  const rows: BenchRow[] = [];
  for (const [name, key, options] of [
    ['GARCH(1,1)', 'garch', { variance: 'garch', student: false }],
    ['GJR', 'gjr', { variance: 'gjr', student: false }],
    ["GARCH(1,1) with Student's t", 'garch-t', { variance: 'garch', student: true }],
    ["GJR with Student's t", 'gjr-t', { variance: 'gjr', student: true }],
  ] as const) {
    rows.push(
      {
        name: `${name}, ${BARS} bars, with standard errors`,
        value: await medianMs(() => fitGarch(returns, options), 5),
        unit: 'ms',
        target: '<= 100 ms',
        ...against('arch', `${key}Ms`),
      },
      {
        name: 'its log likelihood',
        value: fitGarch(returns, options).logLikelihood,
        unit: '',
        ...against('arch', `${key}LogLikelihood`),
        note: 'arch takes another variance before the sample',
      },
    );
  }
  const pair = (): ReturnType<typeof engleGranger> =>
    engleGranger(y, x, { trend: 'c', lags: 24, chooseLags: true });
  return [
    ...rows,
    {
      name: `Engle-Granger, ${BARS} bars, up to 24 lags by AIC`,
      value: await medianMs(pair, 5),
      unit: 'ms',
      target: '<= 50 ms',
      ...against('statsmodels', 'engleGrangerMs'),
    },
    {
      name: 'its statistic',
      value: pair()?.test.statistic ?? NaN,
      unit: '',
      ...against('statsmodels', 'engleGrangerStatistic'),
    },
    {
      name: `Johansen's tests, 2 x ${BARS} bars, 2 lags`,
      value: await medianMs(() => johansen([y, x], 2), 5),
      unit: 'ms',
      ...against('statsmodels', 'johansenMs'),
    },
    {
      name: 'their trace of no relation',
      value: johansen([y, x], 2)?.steps[0].trace ?? NaN,
      unit: '',
      ...against('statsmodels', 'johansenTrace'),
    },
  ];
}
