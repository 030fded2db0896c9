/** The part of the web standard's `AbortSignal` that pure code may use: it has no other name from outside the language. */
interface AbortSignal {
  readonly aborted: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the standard declares it; another type would not merge
  readonly reason: any;
  throwIfAborted(): void;
}
