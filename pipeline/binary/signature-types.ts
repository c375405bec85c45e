import type { PlistValue } from './plist.ts';

export type HashType = 'sha1' | 'sha256' | 'sha256-truncated' | 'sha384';

/** A table of hashes over the file; a signature may hold several, made with different hash functions. */
export interface CodeDirectory {
  readonly identifier: string;
  /** Team of the signer; null in ad-hoc signatures. */
  readonly team: string | null;
  readonly adHoc: boolean;
  /** Made by a linker, without entitlements: macOS replaces such a signature without asking. */
  readonly linkerSigned: boolean;
  /** The file runs under the hardened runtime. */
  readonly hardenedRuntime: boolean;
  readonly hashType: HashType;
  /** Bytes covered by one hash; null where one hash covers everything. */
  readonly pageSize: number | null;
  /** Bytes of the file that are covered, from its start. */
  readonly codeLimit: number;
  /** SHA-1 or SHA-2 of the directory itself, in hex, cut to 20 bytes: what macOS knows the file by. */
  readonly cdHash: string;
}

/** The code signature of a file, held against the file. */
export interface CodeSignature {
  /** The directory that macOS takes, by the strongest hash, first. */
  readonly directories: readonly [CodeDirectory, ...CodeDirectory[]];
  /** The XML text's entitlements; null where there are none. */
  readonly entitlements: Readonly<Record<string, PlistValue>> | null;
  /** The same in the binary form that newer systems read; null where there are none. */
  readonly derEntitlements: Readonly<Record<string, PlistValue>> | null;
  /** Signed by a certificate. The certificate and its chain are not checked here. */
  readonly hasCertificate: boolean;
  /** Where file and signature disagree, in words safe to print; empty for a signature that holds. */
  readonly problems: readonly string[];
}
