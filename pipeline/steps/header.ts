import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeaderIr } from '../bindings/ir.ts';
import { parseWithBestParser } from '../bindings/libclang/best-parser.ts';
import { overridesFor } from '../bindings/overrides.ts';
import { inFiles } from '../bindings/source-line.ts';
import { withDiskErrors } from '../effects/files.ts';
import type { Toolchain } from '../effects/toolchain.ts';
import type { Config } from '../plan/config.ts';
import { TARGETS } from '../plan/targets.ts';
import { readHeaders } from './headers.ts';

/** The bundled process that holds the parser. */
export function parserWorker(config: Pick<Config, 'toolRoot'>): string {
  return join(config.toolRoot, 'dist', 'libclang-worker.js');
}

/** What reading headers needs of a step or a session. */
export interface HeaderContext {
  readonly config: Pick<Config, 'toolRoot' | 'headers' | 'overrides' | 'environment'>;
  readonly toolchain: Toolchain;
  readonly signal: AbortSignal;
  warn(message: string): void;
}

/**
 * Parses the headers of a source tree, and those that the user named, for every target: what is made of them is the
 * same on every host.
 * @returns The intermediate form for each target, and the path of the libclang that parsed, or `embedded`.
 * @throws BuildError A3S3002, A3S3003 or A3S3004 as the parser and `toIr` do, A3S5002 when there is no header.
 */
export async function readHeader(
  tree: string,
  { config, toolchain, signal, warn }: HeaderContext,
): Promise<{ irs: readonly HeaderIr[]; parser: string }> {
  const headers = await readHeaders(tree, config.headers);
  try {
    const parsing = parseWithBestParser(
      Object.values(TARGETS).map((target) => ({ headers, target })),
      { workerPath: parserWorker(config), warn: (message) => warn(message), signal },
      { named: config.environment.libclangPath, toolchain },
    );
    // Loaded while the parser's process is at work.
    const [{ units, parser }, { irsOf }] = await Promise.all([parsing, import('../bindings/target-irs.ts')]);
    return { irs: irsOf(units, overridesFor(units, config.overrides)), parser };
  } catch (error) {
    throw inFiles(error, headers);
  }
}

/** Text of the Cargo.lock of the workspace that holds the addon's runtime crate. */
export function readRuntimeLock({ toolRoot }: Pick<Config, 'toolRoot'>): Promise<string> {
  const path = join(toolRoot, 'native', 'Cargo.lock');
  return withDiskErrors(path, () => readFile(path, 'utf8'));
}
