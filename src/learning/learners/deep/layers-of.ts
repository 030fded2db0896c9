import type { NetworkAbout, NetworkLayers } from '../../../core/forecast/layers.ts';
import { layersOf } from '../../engine/layers-of.ts';
import { type Architecture, networkSizes } from './architecture.ts';
import { batchSpec } from './inputs.ts';
import type { DeepParams } from './params.ts';

/** The layers of a deep model's network for one window, or the windows of one bar where those stand together. */
export function deepLayers<Params extends DeepParams>(
  architecture: Architecture<Params>,
  params: Params,
  { symbols, ...panel }: NetworkAbout,
): NetworkLayers {
  const layout = architecture.inputs(params, panel);
  const { outputs } = architecture.head(params);
  const network = architecture.network(params, networkSizes(layout, { symbols: symbols.length, outputs }));
  return layersOf({
    network,
    batch: batchSpec(layout.together ? symbols.length : 1, layout),
    outputs: (pass, inputs) => ({ output: network.forward(pass, inputs).output }),
  });
}
