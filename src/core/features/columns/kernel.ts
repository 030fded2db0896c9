import { fromBase64 } from '../../foundation/base64.ts';
import { invariant } from '../../foundation/errors.ts';
import { KERNEL_CODE } from './kernel-code.ts';

interface Exports {
  readonly table: WebAssembly.Table;
  readonly compute: Kernel['compute'];
  readonly advance: Kernel['advance'];
}

/** kernels/features.ts at work on a memory of its own. Addresses are bytes. */
export interface Kernel {
  readonly firstFree: number;
  /** Works through `count` formulas of a program: place in the table and address of the arguments, 32 bits each. */
  readonly compute: (program: number, count: number, rows: number) => void;
  /** Moves the first `count` columns' places on by `before` rows, to where the next `rows` have room. */
  readonly advance: (records: number, count: number, before: number, rows: number) => void;
  /** The place of a formula in the table. */
  indexOf(formula: string): number;
  /** The memory, from now on of at least `bytes`. What is new is 0. */
  reserve(bytes: number): WebAssembly.Memory<ArrayBuffer>;
}

const PAGE_BYTES = 65_536;
/** The module has no data of its own; address 0 stays unused. */
const FIRST_FREE = 16;

let compiled: WebAssembly.Module | undefined;

export function startKernel(): Kernel {
  compiled ??= new WebAssembly.Module(fromBase64(KERNEL_CODE));
  const memory = new WebAssembly.Memory<ArrayBuffer>({ initial: 1 });
  const { tanh } = Math;
  const { exports } = new WebAssembly.Instance<Exports & Readonly<Record<string, unknown>>>(compiled, {
    env: { memory, tanh },
  });
  const { table, compute, advance } = exports;
  const places = new Map<string, number>();
  return {
    firstFree: FIRST_FREE,
    compute,
    advance,
    indexOf(formula) {
      const before = places.get(formula);
      if (before !== undefined) return before;
      const code = exports[formula];
      invariant(typeof code === 'function', `kernels/features.ts has the formula "${formula}"`);
      const place = table.grow(1);
      table.set(place, code);
      places.set(formula, place);
      return place;
    },
    reserve(bytes) {
      const pages = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
      if (pages > 0) memory.grow(pages);
      return memory;
    },
  };
}
