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

interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly checksum: string | null;
  readonly dependencies: readonly string[];
}

/** Locks of real projects have some hundreds of packages in some 100 KB. */
const MAX_LOCK = 4 * 1024 * 1024;

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
  const packages = parseLock(lock, file);
  const kept = new Map<string, LockedPackage>();
  const pending = [find(packages, root, file)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (kept.has(crateKey(next)) || isForeign(next, licenses)) continue;
    kept.set(crateKey(next), next);
    pending.push(...next.dependencies.map((dependency) => find(packages, dependency, file)));
  }
  return [...kept.values()]
    .map(({ name, version, checksum, dependencies }) => {
      const keys = dependencies.map((dependency) => crateKey(find(packages, dependency, file)));
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

/** Crates of the tree itself are never left out: cargo may not be asked about them. */
function isForeign(crate: LockedPackage, licenses: CrateLicenses | undefined): boolean {
  return licenses !== undefined && crate.checksum !== null && !Object.hasOwn(licenses, crateKey(crate));
}

function parseLock(lock: string, file: string): readonly LockedPackage[] {
  if (lock.length > MAX_LOCK) throw lockError(file, `is larger than ${MAX_LOCK} bytes`);
  const [, ...parts] = lock.replaceAll('\r\n', '\n').split('[[package]]\n');
  return parts.map((part) => {
    const field = (name: string): string | null => new RegExp(`^${name} = "([^"\n]*)"$`, 'm').exec(part)?.[1] ?? null;
    const [name, version] = [field('name'), field('version')];
    if (name === null || version === null) throw lockError(file, 'holds a package without name or version');
    const list = /^dependencies = \[\n([^\]]*)\]$/m.exec(part)?.[1] ?? '';
    const dependencies = [...list.matchAll(/^ "([^"\n]*)",$/gm)].map((match) => match[1] ?? '');
    return { name, version, checksum: field('checksum'), dependencies };
  });
}

/** @param wanted `name`, `name version` or `name version (source)`, as cargo writes it. */
function find(packages: readonly LockedPackage[], wanted: string, file: string): LockedPackage {
  const [name, version] = wanted.split(' ');
  const found = packages.find((one) => one.name === name && (version === undefined || one.version === version));
  if (found !== undefined) return found;
  throw lockError(file, `holds no package ${wanted}`);
}

function lockError(file: string, reason: string): Error {
  return buildError('A3S4001', { message: `${file} ${reason}`, where: { file } });
}
