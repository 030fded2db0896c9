import { createExecutor } from '../engine/executor.ts';
import type { Network } from '../engine/network.ts';
import { type BatchSpec, createPass, type Feeds, unflatten } from '../engine/program.ts';
import { type Tensor, tf } from '../engine/tf.ts';
import { parameterCount } from '../engine/weights.ts';
import { type AllocatorData, fillWindow } from './data.ts';
import { deepNetwork, eiieNetwork, policyNetwork } from './networks.ts';
import type { LearnedId, LearnerParams } from './params.ts';
import type { LearnerState } from './state.ts';

/** Weights for inputs: what is trained, and what decides later. */
type WeightNetwork = Network<Readonly<Record<string, Tensor>>, Tensor>;

export function networkOf(id: LearnedId, assets: number, { lookback, hidden }: LearnerParams): WeightNetwork {
  if (id === 'deep') {
    const deep = deepNetwork({ assets, hidden });
    return { ...deep, forward: (pass, { x, mask }) => deep.forward(pass, { x, mask }) };
  }
  if (id === 'rl') {
    const eiie = eiieNetwork({ assets, lookback, hidden });
    return { ...eiie, forward: (pass, { x, mask, previous }) => eiie.forward(pass, { x, mask, previous }) };
  }
  const policy = policyNetwork({ assets, lookback, hidden });
  return {
    ...policy,
    // The policy's centre: nothing is drawn once it has been trained.
    forward: (pass, { x, mask, previous }) => tf.softmax(policy.forward(pass, { x, mask, previous }).scores),
  };
}

/** Inputs of a network; `deep` does not look at what is held. */
export function specOf(id: LearnedId, rows: number, assets: number, lookback: number): BatchSpec {
  const float = (shape: readonly number[]) => ({ shape, type: 'float32' as const });
  const shared = { x: float([rows, lookback, assets]), mask: float([rows, assets]) };
  return id === 'deep' ? shared : { ...shared, previous: float([rows, 1 + assets]) };
}

/** Outputs for given parameters: one compiled program for any of them. */
export interface Forward<Name extends string> {
  /** What it gives is overwritten by the next run. */
  run(parameters: Float32Array, feeds: Feeds): Promise<Readonly<Record<Name, Float32Array>>>;
  dispose(): Promise<void>;
}

export async function openForward<Out, Name extends string>(
  network: Network<Readonly<Record<string, Tensor>>, Out>,
  spec: BatchSpec,
  outputs: (out: Out) => Readonly<Record<Name, Tensor>>,
  sizes: Readonly<Record<Name, number>>,
): Promise<Forward<Name>> {
  const count = parameterCount(network.parameters);
  const executor = await createExecutor({
    name: network.name,
    build(inputs) {
      const flat = inputs.input('parameters', [count], 'float32');
      const pass = createPass(inputs, {
        training: false,
        values: unflatten(network.parameters, flat),
        rows: spec['x'].shape[0],
        firstRow: 0,
        stepOffset: 0,
      });
      const given = Object.fromEntries(
        Object.entries(spec).map(([name, { shape, type }]) => [name, inputs.input(name, shape, type)]),
      );
      return outputs(network.forward(pass, given));
    },
  });
  const results = Object.fromEntries(
    Object.entries<number>(sizes).map(([name, size]) => [name, new Float32Array(size)]),
  ) as Record<Name, Float32Array>;
  return {
    async run(parameters, feeds) {
      const given = {
        parameters,
        ...Object.fromEntries(Object.keys(spec).map((name) => [name, feeds[name]])),
      };
      await executor.run(given, results, () => new Float32Array());
      return results;
    },
    dispose: () => executor.release(),
  };
}

export const openWeights = (
  id: LearnedId,
  network: WeightNetwork,
  rows: number,
  assets: number,
  lookback: number,
): Promise<Forward<'weights'>> =>
  openForward(network, specOf(id, rows, assets, lookback), (weights) => ({ weights }), {
    weights: rows * (id === 'deep' ? assets : 1 + assets),
  });

/** A trained allocator, open for decisions. */
export interface LearnedAllocator {
  readonly id: LearnedId;
  /**
   * Weights of all assets of the data at the close of `row`; all but `deep` may leave some in cash, so that they sum to less than 1.
   * `held`: those of now, one an asset.
   */
  weightsAt(data: AllocatorData, row: number, held: Float64Array): Promise<Float64Array>;
  dispose(): Promise<void>;
}

export async function openLearned(
  id: LearnedId,
  symbols: readonly string[],
  params: LearnerParams,
  state: LearnerState,
): Promise<LearnedAllocator> {
  const assets = symbols.length;
  const { lookback } = params;
  const network = networkOf(id, assets, params);
  const forward = await openWeights(id, network, 1, assets, lookback);
  return {
    id,
    async weightsAt(data, row, held) {
      const x = new Float32Array(lookback * assets);
      const mask = new Float32Array(assets);
      fillWindow(data, row, lookback, x, 0, mask, 0);
      const invested = held.reduce((sum, weight) => sum + weight, 0);
      const previous = Float32Array.from([Math.max(0, 1 - invested), ...held]);
      const { weights } = await forward.run(
        state.train.parameters,
        id === 'deep' ? { x, mask } : { x, mask, previous },
      );
      const own = Float64Array.from(id === 'deep' ? weights : weights.subarray(1));
      return own.map((weight, i) => (mask[i] === 0 ? 0 : weight));
    },
    dispose: () => forward.dispose(),
  };
}
