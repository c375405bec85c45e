/** Writes index.cjs, index.js, index.d.ts and index.d.cts of the root package into `folder`. */
export declare function buildNpmRuntime(folder: string): Promise<void>;
