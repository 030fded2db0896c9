/** A compiled file of kernels/ at work: its functions, and the one memory that they work on. */
export type Kernel<Functions> = Functions & {
  readonly memory: WebAssembly.Memory;
  /**
   * Room for `bytes` zeros (or what lay there before a `reset`), aligned to vectors; its address. Whoever allocates in
   * the same order on the same memory gets the same addresses: that is how a second thread finds its way.
   */
  allocate(bytes: number): number;
  /** Forgets what was allocated. */
  reset(): void;
};

const PAGE_BYTES = 65_536;
/** 1 GiB, what scripts/kernels.ts compiles for. */
const MAX_PAGES = 16_384;
/** The kernel's own constants lie below. */
const FIRST_FREE = 4096;

/**
 * Starts kernels of `code` (WebAssembly in base64), each with a memory of its own, or on the memory of one that another
 * thread made. Views of the memory stay valid when it grows.
 */
export function defineKernel<Functions>(code: string): (memory?: WebAssembly.Memory) => Kernel<Functions> {
  let compiled: WebAssembly.Module | undefined;
  return (memory = newMemory()) => {
    compiled ??= new WebAssembly.Module(Buffer.from(code, 'base64'));
    const instance = new WebAssembly.Instance<Functions>(compiled, { env: { memory } });
    let end = FIRST_FREE;
    return {
      ...instance.exports,
      memory,
      allocate(bytes) {
        const at = end;
        end += 16 * Math.ceil(bytes / 16);
        const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
        if (missing > 0) memory.grow(missing);
        return at;
      },
      reset() {
        end = FIRST_FREE;
      },
    };
  };
}

const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared: true });
