import { basename, dirname, resolve } from 'node:path';
import { toIr } from '../bindings/header.ts';
import type { HeaderIr } from '../bindings/ir.ts';
import { parseWithBestParser } from '../bindings/libclang/best-parser.ts';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { type Override, overridesFor } from '../bindings/overrides.ts';
import { inFiles } from '../bindings/source-line.ts';
import { findTool } from '../effects/project.ts';
import { openToolchain } from '../effects/toolchain.ts';
import { readEnvironment } from '../plan/environment.ts';
import { parserWorker } from '../plan/layout.ts';
import { hostTarget, TARGETS, targetByName } from '../plan/targets.ts';
import { type ReadHeader, readHeaderFile } from '../steps/headers.ts';
import type { Surroundings } from './session.ts';

/** What to parse, and what is known about it. */
export interface ParseHeaderOptions {
  /**
   * The headers to read, in order: paths of files, or texts with a name. Their functions, constants and types are the
   * result. The parser sees no other file of the disk; `stdint.h` and the like come with a3s-build.
   */
  readonly headers: readonly (string | HeaderFile)[];
  /** Further files that those include; their types count, their functions and constants do not. */
  readonly includes?: readonly (string | HeaderFile)[];
  /** `linux-x64`, `linux-arm64`, `darwin-arm64` or `host`, which is the default: widths and layouts are the target's. */
  readonly target?: string;
  /** Answers that the headers do not give; those for libkrun's functions are built in. */
  readonly overrides?: readonly Override[];
  /** The libclang to parse with, as file or folder; by default `LIBCLANG_PATH`, one of the system, or the embedded one. */
  readonly libclang?: string;
  /**
   * Receives, a sentence each, what neither comments nor overrides prove, and the plainest answer is taken. Without it,
   * such a header is the error A3S3003, whose `fix` holds the overrides to fill in.
   */
  readonly onUnproven?: (question: string) => void;
  /** Receives, a sentence each, why a libclang of the system is not used or not known. */
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Parses headers to the intermediate form.
 * @throws BuildError A3S1003 for an unknown target; A3S3002 and A3S3003 for headers; A3S3004 for the libclang named;
 *   A3S5002 for a file that cannot be read. Or the abort reason.
 */
export async function parseHeaderFiles(
  options: ParseHeaderOptions,
  { cwd, variables }: Surroundings,
): Promise<HeaderIr> {
  const { libclangPath } = readEnvironment(variables);
  const { signal, onUnproven } = options;
  const named = options.libclang ?? libclangPath;
  const headers = await readAll(options.headers, cwd);
  const includes = await readAll(options.includes ?? [], cwd);
  try {
    const { units } = await parseWithBestParser(
      [{ headers, includes, target: targetOf(options.target) }],
      {
        workerPath: parserWorker({ toolRoot: findTool().root }),
        warn: (message) => options.onWarning?.(message),
        ...(signal === undefined ? {} : { signal }),
      },
      { named: named === undefined ? undefined : resolve(cwd, named), toolchain: openToolchain(cwd, variables) },
    );
    const [unit] = units;
    if (unit === undefined) throw new Error('the parser left no unit');
    return toIr(unit, overridesFor(units, options.overrides), onUnproven);
  } catch (error) {
    throw inFiles(error, [...headers, ...includes]);
  }
}

/** Headers are read for any target; building is another matter. */
function targetOf(name: string | undefined) {
  const here = TARGETS['linux-x64'];
  if (name !== undefined && name !== 'host') return targetByName(name, here);
  return hostTarget(process.platform, process.arch);
}

function readAll(files: readonly (string | HeaderFile)[], cwd: string): Promise<readonly ReadHeader[]> {
  return Promise.all(
    files.map(async (file): Promise<ReadHeader> => {
      if (typeof file !== 'string') return file;
      const path = resolve(cwd, file);
      return { name: basename(path), path: file, content: await readHeaderFile({ path, root: dirname(path) }, file) };
    }),
  );
}
