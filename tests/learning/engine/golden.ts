import { readFileSync } from 'node:fs';
import { compileProgram } from '../../../src/learning/engine/executor.ts';
import { defineNetwork, type Declare, type Layer, type Pass } from '../../../src/learning/engine/network.ts';
import type { Feeds } from '../../../src/learning/engine/program.ts';
import { createPass, unflatten } from '../../../src/learning/engine/program.ts';
import { openSession } from '../../../src/learning/engine/session.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';

const folder = new URL('../../golden/nn/', import.meta.url);
/** PyTorch's values: see the README of tests/golden. */
export const golden = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));

/** The numbers at a path of a golden file; a single number becomes a list of one. */
export function numbersAt(values: unknown, ...path: readonly string[]): number[] {
  const found = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], values);
  return (Array.isArray(found) ? found.flat() : [found]) as number[];
}

/** The fill rule of the golden files: 0.5 sin(1 + 0.37 k + phase). */
export function fill(shape: readonly number[], phase = 0): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, (_, k) => 0.5 * Math.sin(1 + 0.37 * k + phase));
}

/** Their scalar loss: the output weighted by cos(0.13 k). */
export const weightedSum = (output: Tensor): Tensor => {
  const weights = Float32Array.from({ length: output.size }, (_, k) => Math.cos(0.13 * k));
  return tf.sum(tf.mul(output, tf.tensor(weights, output.shape)));
};

/** Compiles a function of named float32 tensors and runs it once in ONNX Runtime. */
export async function runCompiled(
  inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float32Array | Int32Array }>
  >,
  build: (tensors: Record<string, Tensor>) => Readonly<Record<string, Tensor>>,
): Promise<Record<string, Float32Array>> {
  const entries = Object.entries(inputs);
  const { model } = compileProgram({
    name: 'test',
    build: (source) =>
      build(
        Object.fromEntries(
          entries.map(([name, { shape, values }]) => [
            name,
            source.input(name, shape, values instanceof Float32Array ? 'float32' : 'int32'),
          ]),
        ),
      ),
  });
  const session = await openSession(model);
  const results = Object.fromEntries(
    Object.entries(session.outputs).map(([name, shape]) => [
      name,
      new Float32Array(shape.reduce((product, length) => product * length, 1)),
    ]),
  );
  const feeds: Feeds = Object.fromEntries(entries.map(([name, { values }]) => [name, values]));
  await session.run(feeds, results);
  await session.release();
  return results;
}

export interface LayerRun {
  /** Parameters take phases `base + 0.11 i` in order of declaration. */
  readonly base?: number;
  /** Or these phases. */
  readonly phases?: readonly number[];
  /** Or these values. */
  readonly parameters?: readonly Float32Array[];
  readonly rows: number;
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly phase: number }>>;
}

/** Output, weighted loss, and gradients of a layer with filled parameters, all through the compiled path. */
export async function runLayer(
  build: (declare: Declare) => Layer<Record<string, Tensor>, Tensor>,
  { base = 0, phases, parameters: given, rows, inputs }: LayerRun,
): Promise<{ output: Float32Array; loss: number; gradient: (name: string) => Float32Array }> {
  const network = defineNetwork('golden', build);
  const filled = network.parameters.map(
    ({ shape }, i) => given?.[i] ?? fill(shape, phases?.[i] ?? base + 0.11 * i),
  );
  const flat = new Float32Array(filled.reduce((total, values) => total + values.length, 0));
  let offset = 0;
  for (const values of filled) {
    flat.set(values, offset);
    offset += values.length;
  }
  const names = Object.keys(inputs);
  const feeds = Object.fromEntries(
    names.map((name) => [
      name,
      { shape: inputs[name].shape, values: fill(inputs[name].shape, inputs[name].phase) },
    ]),
  );
  const results = await runCompiled({ ...feeds, flat: { shape: [flat.length], values: flat } }, (tensors) => {
    const passOf = (parameters: Tensor): Pass =>
      createPass(
        { input: () => tf.scalar(0), random: () => tf.scalar(0) },
        {
          training: false,
          values: unflatten(network.parameters, parameters),
          rows,
          firstRow: 0,
          stepOffset: 0,
        },
      );
    const forward = (xs: Tensor[], parameters: Tensor): Tensor =>
      network.forward(passOf(parameters), Object.fromEntries(names.map((name, i) => [name, xs[i]])));
    const arguments_ = [...names.map((name) => tensors[name]), tensors.flat];
    const { value, grads } = tf.valueAndGrads((...all: Tensor[]) =>
      tf.reshape(weightedSum(forward(all.slice(0, -1), all[all.length - 1])), []),
    )(arguments_);
    return {
      output: forward(arguments_.slice(0, -1), tensors.flat),
      loss: value,
      ...Object.fromEntries(names.map((name, i) => [`d.${name}`, grads[i]])),
      'd.flat': grads[names.length],
    };
  });
  return {
    output: results.output,
    loss: results.loss[0],
    gradient(name) {
      if (names.includes(name)) return results[`d.${name}`];
      const at = network.parameters.findIndex((parameter) => parameter.name === name);
      const start = filled.slice(0, at).reduce((total, values) => total + values.length, 0);
      return results['d.flat'].slice(start, start + filled[at].length);
    },
  };
}

/** The largest difference relative to max(1, |expected|). */
export function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(off <= worst)) worst = off;
  }
  return worst;
}
