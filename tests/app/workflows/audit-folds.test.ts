import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditFolds } from '../../../src/app/workflows/audit-folds.ts';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import type { FittedModel, Forecast } from '../../../src/core/forecast/model.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walkForwardForecasts } from '../../../src/lab/backtest/walk-forward-source.ts';
import { builtIn, type Registry } from '../../../src/learning/models/registry.ts';
import { ridge } from '../../../src/learning/models/ridge/index.ts';
import { walk } from '../../support/candles.ts';

const HOUR_MS = 3_600_000;
const BARS = 3000;
const START = Date.UTC(2025, 0, 1);
/** Three folds over the second half: the third is trained on what lies before bar 2 500, the second before 2 000. */
const LATE = START + 2200 * HOUR_MS;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-folds-'));
  await openStore(folder).merge(
    { exchange: 'made', symbol: 'BTC/USDT', timeframe: '1h' },
    walk(BARS, { startMs: START, seed: 5 }),
    { source: 'made', synthetic: true },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

type Fit = typeof ridge.fit;
type Task = Parameters<Fit>[0];

/** A model whose fit is `cheats` wherever the bars that it is given reach into the third fold's. */
function lateCheat(cheats: (task: Task) => ReturnType<Fit>, honest: typeof ridge = ridge): Registry {
  const model = {
    ...honest,
    fit: (task: Task) => {
      const { time } = task.panel.series[0].candles;
      return time[time.length - 1] > LATE ? cheats(task) : honest.fit(task);
    },
  };
  return { ...builtIn, models: [model], findModel: () => model };
}

async function walked(registry: Registry, window: 'expanding' | 'rolling' = 'expanding') {
  const market = { exchange: 'made', timeframe: '1h', symbols: ['BTC/USDT'], sinceMs: START } as const;
  const common = {
    ...market,
    registry,
    params: {},
    sources: DEFAULT_SOURCES,
    validationPct: 40,
    store: openStore(folder),
    seed: 1,
    signal: new AbortController().signal,
  };
  const { members, folds } = await walkForwardForecasts({
    ...common,
    fromMs: undefined,
    untilMs: undefined,
    models: ['ridge'],
    folds: 3,
    embargoBars: 24,
    window,
    onFold: () => {},
  });
  return {
    ...common,
    source: { members, folds: folds ?? [] },
    terms: { ...chooseStrategy('sign', {}), cost: 0.0015, allowShort: false },
    rules: SPOT_RULES,
    instruments: [{ symbol: 'BTC/USDT', amountStep: 0, priceTick: 0, minNotional: 0 } as const],
    trialsFile: join(folder, 'trials.jsonl'),
  };
}

const late = (findings: Awaited<ReturnType<typeof auditFolds>>, check: string) => ({
  first: findings.find((one) => one.check === check)?.verdict,
  ...findings.findLast((one) => one.check === check),
});

describe('an audit of every fold', () => {
  it.each(['expanding', 'rolling'] as const)('accuses no honest walk-forward, %s', async (window) => {
    const findings = await auditFolds(await walked(builtIn, window), {
      checks: ['forecasts', 'reproduction', 'scalers', 'purge', 'validation-labels'],
    });
    expect(findings.map(({ verdict }) => verdict)).toEqual(Array(10).fill('passed'));
    expect(findings[9].text).toBe('Folds 2 to 3: Holds for ridge.');
  });

  it('catches labels that reach past the end of training in the third fold alone', async () => {
    /** What is learned: the mean return over eight bars, of bars that opened up to `untilMs`. */
    const learns = (fitted: FittedModel, { panel }: Task, untilMs: number): FittedModel => {
      const [{ candles }] = panel.series;
      const labels = forwardReturns(candles, '1h', 8).filter((_, row) => candles.time[row] <= untilMs);
      return { ...fitted, save: () => ({ json: { sum: labels.reduce((a, b) => a + b, 0) }, blobs: {} }) };
    };
    const lastLabel = ({ trainUntilMs }: Task): number => trainUntilMs - 9 * HOUR_MS;
    const { usesValidation: _, ...plain } = ridge;
    const registry = lateCheat(
      async (task) => learns(await ridge.fit(task), task, task.trainUntilMs - HOUR_MS),
      { ...plain, fit: async (task) => learns(await ridge.fit(task), task, lastLabel(task)) },
    );
    const findings = await auditFolds(await walked(registry), { checks: ['purge'] });
    expect(late(findings, 'purge')).toMatchObject({ first: 'passed', verdict: 'failed' });
    expect(late(findings, 'purge').text).toMatch(/^Fold 3: "ridge" learns something else when prices/);
  });

  it('catches validation labels that are memorised in the third fold alone', async () => {
    const registry = lateCheat(async (task) => {
      const fitted = await ridge.fit(task);
      const [{ candles }] = task.panel.series;
      const known = new Map(
        [...forwardReturns(candles, '1h', 1)].map((value, row) => [candles.time[row], value] as const),
      );
      return {
        ...fitted,
        forecast: async (panel, wanted) =>
          (await fitted.forecast(panel, wanted)).map((forecast, s): Forecast => {
            const { time } = panel.series[s].candles;
            const told = (position: number, row: number): number =>
              Math.sign(known.get(time[row]) ?? NaN) || position;
            const { symbol, position, confidence } = forecast;
            return { symbol, horizonBars: 1, position: position.map(told), confidence };
          }),
      };
    });
    const findings = await auditFolds(await walked(registry), { checks: ['validation-labels'] });
    expect(late(findings, 'validation-labels')).toMatchObject({ first: 'passed', verdict: 'failed' });
    expect(late(findings, 'validation-labels').text).toMatch(/^Fold 3: "ridge" knows the returns/);
  });

  it('catches a fold whose forecasts are not those of a fit on the bars before it', async () => {
    const honest = await walked(builtIn);
    const [, , third] = honest.source.folds;
    const cheated = honest.source.members.map((one) => ({
      ...one,
      forecasts: one.forecasts.map((forecast) => ({
        ...forecast,
        position: forecast.position.map((value, row) =>
          START + row * HOUR_MS === third.test.fromMs + 10 * HOUR_MS ? -value : value,
        ),
      })),
    }));
    const source = { ...honest.source, members: cheated };
    const findings = await auditFolds({ ...honest, source }, { checks: ['reproduction'] });
    expect(late(findings, 'reproduction')).toMatchObject({ first: 'passed', verdict: 'failed' });
    expect(late(findings, 'reproduction').text).toMatch(
      /^Fold 3: "ridge" fitted again forecasts BTC\/USDT at .* otherwise than it is shown/,
    );
  });
});
