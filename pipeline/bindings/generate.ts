import { describeMade, emitAbi } from './abi.ts';
import { commonIr } from './common-ir.ts';
import { emitMissing } from './emit-missing.ts';
import { emitNapi } from './emit-napi.ts';
import { emitStub } from './emit-stub.ts';
import { emitSys } from './emit-sys.ts';
import type { EmittedFile, HeaderIr, Skipped } from './ir.ts';
import { rustForTargets } from './rust-targets.ts';
import { groupByInterface, skippedOf } from './target-groups.ts';

export interface GenerateOptions {
  /** Whether the header's own prose goes into the files: never into committed ones. */
  readonly docs: boolean;
  /** Text of the Cargo.lock of the workspace that holds the addon's runtime crate. */
  readonly lock: string;
  /** Functions that the headers declare and the library does not export. */
  readonly missing: readonly string[];
  /** Version of the packages that the bindings are for, and of this program; both go into the interface lock. */
  readonly versions: { readonly package: string; readonly tool: string };
}

export interface Generated {
  readonly files: readonly EmittedFile[];
  readonly skipped: readonly Skipped[];
}

/** Where the addon's runtime crate lies, seen from `generated/napi`. */
const RUNTIME_PATH = '../../native/node';

/**
 * Emits every file of `generated/`, the same on every host.
 * @param irs The headers' intermediate form for each target.
 */
export async function generateBindings(
  irs: readonly HeaderIr[],
  { docs, lock, missing, versions }: GenerateOptions,
): Promise<Generated> {
  const { emitDts } = await import('./emit-dts.ts');
  const groups = groupByInterface(irs);
  const common = commonIr(groups);
  const napi = emitNapi(common.ir, { docs, lock, runtimePath: RUNTIME_PATH });
  const rust = rustForTargets(groups, (ir) => [
    { file: emitSys(ir, { docs }), skipped: [] },
    emitStub(ir, { docs }),
    emitMissing(ir, { docs, missing }),
  ]);
  const files = [...rust.files, ...napi.files, await emitDts(common.ir, { docs })];
  const made = describeMade(versions.package, versions.tool, lock, missing, files);
  const skipped = [...skippedOf(irs), ...rust.skipped, ...common.skipped, ...napi.skipped];
  return { files: [...files, emitAbi(irs, made)], skipped };
}
