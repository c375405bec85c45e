import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of libkrun's own headers, as the source step left them in a store. */
export function storedHeaders(store: string): string {
  const results = join(store, 'v1/results/source');
  const folders = readdirSync(results).map((key) => join(results, key, 'out/include'));
  const folder = folders.find((path) => existsSync(join(path, 'libkrun_windows.h')));
  if (folder === undefined) throw new Error(`${results} holds no libkrun.h`);
  return folder;
}
