/**
 * a3s-build as functions: the same commands, without a terminal. Nothing is thrown for a failure of the build; it
 * comes back as data.
 */
import type { HeaderIr } from './bindings/ir.ts';
import { build as runBuild, preview as runPreview } from './commands/build.ts';
import type { AbiDifference } from './commands/diff-abi.ts';
import type { ParseHeaderOptions } from './commands/parse-header.ts';
import type { CommonOptions } from './commands/session.ts';
import type { VerifyOptions } from './commands/verify.ts';
import { type Failure, toFailure } from './plan/errors.ts';
import type { RunEvent } from './run/engine.ts';
import type { BuildManifest } from './run/outputs.ts';
import type { Preview } from './run/preview.ts';
import type { SetReport } from './steps/package/set-types.ts';

export type {
  ConstantItem,
  CType,
  Docs,
  EnumItem,
  FunctionItem,
  Item,
  Parameter,
  ParameterRole,
  Place,
  RecordField,
  RecordItem,
  ReturnMeaning,
  Skipped,
  TypedefItem,
} from './bindings/ir.ts';
export type { HeaderFile } from './bindings/libclang/request.ts';
export type { Override, ParameterOverride } from './bindings/overrides.ts';
export type { JudgedChange } from './commands/diff-abi.ts';
export type { ErrorCode } from './plan/error-table.ts';
export type {
  AbiDifference,
  BuildManifest,
  CommonOptions as BuildOptions,
  Failure,
  HeaderIr,
  ParseHeaderOptions,
  Preview,
  RunEvent,
  SetReport as VerifyReport,
  VerifyOptions,
};

export type Outcome<Name extends string, Value> =
  | ({ readonly ok: true } & { readonly [K in Name]: Value })
  | { readonly ok: false; readonly error: Failure };

/** Where a function works; what is left out is taken from the process. */
export interface CallSurroundings {
  /** Folder to work in; the process's own by default. */
  readonly cwd?: string;
  /** Environment variables to read; the process's own by default. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

export interface CallOptions extends CommonOptions, CallSurroundings {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What `build` resolves with: the manifest of each target, and the first of them once more. */
export type BuildOutcome =
  | (Extract<Outcome<'manifest', BuildManifest>, { ok: true }> & { readonly manifests: readonly BuildManifest[] })
  | Extract<Outcome<'manifest', BuildManifest>, { ok: false }>;

/** Builds; resolves with the manifests or with the failure, never rejects. */
export async function build(options: CallOptions = {}): Promise<BuildOutcome> {
  const signal = options.signal ?? new AbortController().signal;
  try {
    const { manifests } = await runBuild(options, surroundings(options), signal, () => options.onEvent ?? (() => {}));
    return { ok: true, manifest: manifests[0], manifests };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

/** What `verify` resolves with; the report stands beside a failure of the packages too, and holds every finding. */
export type VerifyOutcome =
  | { readonly ok: true; readonly report: SetReport }
  | { readonly ok: false; readonly error: Failure; readonly report?: SetReport };

/**
 * Holds the package tarballs of a folder against what users need, against each other, and the root package against
 * `expect`, the SHA-512 (SRI) that is known of it, and `release`, the version it has to be. Builds nothing.
 * Resolves with the report, or with the failure: A3S4002 for tarballs that are not the recorded ones, A3S4003 for
 * tarballs or a set that are unfit, A3S4004 for sources that are not known (with `publish`). Never rejects.
 */
export async function verify(options: VerifyOptions & CallSurroundings): Promise<VerifyOutcome> {
  try {
    const { verifyFolder } = await import('./commands/verify.ts');
    const { assertSet } = await import('./steps/package/set.ts');
    const report = await verifyFolder(options, surroundings(options));
    try {
      assertSet(report.findings, options.folder);
    } catch (error) {
      return { ok: false, error: toFailure(error), report };
    }
    return { ok: true, report };
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

/**
 * Parses C headers with libclang to the intermediate form that all bindings are made from: functions with the meaning of
 * their parameters and results, constants, records with their layout, enums and typedefs, for one target.
 * Resolves with the intermediate form or with the failure (A3S3002 with file, line and column for a header with errors),
 * never rejects.
 */
export async function parseHeader(options: ParseHeaderOptions & CallSurroundings): Promise<Outcome<'ir', HeaderIr>> {
  try {
    const { parseHeaderFiles } = await import('./commands/parse-header.ts');
    return { ok: true, ir: await parseHeaderFiles(options, surroundings(options)) };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

/**
 * Compares two interfaces of one target, each an intermediate form or the text of an `abi.json`: what was added, removed
 * and changed, and the release of the Rust crate and of the npm package that it needs.
 * Resolves with the difference or with the failure (A3S3001 for a text that is no lock), never rejects.
 */
export async function diffAbi(
  before: HeaderIr | string,
  after: HeaderIr | string,
): Promise<Outcome<'difference', AbiDifference>> {
  try {
    const { diffInterfaces } = await import('./commands/diff-abi.ts');
    return { ok: true, difference: diffInterfaces(before, after) };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}

function surroundings({ cwd, variables }: CallSurroundings) {
  return { cwd: cwd ?? process.cwd(), variables: variables ?? process.env };
}
