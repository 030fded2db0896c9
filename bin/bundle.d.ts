/** Bundles the command line compiled into `dist` for a quick start; gives up with an error where that fails. */
export declare function bundleProgram(dist: string): Promise<void>;
