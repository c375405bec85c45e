import { join } from 'node:path';
import type { Config } from './config.ts';

/** Where results go: absolute folders. */
export interface Layout {
  /** Holds all of them. */
  readonly root: string;
  /** Holds what is made for one target, and the manifest. */
  readonly target: string;
  readonly npm: string;
  readonly logs: string;
}

/** Stands in for a target's id where a stub is made: it is the same on, and for, every platform. */
export const STUB_NAME = 'stub';

type LayoutConfig = Pick<Config, 'outDir' | 'target'> & { readonly environment: Pick<Config['environment'], 'stub'> };
type NamedConfig = Pick<LayoutConfig, 'environment'> & Pick<Config, 'targets'>;

/** How plans and records are named after what they are for: by the ids of the targets, or `stub`. */
export function targetName({ targets, environment }: NamedConfig): string {
  return environment.stub ? STUB_NAME : targets.map(({ id }) => id).join(',');
}

/**
 * The folders of a run. A stub has one of its own for everything: nothing that looks where a release is can find a
 * stub there, and a stub never replaces what was really built.
 */
export function layoutOf(config: LayoutConfig): Layout {
  const root = config.environment.stub ? join(config.outDir, STUB_NAME) : config.outDir;
  return {
    root,
    target: config.environment.stub ? root : join(root, config.target.id),
    npm: join(root, 'npm'),
    logs: join(root, 'logs'),
  };
}

/** The bundled process that holds the header parser. */
export function parserWorker({ toolRoot }: Pick<Config, 'toolRoot'>): string {
  return join(toolRoot, 'dist', 'libclang-worker.js');
}
