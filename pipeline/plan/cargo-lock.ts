/** One `[[package]]` of a Cargo.lock. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Null for a package of the workspace or a path. */
  readonly source: string | null;
  /** SHA-256 of the published crate; null for one that is part of the source tree. */
  readonly checksum: string | null;
  /** As written: `name`, `name version` or `name version (source)`. */
  readonly dependencies: readonly string[];
}

/** Locks of real projects have some hundreds of packages in some 100 KB. */
const MAX_LOCK = 4 * 1024 * 1024;

/**
 * Reads the packages of a Cargo.lock, in its own order.
 * @param refuse Makes the error for a lock that cannot be used; its reason follows on "the lock …".
 */
export function parseCargoLock(lock: string, refuse: (reason: string) => Error): readonly LockedPackage[] {
  if (lock.length > MAX_LOCK) throw refuse(`is larger than ${MAX_LOCK} bytes`);
  const [head = '', ...parts] = lock.replaceAll('\r\n', '\n').split('[[package]]\n');
  if (!/^version = [34]$/m.test(head)) throw refuse('is not of format version 3 or 4');
  return parts.map((part) => {
    const field = (name: string): string | null => new RegExp(`^${name} = "([^"\n]*)"$`, 'm').exec(part)?.[1] ?? null;
    const [name, version] = [field('name'), field('version')];
    if (name === null || version === null) throw refuse('holds a package without name or version');
    const list = /^dependencies = \[\n([^\]]*)\]$/m.exec(part)?.[1] ?? '';
    const dependencies = [...list.matchAll(/^ "([^"\n]*)",$/gm)].map((match) => match[1] ?? '');
    return { name, version, source: field('source'), checksum: field('checksum'), dependencies };
  });
}

/**
 * The package that a dependency names.
 * @param wanted `name`, `name version` or `name version (source)`, as cargo writes it.
 * @param refuse As for `parseCargoLock`.
 */
export function resolvePackage(
  packages: readonly LockedPackage[],
  wanted: string,
  refuse: (reason: string) => Error,
): LockedPackage {
  const [name = '', version, source] = wanted.split(' ');
  const fits = packages.filter(
    (one) =>
      one.name === name &&
      (version === undefined || one.version === version) &&
      (source === undefined || `(${one.source})` === source),
  );
  const [only] = fits;
  if (only === undefined || fits.length > 1) throw refuse(`holds ${fits.length} packages ${wanted}, not one`);
  return only;
}
