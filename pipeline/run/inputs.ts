import type { DigestCache } from '../effects/digests.ts';
import type { OutputFile, StepManifest } from '../effects/store.ts';
import type { Toolchain } from '../effects/toolchain.ts';
import { digestOf } from '../plan/assemble.ts';
import type { InputSpec, PlannedStep, StepName } from '../plan/steps.ts';

export interface InputContext {
  readonly digests: DigestCache;
  readonly toolchain: Toolchain;
  /** Manifests of the steps that are needed. */
  readonly results: ReadonlyMap<StepName, StepManifest>;
}

/** Values and digests of a step's inputs by name: what its key is made of, and what reasons are told from. */
export type Inputs = Readonly<Record<string, string>>;

/** Finds out every input of a step; nothing else may influence its result. */
export async function resolveInputs(step: PlannedStep, context: InputContext): Promise<Inputs> {
  const parts = await Promise.all(step.inputs.map((spec) => resolveInput(spec, context)));
  return Object.assign({}, ...parts) as Inputs;
}

/** Cache key of a step with these inputs; results that are the same for every target are shared by all of them. */
export function keyOf({ id, usableFor }: Pick<PlannedStep, 'id' | 'usableFor'>, inputs: Inputs): string {
  return digestOf([id, usableFor, Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

async function resolveInput(spec: InputSpec, context: InputContext): Promise<Record<string, string>> {
  switch (spec.kind) {
    case 'value':
      return { [spec.name]: spec.value };
    case 'file':
      return { [spec.name]: await context.digests.file(spec.path) };
    case 'tree': {
      const tree = await context.digests.tree(spec.path, spec.exclude);
      return prefixed(spec.name, Object.entries(tree));
    }
    case 'tool':
      // Not where it lies: cargo names itself and rustc by their paths to what it starts, and they are the same programs.
      return { [spec.name]: (await context.toolchain.ask(spec.command, spec.args)) ?? `no ${spec.command}` };
    case 'step': {
      const outputs = context.results.get(spec.step)?.outputs ?? [];
      const chosen = selectOutputs(outputs, spec.only, spec.exclude).filter(({ path }) =>
        path.endsWith(spec.ending ?? ''),
      );
      return prefixed(
        spec.name,
        chosen.map((output) => [output.path, output.sha256]),
      );
    }
  }
}

/** Outputs at or below one of `only` (all when absent), less those at or below one of `exclude`. */
function selectOutputs(
  outputs: readonly OutputFile[],
  only: readonly string[] | undefined,
  exclude: readonly string[] = [],
): readonly OutputFile[] {
  const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
  return outputs.filter(
    ({ path }) =>
      (only === undefined || only.some((folder) => below(path, folder))) &&
      !exclude.some((folder) => below(path, folder)),
  );
}

function prefixed(name: string, entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.map(([path, digest]) => [`${name}: ${path}`, digest]));
}
