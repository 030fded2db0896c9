import protobuf from 'protobufjs/light.js';
import type { Attribute, ElementType, Graph, Shape } from './graph.ts';
import { onnxSchema } from './schema.ts';

/** TensorProto.DataType of onnx.proto. */
const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,

  int32: 6,
  int64: 7,
  bool: 9,
};
/** AttributeProto.AttributeType of onnx.proto. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 };

/** Opset 18 with IR version 8 (ONNX 1.13, 2022): every runtime of the last years reads it. */
const IR_VERSION = 8;
const OPSET = 18;

const modelProto = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');

/** A graph as the bytes of a standard .onnx file. The same graph gives the same bytes. */
export function encodeModel(graph: Graph, name: string): Uint8Array {
  const contrib = graph.nodes.some(({ domain }) => domain === 'com.microsoft');
  return modelProto
    .encode({
      ir_version: IR_VERSION,
      producer_name: 'crypto-trader',
      opset_import: [
        { domain: '', version: OPSET },
        ...(contrib ? [{ domain: 'com.microsoft', version: 1 }] : []),
      ],
      graph: {
        name,
        node: graph.nodes.map(({ op, domain, inputs, outputs, attributes }) => ({
          op_type: op,
          ...(domain === '' ? {} : { domain }),
          input: inputs,
          output: outputs,
          attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
        })),
        initializer: graph.initializers.map(({ name, type, shape, data }) => ({
          name,
          data_type: DATA_TYPE[type],
          dims: shape,
          raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        })),
        input: graph.inputs.map(({ name, shape, type }) => valueInfo(name, shape, type)),
        output: graph.outputs.map(({ name, value }) => valueInfo(name, value.shape, value.type)),
      },
    })
    .finish();
}

function attribute(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === 'string')
    return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
}

function valueInfo(name: string, shape: Shape, type: ElementType): object {
  const dim = shape.map((size) => ({ dim_value: size }));
  return { name, type: { tensor_type: { elem_type: DATA_TYPE[type], shape: { dim } } } };
}
