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

it('a model that holds its weights is not, and bytes that are none are a sentence', () => {
  expect(() => refuseExternalData(bytes({ initializer: [inside] }))).not.toThrow();
  expect(() => refuseExternalData(Uint8Array.of(0xff, 0xff, 0xff))).toThrow('The ONNX model cannot be read');
});
