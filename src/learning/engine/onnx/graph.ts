import { createHash } from 'node:crypto';
import { invariant } from '../../../core/foundation/errors.ts';

export type ElementType = 'float32' | 'int32' | 'int64' | 'bool';
export type Shape = readonly number[];
export type Constant = Float32Array | Int32Array | BigInt64Array | Uint8Array;
export type Attribute = number | readonly number[] | string | { readonly float: number } | Body;

/** A graph inside a node. It also reads values of the graph around it, by name. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

export interface ScanOptions {
  /** Values before the first slice. */
  readonly initial: readonly Value[];
  /** [time, ...] each. */
  readonly sequences: readonly Value[];
  /** From the last slice to the first. */
  readonly reverse: boolean;
  readonly turn: (state: readonly Value[], slices: readonly Value[]) => Turn<Value>;
}
/** What one slice leaves behind: the state for the next one, and its part of each output. */
export interface Turn<T> {
  readonly state: readonly T[];
  readonly outputs: readonly T[];
}
export interface Scanned<T> {
  readonly final: readonly T[];
  /** [time, ...] each. */
  readonly outputs: readonly T[];
}

/** One value of a graph under construction. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  /** Known at build time to hold this number everywhere; no node exists for it until one is needed. */
  readonly fill?: number;
}

export interface Node {
  readonly op: string;
  /** Empty: the standard operator set. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  readonly data: Constant;
}

/** What `encodeModel` writes: nodes in order of execution, only those that the outputs need. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
}

export interface OutputSpec {
  readonly shape: Shape;
  readonly type: ElementType;
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

export interface GraphOptions {
  /** Only operators of the ONNX standard, so that any runtime loads the file. */
  readonly standardOnly?: boolean;
  /** To be run in double precision, whatever its tensors call themselves. */
  readonly float64?: boolean;
  /** That of its products; default float32. */
  readonly precision?: Precision;
  /** For a processor without products of that precision: it computes in single with numbers that are rounded to it. */
  readonly emulated?: boolean;
}

/** In what products are computed while networks train; sums, weights and the optimiser stay single. */
export type Precision = 'float32' | 'float16' | 'bfloat16';

/** Appends nodes; equal nodes are shared, and nodes that no output needs are dropped by `finish`. */
export class GraphBuilder {
  #nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #initializers = new Map<string, Initializer>();
  #made = new Map<string, readonly Value[]>();
  readonly #producers = new Map<string, Node>();
  readonly #values = new Map<string, Value>();
  #count = 0;
  /** Names inside a body count from zero, so that equal bodies have equal names. */
  #bodyCount: number | undefined;
  /** Only operators of the ONNX standard, so that any runtime loads the file. */
  readonly standardOnly: boolean;
  /** Products may be fused with what is around them: ONNX Runtime's own operators, in single precision. */
  readonly fuses: boolean;
  /** The graph will run in double precision, where some operators of ONNX Runtime are missing. */
  readonly float64: boolean;

  constructor({ standardOnly = false, float64 = false, precision = 'float32' }: GraphOptions = {}) {
    this.standardOnly = standardOnly;
    this.fuses = !standardOnly && !float64 && precision === 'float32';
    this.float64 = float64;
  }

  input(name: string, shape: Shape, type: ElementType): Value {
    const value = { name, shape, type };
    this.#inputs.push(value);
    this.#values.set(name, value);
    return value;
  }

  /** A node with one output. */
  node(
    op: string,
    inputs: readonly Value[],
    output: OutputSpec,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    return this.nodes(op, inputs, [output], attributes, domain)[0];
  }

