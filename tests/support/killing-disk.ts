import { open, rename } from 'node:fs/promises';
import type { Disk } from '../../src/data/files.ts';

export const MOMENTS = ['before', 'half', 'after'] as const;
export type Moment = (typeof MOMENTS)[number];

/** A disk whose operation number `fatal` is the last thing this process does, or begins to do: SIGKILL follows. */
export function killingDisk(fatal: number, moment: Moment): Disk {
  let count = 0;
  const perform = async <T>(work: () => Promise<T>, half: () => Promise<unknown>): Promise<T> => {
    if (count++ !== fatal) return work();
    if (moment === 'half') await half();
    if (moment === 'after') await work();
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  };
  const nothing = async (): Promise<void> => undefined;
  return {
    rename: (...args) => perform(() => rename(...args), nothing),
    open: async (...args) => {
      const handle = await open(...args);
      const [sync, datasync] = [handle.sync.bind(handle), handle.datasync.bind(handle)];
      const [write, writeFile] = [handle.write.bind(handle), handle.writeFile.bind(handle)];
      handle.sync = () => perform(sync, nothing);
      handle.datasync = () => perform(datasync, nothing);
      handle.writeFile = (data, ...rest) =>
        perform(
          () => writeFile(data, ...rest),
          () => writeFile(String(data).slice(0, String(data).length / 2)),
        );
      Object.assign(handle, {
        write: (bytes: Buffer, offset: number, length: number) =>
          perform(
            () => write(bytes, offset, length),
            () => write(bytes, offset, Math.floor(length / 2)),
          ),
      });
      return handle;
    },
  };
}
