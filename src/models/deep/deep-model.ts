import type { z } from 'zod';
import type { Model } from '../model.ts';
import type { Architecture } from './architecture.ts';
import { type DeepParams, networkInputs } from './params.ts';

export interface DeepModelAbout<Params extends DeepParams> {
  readonly id: string;
  readonly summary: string;
  readonly source: string;
  readonly params: z.ZodType<Params>;
  readonly quickParams: Readonly<Record<string, unknown>>;
  /** Imports the network, and with it TensorFlow.js and ONNX Runtime. */
  readonly architecture: () => Promise<Architecture<Params>>;
}

/** A forecaster from its network: windows, training, calibration and checkpoints are the same for all. */
export function deepModel<Params extends DeepParams>(about: DeepModelAbout<Params>): Model<Params> {
  const { architecture, ...shown } = about;
  return {
    ...shown,
    kind: 'deep',
    features: networkInputs,
    async fit(task) {
      const [chosen, { fitDeep }, { trainedForecaster }] = await Promise.all([
        architecture(),
        import('./fit.ts'),
        import('./forecaster.ts'),
      ]);
      const trained = await fitDeep(chosen, task);
      const { params } = task;
      return trainedForecaster(trained, chosen, { params, timeframe: task.panel.timeframe });
    },
    async load(artifact) {
      const [chosen, { loadForecaster }] = await Promise.all([architecture(), import('./forecaster.ts')]);
      return loadForecaster(artifact, chosen, about.params);
    },
  };
}
