import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeaderIr } from '../bindings/ir.ts';
import { type PreloadedParser, parseWithBestParser } from '../bindings/libclang/best-parser.ts';
import type { RawUnit } from '../bindings/libclang/raw.ts';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { overridesFor } from '../bindings/overrides.ts';
import { inFiles } from '../bindings/source-line.ts';
import { withDiskErrors } from '../effects/files.ts';
import type { Toolchain } from '../effects/toolchain.ts';
import type { Config } from '../plan/config.ts';
import { parserWorker } from '../plan/layout.ts';
import { TARGETS } from '../plan/targets.ts';
import { readHeaders } from './headers.ts';

/** What reading headers needs of a step or a session. */
export interface HeaderContext {
  readonly config: Pick<Config, 'toolRoot' | 'headers' | 'overrides' | 'environment'>;
  readonly toolchain: Toolchain;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Parser that `preloadBestParser` found: it is to work inside this process, see `ParserOptions`. */
  readonly preloaded?: PreloadedParser;
  warn(message: string): void;
}

/**
 * Parses the headers of a source tree, and those that the user named.
 * @throws BuildError as {@link parseLibkrunHeaders} does, A3S5002 when there is no header.
 */
export async function readHeader(tree: string, context: HeaderContext): Promise<ReadHeaders> {
  return parseLibkrunHeaders(await readHeaders(tree, context.config.headers), context);
}

export interface ReadHeaders {
  /** The intermediate form for each target. */
  readonly irs: readonly HeaderIr[];
  /** Path of the libclang that parsed, or `embedded`. */
  readonly parser: string;
}

/**
 * Parses headers for every target: what is made of them is the same on every host.
 * @throws BuildError A3S3002, A3S3003 or A3S3004 as the parser and `toIr` do.
 */
export async function parseLibkrunHeaders(
  headers: readonly HeaderFile[],
  context: HeaderContext,
): Promise<ReadHeaders> {
  const { config, signal, preloaded } = context;
  const inProcess = preloaded !== undefined;
  // Loaded while the parser is at work.
  const loading = import('../bindings/target-irs.ts');
  let ahead: HeaderIr | undefined;
  const onFirst = (unit: RawUnit) =>
    void loading.then(({ irAhead }) => {
      ahead = irAhead(unit, overridesFor([unit], config.overrides));
    });
  try {
    const parsing = parseWithBestParser(
      Object.values(TARGETS).map((target) => ({ headers, target })),
      { workerPath: parserWorker(config), warn: (message) => context.warn(message), signal, inProcess, onFirst },
      searchOf(context),
      preloaded,
    );
    const [{ units, parser }, { irsOf }] = await Promise.all([parsing, loading]);
    return { irs: irsOf(units, overridesFor(units, config.overrides), { ahead }), parser };
  } catch (error) {
    throw inFiles(error, headers);
  }
}

function searchOf({ config, toolchain, variables }: HeaderContext) {
  return { named: config.environment.libclangPath, toolchain, searchPath: variables['PATH'] };
}

/** Text of the Cargo.lock of the workspace that holds the addon's runtime crate. */
export function readRuntimeLock({ toolRoot }: Pick<Config, 'toolRoot'>): Promise<string> {
  const path = join(toolRoot, 'native', 'Cargo.lock');
  return withDiskErrors(path, () => readFile(path, 'utf8'));
}
