import type { z } from 'zod';
import type { BarLength } from '../../../core/market/bar-length.ts';
import type { Model } from '../../../core/forecast/model.ts';
import type { Architecture } from './architecture.ts';
import { type DeepParams, networkInputs } from './params.ts';

/** What `deepModel` is given. */
export interface DeepModelAbout<Params extends DeepParams> {
  readonly id: string;
  readonly summary: string;
  readonly source: string;
  readonly params: z.ZodType<Params>;
  readonly quickParams: Readonly<Record<string, unknown>>;
  /** Columns of the panel; default: the volatility and the features of the parameters. */
  readonly features?: (params: Params) => readonly string[];
  /** As in `Model`. */
  readonly barLengths?: (params: Params) => readonly BarLength[];
  /** Imports the network, and with it TensorFlow.js and ONNX Runtime. */
  readonly architecture: () => Promise<Architecture<Params>>;
}

/** A forecaster from its network: windows, training, calibration and checkpoints are the same for all. */
export function deepModel<Params extends DeepParams>(about: DeepModelAbout<Params>): Model<Params> {
  const { architecture, features = networkInputs, ...shown } = about;
  return {
    ...shown,
    kind: 'deep',
    stochastic: true,
    usesValidation: true,
    warmStarts: true,
    readsSingle: true,
    features,
    async layers(params, panel) {
      const [chosen, { deepLayers }] = await Promise.all([architecture(), import('./layers-of.ts')]);
      return deepLayers(chosen, params, panel);
    },
    async fit(task) {
      const [chosen, { fitDeep }, { trainedForecaster }] = await Promise.all([
        architecture(),
        import('./fit.ts'),
        import('./forecaster.ts'),
      ]);
      const trained = await fitDeep(chosen, task);
      return trainedForecaster(trained, chosen, task.params);
    },
    async load(artifact) {
      const [chosen, { loadForecaster }] = await Promise.all([architecture(), import('./forecaster.ts')]);
      return loadForecaster(artifact, chosen, about.params);
    },
    async adapt(artifact, task) {
      const [chosen, { adaptDeep }] = await Promise.all([architecture(), import('./adapt.ts')]);
      return adaptDeep(chosen, about.params, artifact, task);
    },
  };
}
