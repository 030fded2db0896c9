import { open, rename } from 'node:fs/promises';
import { type Disk, nodeDisk } from '../../src/data/files.ts';

/** What one operation of the disk does instead of its work, or after it. */
export type DiskFault =
  | { readonly kind: 'refuses'; readonly code: string }
  /** The work is done, and its success is not reported: what is on the disk is not known. */
  | { readonly kind: 'does-and-refuses'; readonly code: string }
  /** A write stores half of what it was given and fails at the rest, as a disk that is just full does. */
  | { readonly kind: 'stores-half'; readonly code: string }
  /** A write stores one byte and says so; the caller has to go on with the rest. */
  | { readonly kind: 'short-write' };

const COUNTED = new Set(['write', 'writeFile', 'sync', 'datasync', 'truncate']);

/**
 * The disk of this machine, on which operation number `failing` (from 0; every write, sync, truncate and rename
 * counts) goes wrong; `undefined`: none does. From there on the disk stays broken when `forGood`.
 */
export function failingDisk(failing: number | undefined, fault: DiskFault, forGood: boolean) {
  let count = 0;
  const faulty = (): boolean => {
    const now = count++;
    return failing !== undefined && (forGood ? now >= failing : now === failing);
  };
  const perform = async (name: string, args: unknown[], work: (...args: unknown[]) => Promise<unknown>) => {
    if (!faulty()) return work(...args);
    const [bytes, offset, length] = args;
    switch (fault.kind) {
      case 'refuses':
        throw systemError(fault.code, name);
      case 'does-and-refuses':
        await work(...args);
        throw systemError(fault.code, name);
      case 'stores-half':
        if (name === 'write') await work(bytes, offset, Math.floor(Number(length) / 2));
        if (name === 'writeFile') await work(String(bytes).slice(0, String(bytes).length / 2));
        throw systemError(fault.code, name);
      case 'short-write':
        return name === 'write' ? work(bytes, offset, 1) : work(...args);
    }
  };
  const disk: Disk = {
    ...nodeDisk,
    rename: async (from, to) => void (await perform('rename', [from, to], () => rename(from, to))),
    open: async (...args) => {
      const handle = await open(...args);
      return new Proxy(handle, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          const method = (...given: unknown[]): Promise<unknown> =>
            Reflect.apply(value, target, given) as Promise<unknown>;
          return COUNTED.has(String(key))
            ? (...given: unknown[]) => perform(String(key), given, method)
            : method;
        },
      });
    },
  };
  return { disk, operations: () => count };
}

const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: planted, ${syscall}`), { code, syscall });
