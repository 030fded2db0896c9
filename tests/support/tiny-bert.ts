import protobuf from 'protobufjs/light.js';
import { onnxSchema } from '../../src/learning/engine/onnx/schema.ts';

/** Small enough to be made in a test, and in every part a BERT as transformers exports it: both axes free, int64 in, logits out. */
export const TINY_BERT = { hidden: 8, heads: 2, layers: 2, inner: 16, positions: 32, labels: 3 } as const;

export const TINY_VOCABULARY = [
  ...[
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    'profit',
    'loss',
    'rose',
    'fell',
    'sharp',
    '##ly',
    'bit',
    '##co',
  ],
  ...['##in', 'the', 'of', 'a', '.', '!', 'prices', 'no', 'one', 'knows', 'why'],
];

/** `0.8 sin(1 + 12.9898 k + 78.233 t)` at place k of tensor t, in the order in which they are declared; norms add 1. */
export function tinyBert({
  quantised = false,
  external = false,
  sizes = TINY_BERT,
  words: pieces = TINY_VOCABULARY.length,
}: {
  readonly quantised?: boolean;
  readonly external?: boolean;
  readonly sizes?: Readonly<Record<keyof typeof TINY_BERT, number>>;
  readonly words?: number;
} = {}): Uint8Array {
  const { hidden, heads, layers, inner, positions, labels } = sizes;
  const size = hidden / heads;
  const initializers: object[] = [];
  const nodes: object[] = [];
  let tensors = 0;
  const constant = (name: string, type: number, dims: readonly number[], data: ArrayBufferView): string => {
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    initializers.push({ name, data_type: type, dims, raw_data });
    return name;
  };
  const weight = (name: string, dims: readonly number[], around = 0): string => {
    const phase = 78.233 * tensors++;
    const values = Float32Array.from(
      { length: dims.reduce((a, b) => a * b, 1) },
      (_, k) => around + 0.8 * Math.sin(1 + 12.9898 * k + phase),
    );
    return constant(name, 1, dims, values);
  };
  const ints = (name: string, ...values: number[]): string =>
    constant(name, 7, [values.length], BigInt64Array.from(values, BigInt));
  const float = (name: string, value: number): string => constant(name, 1, [], Float32Array.of(value));
  const node = (op_type: string, input: readonly string[], attribute: readonly object[] = []): string => {
    const output = `v${nodes.length}`;
    nodes.push({ op_type, input, output: [output], attribute });
    return output;
  };
  const int = (name: string, i: number): object => ({ name, type: 2, i });
  const list = (name: string, ...values: number[]): object => ({ name, type: 7, ints: values });
  const [one, zero, two] = [ints('one', 1), ints('zero', 0), ints('two', 2)];
  const norm = (x: string, name: string): string =>
    node(
      'LayerNormalization',
      [x, weight(`${name}.weight`, [hidden], 1), weight(`${name}.bias`, [hidden])],
      [int('axis', -1), { name: 'epsilon', type: 1, f: 1e-12 }],
    );
  const dense = (x: string, name: string, from: number, to: number): string =>
    node('Add', [node('MatMul', [x, weight(`${name}.weight`, [from, to])]), weight(`${name}.bias`, [to])]);

  const time = node('Slice', [node('Shape', ['input_ids']), one, two, zero]);
  const words = node('Gather', [weight('word', [pieces, hidden]), 'input_ids']);
  const places = node('Slice', [weight('position', [positions, hidden]), zero, time, zero]);
  const types = node('Gather', [weight('type', [2, hidden]), 'token_type_ids']);
  let x = norm(node('Add', [node('Add', [words, places]), types]), 'embeddings');
  const seen = node('Unsqueeze', [node('Cast', ['attention_mask'], [int('to', 1)]), ints('axes', 1, 2)]);
  const mask = node('Mul', [node('Sub', [float('whole', 1), seen]), float('far', -10_000)]);
  const split = ints('split', 0, 0, heads, size);
  const joined = ints('joined', 0, 0, hidden);
  const half = float('half', 0.5);
  const [unit, root2, scale] = [
    float('unit', 1),
    float('root2', Math.SQRT2),
    float('scale', Math.sqrt(size)),
  ];
  for (let layer = 0; layer < layers; layer++) {
    const part = (name: string): string => `layer.${layer}.${name}`;
    const own = (name: string, ...perm: number[]): string =>
      node(
        'Transpose',
        [node('Reshape', [dense(x, part(name), hidden, hidden), split])],
        [list('perm', ...perm)],
      );
    const [query, key, value] = [own('query', 0, 2, 1, 3), own('key', 0, 2, 3, 1), own('value', 0, 2, 1, 3)];
    const scores = node('Add', [node('Div', [node('MatMul', [query, key]), scale]), mask]);
    const heard = node('MatMul', [node('Softmax', [scores], [int('axis', -1)]), value]);
    const together = node('Reshape', [node('Transpose', [heard], [list('perm', 0, 2, 1, 3)]), joined]);
    x = norm(node('Add', [dense(together, part('output'), hidden, hidden), x]), part('norm'));
    const wide = dense(x, part('wide'), hidden, inner);
    const gate = node('Add', [node('Erf', [node('Div', [wide, root2])]), unit]);
    const gelu = node('Mul', [node('Mul', [wide, half]), gate]);
    x = norm(node('Add', [dense(gelu, part('narrow'), inner, hidden), x]), part('end'));
  }
  const first = node('Gather', [x, constant('first', 7, [], BigInt64Array.of(0n))], [int('axis', 1)]);
  const pooled = node('Tanh', [dense(first, 'pooler', hidden, hidden)]);
  const logits = dense(pooled, 'classifier', hidden, labels);
  nodes.push({ op_type: 'Identity', input: [logits], output: ['logits'] });
  if (quantised) nodes.push({ op_type: 'DynamicQuantizeLinear', input: [pooled], output: ['q', 'qs', 'qz'] });
  if (external)
    Object.assign(initializers[0], {
      data_location: 1,
      external_data: [{ key: 'location', value: '/etc/passwd' }],
    });
  const info = (name: string, elem_type: number, last: object): object => ({
    name,
    type: { tensor_type: { elem_type, shape: { dim: [{ dim_param: 'batch' }, last] } } },
  });
  return model
    .encode({
      ir_version: 8,
      opset_import: [{ domain: '', version: 18 }],
      graph: {
        name: 'tiny-bert',
        node: nodes,
        initializer: initializers,
        input: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
          info(name, 7, { dim_param: 'time' }),
        ),
        output: [
          info('logits', 1, { dim_value: labels }),
          ...(quantised ? [info('q', 2, { dim_value: hidden })] : []),
        ],
      },
    })
    .finish();
}

const model = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');
