import type { Target } from '../../plan/targets.ts';

/** Name of the package that holds a target's binaries. */
export function platformPackageName(rootName: string, target: Pick<Target, 'packageSuffix'>): string {
  return `${rootName}-${target.packageSuffix}`;
}

/** File name of a packed package, as npm itself makes it: `@scope/name` 1.2.3 is `scope-name-1.2.3.tgz`. */
export function tarballName(name: string, version: string): string {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
}

/** File name of the addon inside its package, as napi-rs spells it. */
export function addonName(target: Pick<Target, 'packageSuffix'>): string {
  return `libkrun.${target.packageSuffix}.node`;
}

/** Names that a generated declaration file exports as values, in its own order. */
export function exportedNames(declarations: string): string[] {
  const found = declarations.matchAll(/^export declare (?:const|function|namespace) (\w+)/gm);
  return [...new Set([...found].map((match) => match[1] ?? ''))];
}
