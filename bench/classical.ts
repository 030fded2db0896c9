import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, normal } from '../src/foundation/random.ts';
import { boost, lossOf, predictMargin } from '../src/models/boosted-trees/boosting.ts';
import { engleGranger } from '../src/models/mean-reversion/cointegration.ts';
import { fitGarch } from '../src/models/momentum-garch/garch.ts';
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
  const returns = Float64Array.from({ length: BARS }, () => {
    h = 0.01 + 0.15 * shock * shock + 0.82 * h;
    shock = Math.sqrt(h) * normal(random);
    return shock;
  });
  let [level, away] = [4, 0];
  const x = Float64Array.from({ length: BARS }, () => (level += 0.005 * normal(random)));
  const y = x.map((value) => 1.2 * value + (away = 0.98 * away + 0.003 * normal(random)));
  const normalMs = await medianMs(() => fitGarch(returns, { asymmetric: false, student: false }), 5);
  const studentMs = await medianMs(() => fitGarch(returns, { asymmetric: true, student: true }), 5);
  const cointegrationMs = await medianMs(
    () => engleGranger(y, x, { trend: 'c', lags: 24, chooseLags: true }),
    5,
  );
  const target = '<= 100 ms';
  return [
    { name: `GARCH(1,1), ${BARS} bars, with standard errors`, value: normalMs, unit: 'ms', target },
    {
      name: `GJR with Student's t, ${BARS} bars, with standard errors`,
      value: studentMs,
      unit: 'ms',
      target,
    },
    {
      name: `Engle-Granger, ${BARS} bars, up to 24 lags by AIC`,
      value: cointegrationMs,
      unit: 'ms',
      target: '<= 50 ms',
    },
  ];
}
