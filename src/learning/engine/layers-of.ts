import type { NetworkLayer, NetworkLayers } from '../../core/forecast/layers.ts';
import { compileProgram } from './executor.ts';
import type { Parameter, Pass } from './network.ts';
import { predictProgram, type PredictOptions } from './predictor.ts';
import { type Tensor, tf } from './tf.ts';
import { parameterCount } from './weights.ts';

type Shapes = readonly (readonly number[])[];

/** Traces a network once, without running it, and says which layers it applied to what. */
export function layersOf(options: Omit<PredictOptions, 'parameters'>): NetworkLayers {
  const { network, batch } = options;
  const layers = new Map<string, NetworkLayer & { readonly own: Set<Parameter> }>();
  const open: string[] = [];
  const watch = (layer: string, input: unknown): ((output: unknown) => void) => {
    const [, kind, name] = /^(.*) "(.*)"$/.exec(layer) ?? [];
    if (kind === undefined || kind === 'network') return () => undefined;
    const path = [open.at(-1) ?? '', name].join(' ');
    const { own = new Set<Parameter>(), times = 0 } = layers.get(path) ?? {};
    const about = { kind, name, depth: open.length, inputs: shapesOf(input), own, times: times + 1 };
    layers.set(path, { ...about, outputs: [], parameters: 0 });
    open.push(path);
    return (output) => {
      open.pop();
      layers.set(path, { ...about, outputs: shapesOf(output), parameters: parameterCount([...own]) });
    };
  };
  const observed = (pass: Pass): Pass => ({
    ...pass,
    watch,
    value(parameter) {
      for (const path of open) layers.get(path)?.own.add(parameter);
      return pass.value(parameter);
    },
  });
  const parameters = parameterCount(network.parameters);
  compileProgram(predictProgram({ ...options, parameters: new Float32Array(parameters) }, observed));
  return {
    inputs: Object.entries(batch).map(([name, { shape }]) => ({ name, shape })),
    layers: [...layers.values()].map(({ own: _, ...layer }) => layer),
    parameters,
  };
}

/** Of the tensors in what a layer takes or gives: one tensor, a sequence of steps, or several by name. */
function shapesOf(value: unknown): Shapes {
  if (isTensor(value)) return [value.shape];
  if (Array.isArray(value)) {
    const shapes = value.flatMap((one: unknown) => shapesOf(one));
    const isSequence = shapes.length > 1 && shapes.every((shape) => shape.join() === shapes[0].join());
    return isSequence ? [[shapes.length, ...shapes[0]]] : shapes;
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(shapesOf) : [];
}

const isTensor = (value: unknown): value is Tensor => value instanceof tf.Tensor;
