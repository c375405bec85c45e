import type { SystemFloors } from '../../binary/audit-file.ts';
import type { Target } from '../../plan/targets.ts';
import type { LinkedNotices } from '../linked-crates.ts';
import type { Crate } from './crates.ts';

/** What a platform package is made of: all that its metadata tells. */
export interface Contents {
  readonly name: string;
  readonly version: string;
  readonly target: Target;
  /** Address of the project's Git repository. */
  readonly repository?: string | undefined;
  /** Version of a3s-build. */
  readonly tool: string;
  /** Seconds since 1970, for documents that carry a time. */
  readonly date: number;
  /** Oldest systems on which every binary of the package loads. */
  readonly floors: SystemFloors;
  readonly libkrun: Libkrun;
  readonly firmware: Firmware;
  /** False when the packager supplied a ready init, of which nothing else is known. */
  readonly ownInit: boolean;
  /** Crates inside libkrun, launcher and addon. */
  readonly crates: readonly Crate[];
  /** The same with the texts that they carry, and the Rust standard library's. */
  readonly linked: LinkedNotices;
}

export interface Libkrun {
  readonly version: string;
  readonly license: string;
  readonly features: readonly string[];
  /** The pinned crate that carries the source; null when it was built from a source tree of the packager's. */
  readonly crate: { readonly name: string; readonly version: string; readonly checksum: string } | null;
  readonly correspondingSource: readonly string[];
}

export interface Firmware {
  /** `npm`, `github`, or the name of the variable by which the packager supplied a file. */
  readonly provider: string;
  /** Version of libkrunfw; null for a supplied file. */
  readonly version: string | null;
  /** Release of the Linux kernel inside. */
  readonly kernel: string | null;
  readonly sha256: string;
  readonly license: string | null;
  /** Where the file was published; empty for a supplied one. */
  readonly origins: readonly Origin[];
  readonly correspondingSource: readonly { readonly url: string; readonly digest: string | null }[];
}

/** A place that a prebuilt file came from. */
export interface Origin {
  readonly place: string;
  readonly member: string;
  /** Digest of the archive, with the name of its algorithm. */
  readonly digest: string;
}

/** A licence text that a platform package carries. */
export interface LicenseText {
  /** Name below `licenses/`. */
  readonly file: string;
  /** Where it comes from: the pins' folder, or libkrun's source tree. */
  readonly from: 'vendor/licenses' | 'source';
  readonly path: string;
}

const TEXTS: readonly LicenseText[] = ['Apache-2.0.txt', 'GPL-2.0-only.txt', 'LGPL-2.1-only.txt'].map((file) => ({
  file,
  from: 'vendor/licenses',
  path: file,
}));

/** libkrun embeds EDK2 in its builds for arm64. */
const EDK2_TEXT: LicenseText = { file: 'edk2.txt', from: 'source', path: 'edk2/License.txt' };

/** Whether libkrun for this target has EDK2 inside. */
export function hasEdk2(target: Pick<Target, 'machine'>): boolean {
  return target.machine === 'aarch64';
}

/** Licence texts for a target. */
export function licenseTexts(target: Pick<Target, 'machine'>): readonly LicenseText[] {
  return hasEdk2(target) ? [...TEXTS, EDK2_TEXT] : TEXTS;
}

/** What decides under which licences a package is. */
export interface Licensed {
  readonly libkrun: Pick<Libkrun, 'license'>;
  readonly firmware: Pick<Firmware, 'license'>;
  readonly target: Pick<Target, 'machine'>;
}

/** SPDX expression for the whole package. */
export function packageLicense(contents: Licensed): string {
  const { libkrun, firmware, target } = contents;
  const parts = [libkrun.license, firmware.license ?? 'LGPL-2.1-only AND GPL-2.0-only'];
  if (hasEdk2(target)) parts.push('BSD-2-Clause-Patent');
  return parts.map((part) => (/ OR /.test(part) ? `(${part})` : part)).join(' AND ');
}