  /** A node with one or more outputs. */
  nodes(
    op: string,
    inputs: readonly Value[],
    outputs: readonly OutputSpec[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): readonly Value[] {
    const names = inputs.map((value) => this.#materialise(value));
    const shapes = op === 'Reshape' || op === 'Expand' ? JSON.stringify(outputs) : outputs.length;
    const key = `${domain}:${op}(${names.join()})${JSON.stringify(attributes)}${shapes}`;
    const known = this.#made.get(key);
    if (known) return known;
    const values = outputs.map(({ shape, type }) => ({ name: this.#newName(), shape, type }));
    const node = { op, domain, inputs: names, outputs: values.map(({ name }) => name), attributes };
    this.#nodes.push(node);
    for (const value of values) {
      this.#producers.set(value.name, node);
      this.#values.set(value.name, value);
    }
    this.#made.set(key, values);
    return values;
  }

  /** ONNX's Scan: `turn` once for each slice of the sequences. What it needs of one slice stays in the cache. */
  scan({ initial, sequences, reverse, turn }: ScanOptions): Scanned<Value> {
    invariant(this.#bodyCount === undefined, 'one scan at a time');
    const [nodes, made] = [this.#nodes, this.#made];
    this.#nodes = [];
    this.#made = new Map(made);
    this.#bodyCount = 0;
    let body: Body;
    try {
      const given = ({ type }: Value, shape: Shape): Value => {
        const value = { name: this.#newName(), shape, type };
        this.#values.set(value.name, value);
        return value;
      };
      const state = initial.map((value) => given(value, value.shape));
      const slices = sequences.map((value) => given(value, value.shape.slice(1)));
      const next = turn(state, slices);
      // Each output has a name of its own, and none is an input.
      const taken = new Set([...state, ...slices].map(({ name }) => name));
      const outputs = [...next.state, ...next.outputs].map((value) => {
        const made = this.#materialise(value);
        const own = this.#nodes.some((node) => node.outputs.includes(made)) && !taken.has(made);
        const name = own ? made : this.#newName();
        if (!own)
          this.#nodes.push({ op: 'Identity', domain: '', inputs: [made], outputs: [name], attributes: {} });
        taken.add(name);
        return { name, shape: value.shape, type: value.type };
      });
      body = { inputs: [...state, ...slices], nodes: this.#nodes, outputs };
    } finally {
      for (const node of this.#nodes) for (const name of node.outputs) this.#producers.delete(name);
      [this.#nodes, this.#made, this.#bodyCount] = [nodes, made, undefined];
    }
    const time = sequences[0].shape[0];
    const states = initial.length;
    const specs = body.outputs.map(({ shape, type }, i) => ({
      shape: i < states ? shape : [time, ...shape],
      type,
    }));
    const direction = (count: number): number[] => Array.from({ length: count }, () => Number(reverse));
    const all = this.nodes('Scan', [...initial, ...sequences], specs, {
      body,
      num_scan_inputs: sequences.length,
      scan_input_directions: direction(sequences.length),
      scan_output_directions: direction(specs.length - states),
    });
    return { final: all.slice(0, states), outputs: all.slice(states) };
  }

  /** The node that makes `value`; `undefined` for inputs, constants and fills. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value.name);
  }

  /** The value of that name, where it is an input or comes from a node. */
  value(name: string): Value | undefined {
    return this.#values.get(name);
  }

  /** An array held in the model file. What holds one number throughout becomes a fill. */
  constant(data: Constant, shape: Shape, type: ElementType): Value {
    invariant(
      data.length === sizeOf(shape),
      `a constant of shape [${shape.join()}] has ${data.length} values`,
    );
    if (data.length > 0 && type !== 'int64') {
      const first = data[0];
      if (data.every((value: number | bigint) => Object.is(value, first)))
        return this.fill(Number(first), shape, type);
    }
    return this.#initializer(data, shape, type);
  }

  /** A value that is one number everywhere, written as a scalar when used. */
  fill(fill: number, shape: Shape, type: ElementType): Value {
    return { name: '', shape, type, fill };
  }

  scalar(value: number, type: ElementType): Value {
    return this.#initializer(toArray([value], type), [], type);
  }

  /** A one-dimensional int64 constant: axes, sizes, the shape of a Reshape. */
  indices(values: readonly number[]): Value {
    return this.#initializer(toArray(values, 'int64'), [values.length], 'int64');
  }

  finish(outputs: readonly { readonly name: string; readonly value: Value }[]): Graph {
    const taken = new Set(this.#inputs.map(({ name }) => name));
    const named = outputs.map(({ name, value }) => {
      const source = this.#materialise(value);
      invariant(!taken.has(name), `output "${name}" has a name of its own`);
      taken.add(name);
      // The output's name is its own, whatever inner value it shares.
      this.#nodes.push({ op: 'Identity', domain: '', inputs: [source], outputs: [name], attributes: {} });
      return { name, value: { name, shape: value.shape, type: value.type } };
    });
    const needed = new Set(named.map(({ name }) => name));
    const kept = neededNodes(this.#nodes, needed);
    return {
      inputs: this.#inputs,
      outputs: named,
      nodes: kept,
      initializers: [...this.#initializers.values()].filter(({ name }) => needed.has(name)),
    };
  }

  #newName(): string {
    return this.#bodyCount === undefined ? `v${this.#count++}` : `b${this.#bodyCount++}`;
  }

  #materialise(value: Value): string {
    if (value.fill === undefined) return value.name;
    if (sizeOf(value.shape) === 1)
      return this.#initializer(toArray([value.fill], value.type), value.shape, value.type).name;
    const scalar = this.scalar(value.fill, value.type);
    return this.node('Expand', [scalar, this.indices(value.shape)], value).name;
  }

  #initializer(data: Constant, shape: Shape, type: ElementType): Value {
    const key = `${type}[${shape.join()}]${keyOf(data)}`;
    const known = this.#initializers.get(key);
    if (known) return { name: known.name, shape, type };
    const name = `c${this.#count++}`;
    this.#initializers.set(key, { name, type, shape, data });
    return { name, shape, type };
  }
}

/** The nodes that make what is needed, in order; adds the names that they read to `needed`. */
function neededNodes(nodes: readonly Node[], needed: Set<string>): Node[] {
  const kept: Node[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (!nodes[i].outputs.some((name) => needed.has(name))) continue;
    const node = nodes[i].op === 'Scan' ? withNeededOutputs(nodes[i], needed) : nodes[i];
    node.inputs.forEach((name) => needed.add(name));
    kept.push(node);
  }
  return kept.reverse();
}

/** A Scan without the sequences that nothing reads. */
function withNeededOutputs(node: Node, needed: Set<string>): Node {
  const { body, num_scan_inputs: sequences } = node.attributes;
  invariant(typeof body === 'object' && 'nodes' in body, 'a Scan has a body');
  const states = node.inputs.length - Number(sequences);
  const places = node.outputs.flatMap((name, i) => (i < states || needed.has(name) ? [i] : []));
  const outputs = places.map((i) => body.outputs[i]);
  const inner = new Set(outputs.map(({ name }) => name));
  const nodes = neededNodes(body.nodes, inner);
  inner.forEach((name) => needed.add(name));
  const directions = node.attributes.scan_output_directions;
  return {
    ...node,
    outputs: places.map((i) => node.outputs[i]),
    attributes: {
      ...node.attributes,
      body: { ...body, nodes, outputs },
      scan_output_directions: Array.isArray(directions) ? directions.slice(0, places.length - states) : [],
    },
  };
}

/** The bits of an array: equal constants are one, whoever made them. */
function keyOf(data: Constant): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes.length <= 64 ? bytes.toString('latin1') : createHash('sha256').update(bytes).digest('base64');
}

export function toArray(values: ArrayLike<number>, type: ElementType): Constant {
  switch (type) {
    case 'float32':
      return Float32Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'bool':
      return Uint8Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, (value) => BigInt(value)));
  }
}
