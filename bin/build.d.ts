/** Compiles src/ into dist/ unless dist/ is at least as new. */
export declare function buildIfStale(): Promise<void>;
/** Builds the page of `serve` into dist/web unless it is at least as new as web/. */
export declare function buildWebIfStale(): void;
