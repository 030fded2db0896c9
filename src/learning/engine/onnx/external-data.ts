import { UserError } from '../../../core/foundation/errors.ts';
import { decodeModel } from './encode.ts';
import { onnxSchema } from './schema.ts';

/**
 * Throws `UserError` when a model keeps weights in other files: ONNX Runtime would read whatever path the model names.
 * Looks at every tensor wherever it stands: initializers, attributes, sub-graphs, functions. Walks through the bytes, as
 * every forecast of a stored network begins with this: decoding them takes as long as opening the network.
 */
export function refuseExternalData(model: Uint8Array): void {
  const open: Message[] = [{ type: 'ModelProto', from: 0, to: model.length }];
  for (let message = open.pop(); message !== undefined; message = open.pop()) {
    const { type } = message;
    const inside = MESSAGES.get(type);
    for (const { id, value, from, to } of fieldsOf(model, message)) {
      const isElsewhere = id === external_data.id || (id === data_location.id && value === EXTERNAL);
      if (type === 'TensorProto' && isElsewhere) {
        throw new UserError('The ONNX model keeps weights in another file, which is not read.', {
          hint: 'Use a model that holds its weights itself; those that this program trains do.',
        });
      }
      const part = inside?.get(id);
      if (part !== undefined && value === undefined) open.push({ type: part, from, to });
    }
  }
}

/** The bytes of a message. */
interface Message {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

const types: Readonly<Record<string, object>> = onnxSchema.nested.onnx.nested;
const { external_data, data_location } = onnxSchema.nested.onnx.nested.TensorProto.fields;

/** Which fields of a message are messages themselves, by number. */
const MESSAGES: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map(
  Object.entries(types).map(([name, { fields = {} }]: [string, Fields]) => [
    name,
    new Map(Object.values(fields).flatMap(({ id, type }) => (type in types ? [[id, type] as const] : []))),
  ]),
);

interface Fields {
  readonly fields?: Readonly<Record<string, { readonly id: number; readonly type: string }>>;
}

/** A field: a number, of which the low 32 bits are told, or bytes. */
interface Field {
  readonly id: number;
  readonly value?: number;
  readonly from: number;
  readonly to: number;
}

/** The fields of a message as protobuf writes them. Throws `UserError` where it would not write this. */
function* fieldsOf(bytes: Uint8Array, { from, to }: Message): Generator<Field, void> {
  let at = from;
  const pass = (length: number): void => {
    at += length;
    if (at > to) throw unreadable('it ends in the middle of a field');
  };
  const number = (mostBytes: number): number => {
    let value = 0;
    for (let i = 0; i < mostBytes; i++) {
      pass(1);
      const byte = bytes[at - 1];
      if (i < 5) value |= (byte & 127) << (7 * i);
      if (byte < 128) return value >>> 0;
    }
    throw unreadable('a number is too long');
  };
  while (at < to) {
    const tag = number(5);
    const id = tag >>> 3;
    const start = at;
    switch (tag & 7) {
      case 0:
        yield { id, value: number(10), from: start, to: at };
        break;
      case 1:
        pass(8);
        break;
      case 2: {
        const length = number(5);
        pass(length);
        yield { id, from: at - length, to: at };
        break;
      }
      case 5:
        pass(4);
        break;
      default:
        throw unreadable('a field is of no kind that models have');
    }
  }
}

/** The operators of a model's graph, those of its sub-graphs and functions left out. */
export function operatorsOf(model: Uint8Array): ReadonlySet<string> {
  const { graph }: { readonly graph?: { readonly node?: readonly { readonly op_type?: string }[] } } =
    decoded(model) as object;
  return new Set(graph?.node?.map(({ op_type: op = '' }) => op));
}

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

function decoded(model: Uint8Array): unknown {
  try {
    return decodeModel(model);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : 'damaged');
  }
}

const unreadable = (why: string): UserError =>
  new UserError(`The ONNX model cannot be read: ${why}.`, {
    hint: 'Restore the file from a backup, or train again.',
  });
