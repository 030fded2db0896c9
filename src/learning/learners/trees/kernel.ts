import { defineKernel } from '../wasm/kernel.ts';
import { KERNEL_CODE } from './kernel-code.ts';

/** See kernels/trees.ts; addresses in bytes, counts in elements. */
interface TreeFunctions {
  addLeaves(trees: number, count: number, cells: number, rows: number, sums: number): void;
  gather(values: number, packed: number, rows: number, count: number): void;
  accumulate(histogram: number, column: number, rows: number, values: number, count: number): void;
  accumulateFour(
    h0: number,
    h1: number,
    h2: number,
    h3: number,
    c0: number,
    c1: number,
    c2: number,
    c3: number,
    rows: number,
    values: number,
    count: number,
  ): void;
  subtract(a: number, b: number, count: number): void;
  partition(rows: number, count: number, column: number, left: number, spare: number): number;
}

const start = defineKernel<TreeFunctions>(KERNEL_CODE);

/** Numbers in the kernel's memory: where, in bytes, and as a view. */
export interface Block<Values> {
  readonly at: number;
  readonly values: Values;
}

export type TreeKernel = ReturnType<typeof createTreeKernel>;

/** The inner loops of trees (kernels/trees.ts) with a memory of their own. */
export function createTreeKernel() {
  const kernel = start();
  const block = <Values>(
    of: new (buffer: SharedArrayBuffer, at: number, length: number) => Values,
    bytes: number,
    count: number,
  ): Block<Values> => {
    const at = kernel.allocate(bytes * count);
    return { at, values: new of(kernel.memory.buffer, at, count) };
  };
  return {
    ...kernel,
    bytes: (count: number) => block(Uint8Array<SharedArrayBuffer>, 1, count),
    int32: (count: number) => block(Int32Array<SharedArrayBuffer>, 4, count),
    float32: (count: number) => block(Float32Array<SharedArrayBuffer>, 4, count),
    float64: (count: number) => block(Float64Array<SharedArrayBuffer>, 8, count),
  };
}
