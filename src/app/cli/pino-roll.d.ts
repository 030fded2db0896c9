declare module 'pino-roll' {
  import type { Writable } from 'node:stream';
  /** Opens a log file that starts a new one when it reaches `size`, keeping `limit.count` of them, with `removeOtherLogFiles` those of other processes included. */
  export default function roll(options: {
    readonly file: string;
    readonly extension: string;
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly sync: boolean;
    /** Bytes that wait for a disk that takes none; what comes beyond is dropped. */
    readonly maxLength: number;
  }): Promise<Writable>;
}
