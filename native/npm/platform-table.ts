import type { StubTable } from './stub.ts';

/** A platform package, with the calls that reach its files; each call names the file literally. */
export interface PlatformEntry {
  readonly package: string;
  /** Path of the package's package.json; throws when the package is not installed. */
  readonly manifest: () => string;
  readonly launcher: () => string;
  /** Paths of the libraries that the addon opens beside itself; throws when one is missing. */
  readonly libraries: () => readonly string[];
  /** Path of the addon. */
  readonly addonFile: () => string;
  /** Loads the addon: a `require`, which tools that collect an application's files can follow. */
  readonly addon: () => unknown;
}

/** What this release consists of. */
export interface PlatformTable {
  /** Name and version of the root package. */
  readonly name: string;
  readonly version: string;
  /** Oldest version of Node. */
  readonly node: string;
  /** By Node's names for platform and processor: `linux-x64`. */
  readonly platforms: Readonly<Record<string, PlatformEntry>>;
  /** In a stub package, which has no platforms. */
  readonly stub?: () => StubTable;
}
