import { describe, expect, it } from 'vitest';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import { panelUntil } from '../../../../src/core/dataset/panel.ts';
import type { AdaptTask, Artifact, FittedModel, FitTask } from '../../../../src/core/forecast/model.ts';
import { graphAttentionModel } from '../../../../src/learning/models/graph-attention/index.ts';
import { gruModel } from '../../../../src/learning/models/gru/index.ts';
import { HOUR } from '../../../core/dataset/series.ts';
import { labelledUntil, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const panel = plantedPanel(700, { shuffled: false });
const SMALL = {
  features: PLANTED_FEATURES,
  lookBack: 3,
  hidden: 3,
  layers: 1,
  horizonBars: 1,
  dropout: 0,
  batchSize: 32,
  epochs: 3,
  learningRate: 0.01,
  supportWindows: 5,
  metaTasks: 2,
};

const fit = (until: number, params: object = {}, more: Partial<FitTask<never>> = {}, bars = panel) =>
  gruModel.fit({
    panel: bars,
    params: gruModel.params.parse({ ...SMALL, ...params }),
    trainUntilMs: labelledUntil(until),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  });

const weightsOf = ({ blobs }: Artifact): Float32Array =>
  new Float32Array(Uint8Array.from(blobs['weights.bin']).buffer);
const apart = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(b.reduce((sum, value, i) => sum + (value - a[i]) ** 2, 0));

interface Losses {
  readonly lossUntrained: number;
  readonly lossBefore: number;
  readonly lossAfter: number;
}

let base: Promise<FittedModel> | undefined;
const firstRun = (): Promise<FittedModel> => (base ??= fit(250, {}, {}, panelUntil(panel, 350 * HOUR)));

describe('a network that goes on with new bars', () => {
  const goOn = async (params: object, warm?: Artifact) =>
    fit(500, params, { warm: warm ?? (await firstRun()).save(), warmUntilMs: labelledUntil(250) });

  it.each(['replay', 'ewc', 'a-gem'])(
    'by %s learns the new ones and says what became of the old',
    async (continual) => {
      const went = await goOn({ continual, memory: 60 });
      expect(went.report['newWindows']).toBeLessThan(went.report['trainingWindows'] as number);
      expect(went.report['rememberedWindows']).toBeLessThanOrEqual(60);
      const transfer = went.report['transfer'] as {
        readonly backwardTransfer: number;
        readonly forwardTransfer: number;
        readonly regimes: Readonly<Record<string, Losses>>;
        readonly validation: Losses;
      };
      const known = Object.values(transfer.regimes);
      expect(known.length).toBeGreaterThan(0);
      const mean = (of: (one: Losses) => number): number =>
        known.reduce((sum, one) => sum + of(one), 0) / known.length;
      expect(transfer.backwardTransfer).toBeCloseTo(
        mean((one) => one.lossBefore - one.lossAfter),
        10,
      );
      const { lossUntrained, lossBefore } = transfer.validation;
      expect(transfer.forwardTransfer).toBeCloseTo(lossUntrained - lossBefore, 10);
      // What was planted is the same in the new bars: the first run knows more of them than no run does.
      expect(transfer.forwardTransfer).toBeGreaterThan(0);
      expect(weightsOf(went.save())).not.toEqual(weightsOf((await goOn({})).save()));
    },
  );

  it('holds the weights that mattered the more firmly, the more importance they get', async () => {
    const before = weightsOf((await firstRun()).save());
    const [free, held] = [
      await goOn({ continual: 'ewc', importanceWeight: 0 }),
      await goOn({ continual: 'ewc', importanceWeight: 1e4 }),
    ];
    const moved = (one: FittedModel): number => apart(before, weightsOf(one.save()));
    expect(moved(held)).toBeLessThan(0.7 * moved(free));
  });

  it('by Synaptic Intelligence needs an earlier run that kept count, and then holds', async () => {
    await expect(goOn({ continual: 'si' })).rejects.toThrow('kept no count of which weights mattered');
    const counted = (await fit(250, { continual: 'si' }, {}, panelUntil(panel, 350 * HOUR))).save();
    const went = await goOn({ continual: 'si' }, counted);
    expect(went.report['newWindows']).toBeGreaterThan(0);
  });

  it.each(['ewc', 'replay'])(
    'by %s from a snapshot too, as a walk-forward does from fold to fold',
    async (continual) => {
      let snapshot: Artifact | undefined;
      const keep = async (one: Artifact): Promise<void> => void (snapshot = one);
      const snapshots = { isDue: ({ endOfEpoch = false }) => endOfEpoch, keep };
      await fit(250, {}, { snapshots }, panelUntil(panel, 350 * HOUR));
      const went = await goOn({ continual }, snapshot);
      expect(went.report['newWindows']).toBeGreaterThan(0);
    },
  );

  it('refuses bars with nothing new, and symbols of another run', async () => {
    const warm = (await firstRun()).save();
    await expect(fit(250, { continual: 'replay' }, { warm, warmUntilMs: labelledUntil(600) })).rejects.toThrow('no new training windows'); // prettier-ignore
    const one = { ...panel, series: panel.series.slice(0, 1) };
    await expect(fit(500, {}, { warm }, one)).rejects.toThrow('was trained on BTC/USDT, ETH/USDT');
  });
});

describe('a network that learns to adapt', () => {
  it.each(['maml', 'first-order', 'anil', 'reptile'])(
    'by %s forecasts, the same every time',
    async (meta) => {
      const params = { meta, innerSteps: 2, epochs: 1, windowsPerEpoch: 200 };
      const [a, b] = [await fit(300, params), await fit(300, params)];
      expect(weightsOf(a.save())).toEqual(weightsOf(b.save()));
      const [{ probabilityUp = new Float64Array() }] = await a.forecast(panel, { sinceMs: 690 * HOUR });
      expect(probabilityUp.at(-1)).toBeGreaterThan(0);
    },
  );

  it('sees nothing of what lies after the training end', async () => {
    const changed: Panel = {
      ...panel,
      series: panel.series.map((one) => ({
        ...one,
        features: {
          ...one.features,
          columns: one.features.columns.map((column, c) =>
            column.map((value, row) => (c > 0 && row > 320 ? -value : value)),
          ),
        },
      })),
    };
    const params = { meta: 'first-order', epochs: 1, windowsPerEpoch: 200 };
    const [before, after] = [await fit(300, params), await fit(300, params, {}, changed)];
    expect(weightsOf(after.save())).toEqual(weightsOf(before.save()));
  });

  it('refuses symbols that stand together, and regimes that are too short', async () => {
    const params = graphAttentionModel.params.parse({ ...SMALL, heads: 1, meta: 'anil' });
    const together = graphAttentionModel.fit({
      ...{ panel, params, trainUntilMs: labelledUntil(300), seed: 1, onProgress: () => {} },
      signal: new AbortController().signal,
    });
    await expect(together).rejects.toThrow('whose symbols stand together');
    await expect(fit(300, { meta: 'anil', supportWindows: 400 })).rejects.toThrow('No market regime lasts');
  });
});

describe('adapting a trained network', () => {
  const adapt = async (more: Partial<AdaptTask> = {}, fitted?: FittedModel) =>
    gruModel.adapt?.((fitted ?? (await firstRun())).save(), {
      panel,
      sinceMs: 500 * HOUR,
      steps: 4,
      rate: 0.05,
      signal: new AbortController().signal,
      ...more,
    });

  it('takes steps on a few windows and tells what they were worth on those behind them', async () => {
    const adapted = await adapt();
    expect(adapted?.supportWindows).toBe(5);
    expect(adapted?.queryLosses).toHaveLength(5);
    expect(adapted?.queryLosses[4]).not.toBe(adapted?.queryLosses[0]);
    const before = (await firstRun()).save();
    expect(adapted && apart(weightsOf(before), weightsOf(adapted.fitted.save()))).toBeGreaterThan(0.001);
  });

  it('learns nothing from the bars that it is judged on', async () => {
    const first = await adapt();
    const from = first?.queryFromMs ?? 0;
    // Ten bars each lie between the five windows of the first half, and the last one's label ends behind it.
    expect(from).toBeGreaterThan(580 * HOUR);
    const turned: Panel = {
      ...panel,
      series: panel.series.map((one) => ({
        ...one,
        features: {
          ...one.features,
          columns: one.features.columns.map((column, c) =>
            column.map((value, row) => (c > 0 && row * HOUR >= from ? -value : value)),
          ),
        },
      })),
    };
    const second = await adapt({ panel: turned });
    expect(second && weightsOf(second.fitted.save())).toEqual(first && weightsOf(first.fitted.save()));
    expect(second?.queryLosses).not.toEqual(first?.queryLosses);
  });

  it('refuses too few bars, steps that diverge, and checkpoints without weights', async () => {
    await expect(adapt({ sinceMs: 698 * HOUR })).rejects.toThrow(/windows were found/);
    await expect(adapt({ rate: 1e39, steps: 9 })).rejects.toThrow('The adaptation diverged.');
    const { json, blobs } = (await firstRun()).save();
    const { 'weights.bin': _, ...old } = blobs;
    const older = { save: () => ({ json, blobs: old }) } as unknown as FittedModel;
    await expect(adapt({}, older)).rejects.toThrow('has no weights to go on from');
  });
});
