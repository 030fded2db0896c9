import { createRequire } from 'node:module';
import type protobuf from 'protobufjs/light.js';
import type { Attribute, ElementType, Graph, Node, Value } from './graph.ts';
import { onnxSchema } from './schema.ts';

/** TensorProto.DataType of onnx.proto. */
const DATA_TYPE: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };
const DOUBLE = 11;
/** AttributeProto.AttributeType of onnx.proto. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 };

/** Opset 18 with IR version 8 (ONNX 1.13, 2022): every runtime of the last years reads it. */
const IR_VERSION = 8;
const OPSET = 18;

const load = createRequire(import.meta.url);
let loaded: protobuf.Type | undefined;

/** Loaded with the first model: many commands know of networks, few open one. */
function modelProto(): protobuf.Type {
  const { Root } = load('protobufjs/light.js') as typeof protobuf;
  return (loaded ??= Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto'));
}

/**
 * A graph as the bytes of a standard .onnx file. The same graph gives the same bytes. `float64` writes every
 * float32 as a double: for checks that single precision is too coarse for.
 */
export function encodeModel(
  graph: Graph,
  name: string,
  { float64 = false }: { readonly float64?: boolean } = {},
): Uint8Array {
  const typeOf = (type: ElementType): number => (float64 && type === 'float32' ? DOUBLE : DATA_TYPE[type]);
  const valueInfo = ({ name, shape, type }: Omit<Value, 'fill'>): object => ({
    name,
    type: {
      tensor_type: { elem_type: typeOf(type), shape: { dim: shape.map((dim_value) => ({ dim_value })) } },
    },
  });
  const nodeOf = ({ op, domain, inputs, outputs, attributes }: Node): object => ({
    op_type: op,
    ...(domain === '' ? {} : { domain }),
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([key, value]) =>
      attribute(key, op === 'Cast' && float64 && value === DATA_TYPE.float32 ? DOUBLE : value),
    ),
  });
  const attribute = (name: string, value: Attribute): object => {
    if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
    if (typeof value === 'string')
      return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
    if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
    if ('nodes' in value) {
      const [input, output] = [value.inputs.map(valueInfo), value.outputs.map(valueInfo)];
      return { name, type: ATTRIBUTE_TYPE.graph, g: { name, node: value.nodes.map(nodeOf), input, output } };
    }
    return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
  };
  const contrib = usesContrib(graph.nodes);
  return modelProto()
    .encode({
      ir_version: IR_VERSION,
      producer_name: 'crypto-trader',
      opset_import: [
        { domain: '', version: OPSET },
        ...(contrib ? [{ domain: 'com.microsoft', version: 1 }] : []),
      ],
      graph: {
        name,
        node: graph.nodes.map(nodeOf),
        initializer: graph.initializers.map(({ name, type, shape, data }) => ({
          name,
          data_type: typeOf(type),
          dims: shape,
          raw_data: bytesOf(float64 && data instanceof Float32Array ? Float64Array.from(data) : data),
        })),
        input: graph.inputs.map(valueInfo),
        output: graph.outputs.map(({ name, value }) => valueInfo({ ...value, name })),
      },
    })
    .finish();
}

/** What a .onnx file holds, field by field, as protobuf names them. Throws where it is no model. */
export const decodeModel = (model: Uint8Array): unknown => modelProto().decode(model);

const usesContrib = (nodes: readonly Node[]): boolean =>
  nodes.some(
    ({ domain, attributes: { body } }) =>
      domain === 'com.microsoft' || (typeof body === 'object' && 'nodes' in body && usesContrib(body.nodes)),
  );

const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
