import { describeMade, emitAbi } from './abi.ts';
import { emitNapi } from './emit-napi.ts';
import { emitSys } from './emit-sys.ts';
import type { EmittedFile, HeaderIr, Skipped } from './ir.ts';

export interface GenerateOptions {
  /** Whether the header's own prose goes into the files: never into committed ones. */
  readonly docs: boolean;
  /** Text of the Cargo.lock of the workspace that holds the addon's runtime crate. */
  readonly lock: string;
  /** Version of the packages that the bindings are for, and of this program; both go into the interface lock. */
  readonly versions: { readonly package: string; readonly tool: string };
}

export interface Generated {
  readonly files: readonly EmittedFile[];
  readonly skipped: readonly Skipped[];
}

/** Where the addon's runtime crate lies, seen from `generated/napi`. */
const RUNTIME_PATH = '../../native/node';

/** Emits every file of `generated/` from the header's intermediate form. */
export async function generateBindings(ir: HeaderIr, { docs, lock, versions }: GenerateOptions): Promise<Generated> {
  const { emitDts } = await import('./emit-dts.ts');
  const napi = emitNapi(ir, { docs, lock, runtimePath: RUNTIME_PATH });
  const files = [emitSys(ir, { docs }), ...napi.files, await emitDts(ir, { docs })];
  const made = describeMade(versions.package, versions.tool, lock, files);
  return { files: [...files, emitAbi(ir, made)], skipped: [...ir.skipped, ...napi.skipped] };
}
