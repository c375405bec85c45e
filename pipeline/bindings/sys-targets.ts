import { TARGETS } from '../plan/targets.ts';
import { BANNER, emitSys } from './emit-sys.ts';
import type { EmittedFile, HeaderIr } from './ir.ts';
import { groupTargets, type PerTargets } from './target-groups.ts';

/**
 * Writes the raw Rust bindings for all targets: one text where it is the same for all, else a module for each group of
 * targets, of which the compiler sees one.
 */
export function emitSysForTargets(
  groups: readonly PerTargets<HeaderIr>[],
  options: { readonly docs: boolean },
): EmittedFile {
  const files = groups.map(({ targets, value }) => ({ targets, value: emitSys(value, options) }));
  const [first, ...others] = groupTargets(files, ({ content }) => content);
  if (first === undefined) throw new Error('there is no target');
  if (others.length === 0) return first.value;
  const modules = [first, ...others].map(({ targets, value }) => moduleFor(targets, value.content));
  const all = [first, ...others].flatMap(({ targets }) => targets);
  const other = `#[cfg(not(${condition(all)}))]\ncompile_error!("these bindings are for ${all.join(', ')}");\n`;
  return { path: first.value.path, content: [BANNER, ...modules, other].join('\n') };
}

/** Lines inside are as long as in a file of their own: rustfmt would indent and break them. */
function moduleFor(targets: readonly string[], content: string): string {
  const name = `on_${targets.join('_').replaceAll('-', '_')}`;
  const attribute = `#[cfg(${condition(targets)})]\n`;
  const body = content.slice(BANNER.length).trim();
  return `${attribute}#[rustfmt::skip]\nmod ${name} {\n${body}\n}\n${attribute}pub use ${name}::*;\n`;
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
