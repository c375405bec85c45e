/**
 * a3s-build as functions: the same commands, without a terminal. Nothing is thrown for a failure of the build; it
 * comes back as data.
 */
import { build as runBuild, preview as runPreview } from './commands/build.ts';
import type { CommonOptions } from './commands/session.ts';
import { type Failure, toFailure } from './plan/errors.ts';
import type { RunEvent } from './run/engine.ts';
import type { BuildManifest } from './run/outputs.ts';
import type { Preview } from './run/preview.ts';

export type { ErrorCode } from './plan/error-table.ts';
export type { BuildManifest, CommonOptions as BuildOptions, Failure, Preview, RunEvent };

export type Outcome<Name extends string, Value> =
  | ({ readonly ok: true } & { readonly [K in Name]: Value })
  | { readonly ok: false; readonly error: Failure };

export interface CallOptions extends CommonOptions {
  /** Folder to work in; the process's own by default. */
  readonly cwd?: string;
  /** Environment variables to read; the process's own by default. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Builds; resolves with the manifest or with the failure, never rejects. */
export async function build(options: CallOptions = {}): Promise<Outcome<'manifest', BuildManifest>> {
  const signal = options.signal ?? new AbortController().signal;
  try {
    const { manifest } = await runBuild(options, surroundings(options), signal, () => options.onEvent ?? (() => {}));
    return { ok: true, manifest };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

/** Says what `build` would do, and why; resolves with the preview or with the failure, never rejects. */
export async function plan(options: CallOptions = {}): Promise<Outcome<'plan', Preview>> {
  try {
    return { ok: true, plan: await runPreview(options, surroundings(options)) };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

function surroundings({ cwd, variables }: CallOptions) {
  return { cwd: cwd ?? process.cwd(), variables: variables ?? process.env };
}
