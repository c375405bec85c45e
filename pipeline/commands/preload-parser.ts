import { resolve } from 'node:path';
import { type PreloadedParser, preloadBestParser } from '../bindings/libclang/best-parser.ts';
import { findTool } from '../effects/project.ts';
import { openToolchain } from '../effects/toolchain.ts';
import { readEnvironment } from '../plan/environment.ts';
import { parserWorker } from '../plan/layout.ts';
import type { Surroundings } from './session.ts';

/**
 * Looks for the header parser, and has the system load it: that takes as long as everything which comes before parsing.
 * @returns What rejects, with BuildError A3S3004 for a wrong `LIBCLANG_PATH`, only where it is waited for.
 */
export function preloadParser(surroundings: Surroundings, signal: AbortSignal): Promise<PreloadedParser> {
  const preloading = preload(surroundings, signal);
  preloading.catch(() => undefined);
  return preloading;
}

async function preload({ cwd, variables }: Surroundings, signal: AbortSignal): Promise<PreloadedParser> {
  const { libclangPath } = readEnvironment(variables);
  const named = libclangPath === undefined ? undefined : resolve(cwd, libclangPath);
  const search = { named, toolchain: openToolchain(cwd, variables), searchPath: variables['PATH'] };
  return preloadBestParser(search, { workerPath: parserWorker({ toolRoot: findTool().root }), signal });
}
