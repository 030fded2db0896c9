import { createHash } from 'node:crypto';
import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { ownBuffer } from '../../core/foundation/bytes.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import type { Parameter } from './network.ts';

/** All that a resumed run needs: parameters and optimiser state, flat in the order of declaration. */
export interface TrainState {
  /** Optimiser steps taken. */
  readonly step: number;
  readonly parameters: Float32Array;
  /** One vector beside the parameters each: Adam's moments, a momentum. */
  readonly slots: Readonly<Record<string, Float32Array>>;
  /** By which a training in float16 multiplies its loss. */
  readonly lossScale?: number;
}

const sizeOf = (parameter: Parameter): number =>
  parameter.shape.reduce((product, length) => product * length, 1);

export const parameterCount = (parameters: readonly Parameter[]): number =>
  parameters.reduce((total, parameter) => total + sizeOf(parameter), 0);

/** Every parameter drawn from its own stream, so that adding one leaves the others as they were. */
export function initialParameters(parameters: readonly Parameter[], seed: number): Float32Array {
  const flat = new Float32Array(parameterCount(parameters));
  let offset = 0;
  for (const { name, shape, initializer } of parameters) {
    const values = initializer(shape, createRandom(deriveSeed(seed, name)));
    flat.set(values, offset);
    offset += values.length;
  }
  return flat;
}

/** Each parameter's part of the flat vector, as views. */
export function parameterViews(
  parameters: readonly Parameter[],
  flat: Float32Array,
): ReadonlyMap<string, Float32Array> {
  let offset = 0;
  return new Map(
    parameters.map((parameter) => {
      const view = flat.subarray(offset, (offset += sizeOf(parameter)));
      return [parameter.name, view];
    }),
  );
}

/** SHA-256 of the parameters' bits: what "the same weights" means. */
export function weightHash(parameters: Float32Array): string {
  return createHash('sha256').update(bytesOf(parameters)).digest('hex');
}

const indexSchema = z.strictObject({
  format: z.literal('float32-le'),
  step: z.int().nonnegative(),
  parameters: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().nonnegative()) })),
  slots: z.array(z.string()),
  lossScale: z.number().positive().optional(),
  sha256: z.string(),
});
export type WeightIndex = z.infer<typeof indexSchema>;

/** A state as JSON and one blob: parameters, then each slot, little-endian float32. */
export function saveState(
  parameters: readonly Parameter[],
  state: TrainState,
): { readonly index: WeightIndex; readonly blob: Uint8Array } {
  const slots = Object.keys(state.slots);
  const vectors = [state.parameters, ...slots.map((slot) => state.slots[slot])];
  const blob = new Uint8Array(Buffer.concat(vectors.map(bytesOf)));
  const index = {
    format: 'float32-le' as const,
    step: state.step,
    parameters: parameters.map(({ name, shape }) => ({ name, shape: [...shape] })),
    slots,
    ...(state.lossScale !== undefined && { lossScale: state.lossScale }),
    sha256: createHash('sha256').update(blob).digest('hex'),
  };
  return { index, blob };
}

/** Reads what `saveState` made. Throws `UserError` when it is damaged or belongs to another architecture. */
export function loadState(parameters: readonly Parameter[], index: unknown, blob: Uint8Array): TrainState {
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) throw damaged(`its index is not valid: ${issueLines(parsed.error).join('; ')}`);
  const { step, slots, sha256, lossScale, parameters: stored } = parsed.data;
  const layout = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]): string[] =>
    list.map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  const [found, expected] = [layout(stored), layout(parameters)];
  const at = expected.findIndex((entry, i) => entry !== found[i]);
  if (at >= 0 || found.length !== expected.length)
    throw new UserError(
      `The checkpoint belongs to another architecture: expected "${expected[at] ?? 'no more parameters'}", ` +
        `found "${found[at < 0 ? expected.length : at] ?? 'nothing'}".`,
      { hint: 'Load it with the model and parameters it was trained with, or train again.' },
    );
  const count = parameterCount(parameters);
  if (blob.byteLength !== 4 * count * (1 + slots.length))
    throw damaged(`${blob.byteLength} bytes found, ${4 * count * (1 + slots.length)} expected`);
  if (createHash('sha256').update(blob).digest('hex') !== sha256)
    throw damaged('the bytes do not match their SHA-256');
  const all = new Float32Array(ownBuffer(blob));
  const vector = (k: number): Float32Array => all.slice(k * count, (k + 1) * count);
  return {
    step,
    parameters: vector(0),
    slots: Object.fromEntries(slots.map((slot, k) => [slot, vector(k + 1)])),
    ...(lossScale !== undefined && { lossScale }),
  };
}

const damaged = (what: string): UserError =>
  new UserError(`The checkpoint's weights are damaged: ${what}.`, {
    hint: 'Restore the file from a backup, or train again.',
  });

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
