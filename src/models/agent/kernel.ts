import { KERNEL_CODE } from './kernel-code.ts';

/**
 * The arithmetic of small networks (kernels/mlp.ts) over one memory that threads can share. Whoever allocates in the
 * same order on the same memory gets the same addresses: that is how a second thread finds its way.
 */
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

const PAGE_BYTES = 65_536;
const MAX_PAGES = 16_384;
/** The kernel's own constants lie below. */
const FIRST_FREE = 4096;

let compiled: WebAssembly.Module | undefined;

/** A kernel with a memory of its own, or on the memory of one that another thread made. */
export function createKernel(memory = newMemory()): Kernel {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNEL_CODE, 'base64'));
  const instance = new WebAssembly.Instance<KernelFunctions>(compiled, { env: { memory } });
  let end = FIRST_FREE;
  return {
    ...instance.exports,
    memory,
    allocate(count) {
      const at = end;
      end += 16 * Math.ceil(count / 4);
      const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
      if (missing > 0) memory.grow(missing);
      return { at, values: new Float32Array(memory.buffer, at, count) };
    },
  };
}

const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared: true });
