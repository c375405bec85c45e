import { TARGETS } from '../plan/targets.ts';
import { BANNER } from './emit-sys.ts';
import type { EmittedFile, HeaderIr, Skipped } from './ir.ts';
import { groupTargets, type PerTargets } from './target-groups.ts';

/** A Rust file for one target. */
export interface RustPart {
  readonly file: EmittedFile;
  readonly skipped: readonly Skipped[];
  /** What the file defines, where that must go before what a glob import brings; all of it is public otherwise. */
  readonly defines?: readonly string[];
}

/**
 * Writes Rust files for all targets: one text where it is the same for all, else a module for each group of targets, of
 * which the compiler sees one.
 * @param emit Writes the files for the targets of one group, the same files for every group.
 */
export function rustForTargets(
  groups: readonly PerTargets<HeaderIr>[],
  emit: (ir: HeaderIr) => readonly RustPart[],
): { readonly files: readonly EmittedFile[]; readonly skipped: readonly Skipped[] } {
  const parts = groups.map(({ targets, value }) => ({ targets, value: emit(value) }));
  const files = (parts[0]?.value ?? []).map((_, index) =>
    fileForTargets(
      parts.flatMap(({ targets, value }) => {
        const part = value[index];
        return part === undefined ? [] : [{ targets, value: part }];
      }),
    ),
  );
  const skipped = new Map(
    parts.flatMap(({ value }) =>
      value.flatMap((part) => part.skipped.map((one) => [`${one.name} ${one.reason}`, one])),
    ),
  );
  return { files, skipped: [...skipped.values()] };
}

function fileForTargets(parts: readonly PerTargets<RustPart>[]): EmittedFile {
  const [first, ...others] = groupTargets(parts, ({ file }) => file.content);
  if (first === undefined) throw new Error('there is no target');
  if (others.length === 0) return first.value.file;
  const modules = [first, ...others].map(({ targets, value }) => moduleFor(targets, value));
  const all = [first, ...others].flatMap(({ targets }) => targets);
  const other = `#[cfg(not(${condition(all)}))]\ncompile_error!("these bindings are for ${all.join(', ')}");\n`;
  return { path: first.value.file.path, content: [BANNER, ...modules, other].join('\n') };
}

/** Lines inside are as long as in a file of their own: rustfmt would indent and break them. */
function moduleFor(targets: readonly string[], { file, defines }: RustPart): string {
  const name = `on_${targets.join('_').replaceAll('-', '_')}`;
  const attribute = `#[cfg(${condition(targets)})]\n`;
  const body = file.content.slice(BANNER.length).trim();
  if (defines === undefined)
    return `${attribute}#[rustfmt::skip]\nmod ${name} {\n${body}\n}\n${attribute}pub use ${name}::*;\n`;
  const names = defines.map((one) => `pub use ${name}::${one};\n`).map((line) => attribute + line);
  return `${attribute}#[rustfmt::skip]\nmod ${name} {\n#[allow(unused_imports)]\nuse super::*;\n${body}\n}\n${names.join('')}`;
}

const RUST_SYSTEMS = { linux: 'linux', darwin: 'macos' } as const;

function condition(targets: readonly string[]): string {
  const conditions = targets.map((id) => {
    const target = Object.values(TARGETS).find((known) => known.id === id);
    if (target === undefined) throw new Error(`${id} is no target`);
    return `all(target_os = "${RUST_SYSTEMS[target.platform]}", target_arch = "${target.machine}")`;
  });
  return conditions.length === 1 ? conditions.join('') : `any(\n    ${conditions.join(',\n    ')}\n)`;
}
