import { z } from 'zod';
import { ownBuffer } from '../../../core/foundation/bytes.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Artifact } from '../../../core/forecast/model.ts';

const BLOB = 'state.bin';
const Place = z.tuple([z.int().min(0), z.int().min(0)]);

/** A value as JSON; numbers as text or in the blob, because JSON has no NaN, no infinity and no -0. */
const Packed = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('undefined') }),
  z.strictObject({ kind: z.literal('number'), text: z.string() }),
  z.strictObject({ kind: z.enum(['numbers', 'float32', 'float64']), place: Place }),
  z.strictObject({
    kind: z.literal('list'),
    get values() {
      return z.array(Packed);
    },
  }),
  z.strictObject({
    kind: z.literal('object'),
    get entries() {
      return z.record(z.string(), Packed);
    },
  }),
]);
type Packed = z.output<typeof Packed>;

/** A learner's state of numbers, lists, typed arrays and plain objects as data that comes back bit for bit. */
export function packState(state: unknown): Artifact {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const store = (values: Float32Array | Float64Array): [number, number] => {
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    bytes += values.byteLength;
    return [bytes - values.byteLength, values.byteLength];
  };
  const pack = (value: unknown): Packed => {
    if (value === undefined) return { kind: 'undefined' };
    if (typeof value === 'number')
      return { kind: 'number', text: Object.is(value, -0) ? '-0' : String(value) };
    if (value instanceof Float32Array) return { kind: 'float32', place: store(value) };
    if (value instanceof Float64Array) return { kind: 'float64', place: store(value) };
    if (Array.isArray(value)) {
      const numbers = z.array(z.custom<number>((one) => typeof one === 'number')).safeParse(value);
      if (numbers.success) return { kind: 'numbers', place: store(Float64Array.from(numbers.data)) };
      return { kind: 'list', values: value.map(pack) };
    }
    const entries = Object.entries(z.record(z.string(), z.unknown()).parse(value));
    return { kind: 'object', entries: Object.fromEntries(entries.map(([key, one]) => [key, pack(one)])) };
  };
  const json = pack(state);
  return { json, blobs: { [BLOB]: new Uint8Array(Buffer.concat(parts)) } };
}

/** What `packState` was given, which must look like `sample`. Throws `UserError` when it does not. */
export function unpackState<State>({ json, blobs }: Artifact, sample: State): State {
  const blob = blobs[BLOB] ?? new Uint8Array();
  const bytesAt = ([from, length]: [number, number]): ArrayBuffer =>
    ownBuffer(blob.subarray(from, from + length));
  const unpack = (packed: Packed): unknown => {
    switch (packed.kind) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(packed.text);
      case 'numbers':
        return Array.from(new Float64Array(bytesAt(packed.place)));
      case 'float32':
        return new Float32Array(bytesAt(packed.place));
      case 'float64':
        return new Float64Array(bytesAt(packed.place));
      case 'list':
        return packed.values.map(unpack);
      case 'object':
        return Object.fromEntries(Object.entries(packed.entries).map(([key, one]) => [key, unpack(one)]));
    }
  };
  const parsed = Packed.safeParse(json);
  const state = parsed.success ? unpack(parsed.data) : undefined;
  if (isLike(state, sample)) return state;
  throw new UserError('The snapshot of the agent does not fit this version of the program.', {
    hint: 'Delete it; the training of the agent then starts again.',
  });
}

/** Whether `value` has the keys and kinds of `sample`. What the sample does not know yet may be anything. */
function isLike<T>(value: unknown, sample: T): value is T {
  if (sample === undefined) return true;
  if (typeof sample !== 'object' || sample === null) return typeof value === typeof sample;
  if (typeof value !== 'object' || value === null) return false;
  if (Object.getPrototypeOf(value) !== Object.getPrototypeOf(sample)) return false;
  if (Array.isArray(sample) || ArrayBuffer.isView(sample)) return true;
  const found = new Map<string, unknown>(Object.entries(value));
  return Object.entries(sample).every(
    ([key, one]: [string, unknown]) => found.has(key) && isLike(found.get(key), one),
  );
}
