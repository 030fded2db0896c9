import type { Body, Graph, Node, Precision } from './graph.ts';

/** TensorProto.DataType of onnx.proto. */
const SINGLE = 1;
const HALF: Readonly<Record<Exclude<Precision, 'float32'>, number>> = { float16: 10, bfloat16: 16 };
const PRODUCTS = new Set(['Gemm', 'MatMul']);

/**
 * The graph with its products in half precision: what goes in is cast down, what comes out is cast up again (Micikevicius et al.
 * 2018, Mixed Precision Training). Every other node stays as it is. `emulated`: for a processor.
 */
export function inHalf(
  graph: Graph,
  precision: Exclude<Precision, 'float32'>,
  { emulated = false }: { readonly emulated?: boolean } = {},
): Graph {
  const type = HALF[precision];
  /** ONNX Runtime takes a cast down and up again out, rounding and all, unless something stands between. */
  const down = (name: string, low: string): Node[] =>
    emulated ? [cast(name, `${low}.cast`, type), identity(`${low}.cast`, low)] : [cast(name, low, type)];
  const up = (half: string, name: string): Node[] =>
    emulated
      ? [identity(half, `${half}.kept`), cast(`${half}.kept`, name, SINGLE)]
      : [cast(half, name, SINGLE)];

  /** `lowOf`: the cast name of what these nodes read from outside, if it is not for them to cast. `scope` keeps names of bodies apart. */
  const halved = (
    nodes: readonly Node[],
    scope: string,
    lowOf: (name: string) => string | undefined,
  ): readonly Node[] => {
    const made: Node[] = [];
    const known = new Map<string, string>();
    const low = (name: string): string => {
      const seen = known.get(name) ?? lowOf(name);
      if (seen !== undefined) return seen;
      const mine = `${name}.low${scope}`;
      known.set(name, mine);
      made.push(...down(name, mine));
      return mine;
    };
    for (const node of nodes) {
      if (PRODUCTS.has(node.op)) {
        const [output] = node.outputs;
        const half = `${output}.half${scope}`;
        made.push({ ...node, inputs: node.inputs.map(low), outputs: [half] }, ...up(half, output));
      } else {
        const { body } = node.attributes;
        made.push(
          isBody(body)
            ? { ...node, attributes: { ...node.attributes, body: within(body, scope, low) } }
            : node,
        );
      }
    }
    return made;
  };
  /** What a body only reads is cast once around it, and not at every turn. */
  const within = (body: Body, scope: string, outside: (name: string) => string): Body => {
    const own = new Set([
      ...body.inputs.map(({ name }) => name),
      ...body.nodes.flatMap(({ outputs }) => outputs),
    ]);
    return {
      ...body,
      nodes: halved(body.nodes, `${scope}.body`, (name) => (own.has(name) ? undefined : outside(name))),
    };
  };
  return { ...graph, nodes: halved(graph.nodes, '', () => undefined) };
}

const cast = (from: string, to: string, type: number): Node => ({
  op: 'Cast',
  domain: '',
  inputs: [from],
  outputs: [to],
  attributes: { to: type },
});

const identity = (from: string, to: string): Node => ({
  op: 'Identity',
  domain: '',
  inputs: [from],
  outputs: [to],
  attributes: {},
});

const isBody = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && 'nodes' in value;
