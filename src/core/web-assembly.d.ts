/** The part of the WebAssembly JavaScript interface that compiled kernels use; Node's type declarations have none of it. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  /** One that is shared between threads has a maximum and a shared buffer. */
  class Memory<Buffer extends ArrayBufferLike = SharedArrayBuffer> {
    constructor(descriptor: { initial: number; maximum?: number; shared?: true });
    readonly buffer: Buffer;
    grow(pages: number): number;
  }
  class Table {
    grow(by: number): number;
    set(index: number, value: unknown): void;
  }
  class Instance<Exports> {
    constructor(module: Module, imports: { env: Readonly<Record<string, unknown>> });
    readonly exports: Exports;
  }
}
