import type { ElfFile, VersionNeed } from './elf-types.ts';

/** Symbol versions of glibc that name a feature of its loader, and the release that brought them. */
const FEATURE_RELEASES: ReadonlyMap<string, string> = new Map([['GLIBC_ABI_DT_RELR', '2.36']]);
const RELEASE = /^GLIBC_(\d{1,4}(?:\.\d{1,4}){1,2})$/;

/** What a file needs of glibc. */
export interface GlibcNeeds {
  /** Oldest release on which the file loads, e.g. `2.34`; null where it needs no version of glibc. */
  readonly floor: string | null;
  /** Versions without a stable meaning: GLIBC_PRIVATE, and names that are not known here. */
  readonly unstable: readonly string[];
}

/** Reads the needs from `.gnu.version_r`. Weak ones do not count: the loader goes on without them. */
export function glibcNeeds(elf: Pick<ElfFile, 'versionNeeds'>): GlibcNeeds {
  const strong = elf.versionNeeds.filter(isGlibc).map(({ version }) => version);
  const unstable = strong.filter((version) => glibcRelease(version) === null);
  const releases = strong.map(glibcRelease).filter((release) => release !== null);
  const floor = releases.toSorted(compareReleases).at(-1) ?? null;
  return { floor, unstable: [...new Set(unstable)] };
}

/** The release a version name stands for: `GLIBC_2.34` is `2.34`; null for GLIBC_PRIVATE and unknown names. */
export function glibcRelease(version: string): string | null {
  return RELEASE.exec(version)?.[1] ?? FEATURE_RELEASES.get(version) ?? null;
}

/** Compares dotted numbers part by part: 2.4 comes before 2.34, and 2.2 before 2.2.5. */
export function compareReleases(one: string, other: string): number {
  const left = one.split('.').map(Number);
  const right = other.split('.').map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isGlibc({ version, weak }: VersionNeed): boolean {
  return !weak && version.startsWith('GLIBC_');
}
