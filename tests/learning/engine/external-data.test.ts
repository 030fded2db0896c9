import protobuf from 'protobufjs/light.js';
import { expect, it } from 'vitest';
import { refuseExternalData } from '../../../src/learning/engine/onnx/external-data.ts';
import { onnxSchema } from '../../../src/learning/engine/onnx/schema.ts';

const model = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');
const bytes = (graph: object, more: object = {}): Uint8Array =>
  model.encode({ ir_version: 8, graph: { name: 'g', ...graph }, ...more }).finish();

const inside = { name: 'w', data_type: 1, dims: [2], raw_data: new Uint8Array(8) };
const outside = {
  name: 'w',
  data_type: 1,
  dims: [2],
  data_location: 1,
  external_data: [{ key: 'location', value: '../../../etc/passwd' }],
};
const node = (attribute: object) => ({ op_type: 'If', attribute: [{ name: 'a', ...attribute }] });

it.each([
  ['an initializer', bytes({ initializer: [inside, outside] })],
  ['one whose location is not said', bytes({ initializer: [{ ...outside, data_location: 0 }] })],
  ['one that only says it lies elsewhere', bytes({ initializer: [{ ...inside, data_location: 1 }] })],
  ['a sparse one', bytes({ sparse_initializer: [{ values: outside, indices: inside, dims: [2] }] })],
  ['an attribute', bytes({ node: [node({ t: outside, type: 4 })] })],
  ['a sub-graph', bytes({ node: [node({ g: { name: 'h', initializer: [outside] }, type: 5 })] })],
  ['a function', bytes({}, { functions: [{ name: 'f', node: [node({ t: outside, type: 4 })] }] })],
])('%s that lies in another file is refused', (_, onnx) => {
  expect(() => refuseExternalData(onnx)).toThrow('keeps weights in another file');
});

/** Every way from a model down to a tensor, through each kind of message once. */
function waysToTensors(
  type: protobuf.Type,
  seen: readonly string[] = [],
): readonly (readonly protobuf.Field[])[] {
  if (type.name === 'TensorProto') return [[]];
  return type.fieldsArray.flatMap((field) => {
    const { resolvedType: inner } = field.resolve();
    if (!(inner instanceof protobuf.Type) || seen.includes(inner.name)) return [];
    return waysToTensors(inner, [...seen, inner.name]).map((way) => [field, ...way]);
  });
}

const ways = waysToTensors(model);

it('a model has dozens of places for tensors', () => expect(ways.length).toBeGreaterThan(40));

it.each(ways.map((way) => [way.map(({ name }) => name).join('.'), way] as const))(
  'a tensor at %s may not lie in another file',
  (_, way) => {
    const holding = (tensor: object): Uint8Array =>
      model
        .encode(
          way.reduceRight<object>(
            (inner, { name, repeated }) => ({ [name]: repeated ? [inner] : inner }),
            tensor,
          ),
        )
        .finish();
    expect(() => refuseExternalData(holding(inside))).not.toThrow();
    expect(() => refuseExternalData(holding(outside))).toThrow('keeps weights in another file');
    expect(() => refuseExternalData(holding({ ...inside, data_location: 1 }))).toThrow('in another file');
  },
);

it('a second graph in the same bytes is looked at as well, and a location that is written at length', () => {
  const [first, second] = [bytes({ initializer: [inside] }), bytes({ initializer: [outside] })];
  expect(() => refuseExternalData(Buffer.concat([first, second]))).toThrow('in another file');
  // Field 5 of the graph, a tensor of two bytes and ten; field 14, the number 1 + 2 ** 32 by protobuf's rules.
  const long = [14 << 3, 0x81, 0x80, 0x80, 0x80, 0x10];
  const graph = [(5 << 3) | 2, long.length, ...long];
  expect(() => refuseExternalData(Uint8Array.of((7 << 3) | 2, graph.length, ...graph))).toThrow(
    'in another file',
  );
});

it.each([
  ['cut short', bytes({ initializer: [inside] }).subarray(0, -1)],
  ['in groups, which no model has', Uint8Array.of((7 << 3) | 3, (7 << 3) | 4)],
  ['with a number that never ends', new Uint8Array(40).fill(0x80)],
])('bytes that are %s are a sentence', (_, damaged) => {
  expect(() => refuseExternalData(damaged)).toThrow('The ONNX model cannot be read');
});

it('a model that holds its weights is not, and bytes that are none are a sentence', () => {
  expect(() => refuseExternalData(bytes({ initializer: [inside] }))).not.toThrow();
  expect(() => refuseExternalData(Uint8Array.of(0xff, 0xff, 0xff))).toThrow('The ONNX model cannot be read');
});
