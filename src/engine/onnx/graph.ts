import { createHash } from 'node:crypto';
import { invariant } from '../../foundation/errors.ts';

export type ElementType = 'float32' | 'int32' | 'int64' | 'bool';
export type Shape = readonly number[];
export type Constant = Float32Array | Int32Array | BigInt64Array | Uint8Array;
export type Attribute = number | readonly number[] | string | { readonly float: number };

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
}

/** Appends nodes; equal nodes are shared, and nodes that no output needs are dropped by `finish`. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #made = new Map<string, readonly Value[]>();
  readonly #producers = new Map<string, Node>();
  readonly #values = new Map<string, Value>();
  #count = 0;
  /** Only operators of the ONNX standard, so that any runtime loads the file. */
  readonly standardOnly: boolean;
  /** Products may be fused with what is around them: ONNX Runtime's own operators, in single precision. */
  readonly fuses: boolean;
  /** The graph will run in double precision, where some operators of ONNX Runtime are missing. */
  readonly float64: boolean;

  constructor({ standardOnly = false, float64 = false }: GraphOptions = {}) {
    this.standardOnly = standardOnly;
    this.fuses = !standardOnly && !float64;
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
    const values = outputs.map(({ shape, type }) => ({ name: `v${this.#count++}`, shape, type }));
    const node = { op, domain, inputs: names, outputs: values.map(({ name }) => name), attributes };
    this.#nodes.push(node);
    for (const value of values) {
      this.#producers.set(value.name, node);
      this.#values.set(value.name, value);
    }
    this.#made.set(key, values);
    return values;
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
    const kept: Node[] = [];
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i];
      if (!node.outputs.some((name) => needed.has(name))) continue;
      node.inputs.forEach((name) => needed.add(name));
      kept.push(node);
    }
    return {
      inputs: this.#inputs,
      outputs: named,
      nodes: kept.reverse(),
      initializers: [...this.#initializers.values()].filter(({ name }) => needed.has(name)),
    };
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
