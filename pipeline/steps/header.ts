import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toIr } from '../bindings/header.ts';
import type { HeaderIr } from '../bindings/ir.ts';
import { parseHeaders } from '../bindings/libclang/embedded.ts';
import { LIBKRUN_OVERRIDES } from '../bindings/overrides.ts';
import { withDiskErrors } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { readHeaders } from './headers.ts';

/** The bundled process that holds the parser. */
export function parserWorker(config: Pick<Config, 'toolRoot'>): string {
  return join(config.toolRoot, 'dist', 'libclang-worker.js');
}

/**
 * Parses the headers of a source tree, and those that the user named, for the configured target.
 * @throws BuildError A3S3002, A3S3003 or A3S3004 as the parser and {@link toIr} do, A3S5002 when there is no header.
 */
export async function readHeader(
  tree: string,
  config: Pick<Config, 'toolRoot' | 'target' | 'headers'>,
  signal: AbortSignal,
): Promise<HeaderIr> {
  const raw = await parseHeaders({
    headers: await readHeaders(tree, config.headers),
    target: config.target,
    workerPath: parserWorker(config),
    signal,
  });
  return toIr(raw, LIBKRUN_OVERRIDES);
}

/** Text of the Cargo.lock of the workspace that holds the addon's runtime crate. */
export function readRuntimeLock({ toolRoot }: Pick<Config, 'toolRoot'>): Promise<string> {
  const path = join(toolRoot, 'native', 'Cargo.lock');
  return withDiskErrors(path, () => readFile(path, 'utf8'));
}
