import { defineKernel } from '../wasm/kernel.ts';
import { KERNEL_CODE } from './kernel-code.ts';

/** The arithmetic of small networks (kernels/mlp.ts) over one memory that threads can share. */
export interface Kernel extends KernelFunctions {
  readonly memory: WebAssembly.Memory;
  /** `count` zeros, aligned to vectors. */
  allocate(count: number): Block;
}

/** Numbers in the kernel's memory: where, in bytes, and as a view. */
export interface Block {
  readonly at: number;
  readonly values: Float32Array;
}

/** See kernels/mlp.ts; pointers in bytes, sizes in numbers. */
interface KernelFunctions {
  multiply(
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    bias: number,
    c: number,
    rows: number,
    depth: number,
    columns: number,
  ): void;
  transpose(a: number, b: number, rows: number, columns: number, bColumns: number): void;
  sumColumns(x: number, into: number, rows: number, columns: number): void;
  readonly tanhForward: (x: number, count: number) => void;
  readonly tanhBackward: (y: number, delta: number, count: number) => void;
  readonly reluForward: (x: number, count: number) => void;
  readonly reluBackward: (y: number, delta: number, count: number) => void;
  sumSquares(x: number, count: number): number;
  adam(
    p: number,
    m: number,
    v: number,
    gradient: number,
    count: number,
    scale: number,
    beta1: number,
    beta2: number,
    rate: number,
    floor: number,
  ): void;
}

const start = defineKernel<KernelFunctions>(KERNEL_CODE);

/** A kernel with a memory of its own, or on the memory of one that another thread made. */
export function createKernel(memory?: WebAssembly.Memory): Kernel {
  const kernel = start(memory);
  return {
    ...kernel,
    allocate(count) {
      const at = kernel.allocate(4 * count);
      return { at, values: new Float32Array(kernel.memory.buffer, at, count) };
    },
  };
}
