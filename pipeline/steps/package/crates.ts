import { type LockedPackage, parseCargoLock, resolvePackage } from '../../plan/cargo-lock.ts';
import { buildError } from '../../plan/errors.ts';

/** A crate that went into a binary, or that its lock file names for another system. */
export interface Crate {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the published crate; null for one that is part of the source tree. */
  readonly checksum: string | null;
  /** SPDX expression; null where nobody told. */
  readonly license: string | null;
  /** Keys of the crates that it names as dependencies. */
  readonly dependencies: readonly string[];
}

/** Licences by `name@version`, as cargo reports them. */
export type CrateLicenses = Readonly<Record<string, string>>;

/** `name@version`, by which crates are told apart. */
export function crateKey({ name, version }: Pick<Crate, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

/**
 * The crate `root` of a Cargo.lock and all that it may depend on, sorted. A lock does not say for which system or
 * feature a dependency is: without `licenses`, those for others are among them; with it, only the crates that it names.
 * @param file Name of the lock, for messages.
 * @throws BuildError A3S4001 when the lock does not hold `root`, or not what it depends on.
 */
export function cratesBelow(lock: string, root: string, file: string, licenses?: CrateLicenses): Crate[] {
  const refuse = (reason: string): Error => buildError('A3S4001', { message: `${file} ${reason}`, where: { file } });
  const packages = parseCargoLock(lock, refuse);
  const kept = new Map<string, LockedPackage>();
  const pending = [resolvePackage(packages, root, refuse)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (kept.has(crateKey(next)) || (next.name !== root && isForeign(next, licenses))) continue;
    kept.set(crateKey(next), next);
    pending.push(...next.dependencies.map((dependency) => resolvePackage(packages, dependency, refuse)));
  }
  return [...kept.values()]
    .map(({ name, version, checksum, dependencies }) => {
      const keys = dependencies.map((dependency) => crateKey(resolvePackage(packages, dependency, refuse)));
      const license = licenses?.[crateKey({ name, version })] ?? null;
      return { name, version, checksum, license, dependencies: keys.filter((key) => kept.has(key)).sort() };
    })
    .sort(byKey);
}

/** Several lists as one, each crate once. */
export function mergeCrates(lists: readonly (readonly Crate[])[]): Crate[] {
  const merged = new Map<string, Crate>();
  for (const crate of lists.flat()) {
    const known = merged.get(crateKey(crate));
    const dependencies = [...new Set([...(known?.dependencies ?? []), ...crate.dependencies])].sort();
    merged.set(crateKey(crate), { ...crate, license: crate.license ?? known?.license ?? null, dependencies });
  }
  return [...merged.values()].sort(byKey);
}

function byKey(one: Crate, other: Crate): number {
  return crateKey(one) < crateKey(other) ? -1 : 1;
}

function isForeign(crate: LockedPackage, licenses: CrateLicenses | undefined): boolean {
  return licenses !== undefined && !Object.hasOwn(licenses, crateKey(crate));
}
