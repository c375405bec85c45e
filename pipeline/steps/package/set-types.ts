import type { SystemFloors } from '../../binary/audit-file.ts';
import type { ArchiveFile } from '../../effects/archive.ts';
import type { Pins } from '../../plan/pins.ts';
import type { TargetId } from '../../plan/targets.ts';
import type { PackageFinding } from './audit.ts';

/** A tarball as it was found, not yet believed. */
export interface FoundTarball {
  /** File name, without folders. */
  readonly file: string;
  /** Bytes, packed. */
  readonly size: number;
  /** SHA-512 as subresource integrity. */
  readonly integrity: string;
  /** What it holds; or, as text, why it cannot be read. */
  readonly files: readonly ArchiveFile[] | string;
}

/** The rules of a set, besides those of single tarballs. */
export type SetCheck =
  | PackageFinding['check']
  | 'archive'
  | 'name'
  | 'versions'
  | 'texts'
  | 'firmware'
  | 'pin'
  | 'root'
  | 'missing'
  | 'extra'
  | 'integrity'
  | 'expect'
  | 'release'
  | 'source';

/** One difference; `message` is safe to print. */
export interface SetFinding {
  /** File name of the tarball, or name of the package where there is no file. */
  readonly where: string;
  readonly check: SetCheck;
  readonly message: string;
}

/** What the tarballs of a project are held against, whoever asks. */
export interface ProjectExpectation {
  readonly pins: Pins;
  /** Functions of the header on a target. */
  functions(target: TargetId): readonly string[];
  /** Licence texts that packages carry, by file name. */
  readonly licenses: ReadonlyMap<string, Buffer>;
  /** Text that no file may hold: folders of this machine. */
  readonly forbiddenText: readonly string[];
  /** Address of the project's Git repository. */
  readonly repository?: string | undefined;
}

/** What tarballs are held against. */
export interface SetExpectation extends ProjectExpectation {
  /** False for platform packages alone, before there is a root package. */
  readonly root: boolean;
  /** SHA-512 of the root package's tarball, from a place that is trusted. */
  readonly expect?: string | undefined;
  /** Version that the root package has to be. */
  readonly release?: string | undefined;
  /** Asks for all that has to be known of what is published. */
  readonly publish: boolean;
}

/** What is known of one tarball that could be read. */
export interface VerifiedPackage {
  readonly file: string;
  readonly name: string;
  readonly version: string;
  /** Null for the root package. */
  readonly target: TargetId | null;
  readonly integrity: string;
  readonly size: number;
  readonly floors: SystemFloors;
}

export interface SetReport {
  readonly packages: readonly VerifiedPackage[];
  readonly findings: readonly SetFinding[];
  /** Whether the root package is the one whose digest was given. */
  readonly anchored: boolean;
}
