import * as z from 'zod/mini';
import { parseDocument } from './document.ts';
import { bytes, exactVersion, member, packageName, patternText, sha256 } from './fields.ts';
import type { SysrootPins } from './sysroot-pins.ts';

const integrity = patternText(/^sha512-[A-Za-z0-9+/]{86}==$/, 'expected an SRI digest "sha512-…"');
const sourceDigest = patternText(
  /^(sha256:[0-9a-f]{64}|git:[0-9a-f]{40})$/,
  'expected "sha256:" and 64 digits, or "git:" and a commit',
);
const urls = z.array(z.url()).check(z.minLength(1));

const npmSource = z.strictObject({ kind: z.literal('npm'), package: packageName, version: exactVersion });
const urlSource = z.strictObject({ kind: z.literal('url'), url: z.url({ protocol: /^https$/ }) });

const archive = z
  .strictObject({
    /** Bytes; where unknown, `sizeLimit` bounds the download instead. */
    size: z.optional(bytes),
    sizeLimit: z.optional(bytes),
    integrity: z.optional(integrity),
    sha256: z.optional(sha256),
  })
  .check(
    z.refine((pin) => pin.integrity !== undefined || pin.sha256 !== undefined, 'a digest is required'),
    z.refine((pin) => pin.size !== undefined || pin.sizeLimit !== undefined, 'size or sizeLimit is required'),
  );

const firmwareArtifact = z.strictObject({
  /** Several places of the same bytes; tried in order. */
  sources: z.array(z.discriminatedUnion('kind', [npmSource, urlSource])).check(z.minLength(1)),
  archive,
  member,
  /** Digest of the member; may be absent only because the archive that holds it is pinned. */
  file: z.optional(z.strictObject({ size: bytes, sha256 })),
});

const firmwareProvider = z.strictObject({
  /** Version of libkrunfw. */
  version: exactVersion,
  /** What the guest's `uname -r` prints; null where nobody measured it. */
  kernel: z.nullable(z.string()),
  license: z.string(),
  /** Where the source that corresponds to the binary is. */
  correspondingSource: urls,
  /** What is at those addresses, by address, as far as somebody looked: the SHA-256 of a file, a Git commit of a tree. */
  sourceDigests: z.optional(z.record(z.string(), sourceDigest)),
  targets: z.strictObject({
    'linux-x64': z.optional(firmwareArtifact),
    'linux-arm64': z.optional(firmwareArtifact),
    'darwin-arm64': z.optional(firmwareArtifact),
  }),
});

const firmwarePins = z.strictObject({
  $comment: z.optional(z.string()),
  schema: z.literal(1),
  providers: z.strictObject({ npm: firmwareProvider, github: firmwareProvider }),
});

const libkrunPins = z.strictObject({
  $comment: z.optional(z.string()),
  schema: z.literal(1),
  /** Published crate that carries the source; `checksum` is cargo's own. */
  crate: z.strictObject({
    name: patternText(/^[a-z0-9_-]+$/, 'expected a crate name'),
    version: exactVersion,
    checksum: sha256,
  }),
  archive: z.strictObject({ member, folder: member, size: bytes, sha256 }),
  /** Version of the C library and its ABI number. */
  library: z.strictObject({ version: exactVersion, abi: z.int().check(z.nonnegative()) }),
  license: z.string(),
  correspondingSource: urls,
  exports: z.strictObject({
    /** Functions that the header declares and this build does not export, each with the reason. */
    missing: z.record(z.string(), z.string()),
    /** Exports that no header declares, each with the reason. */
    extra: z.record(z.string(), z.string()),
  }),
});

export type FirmwareProvider = 'npm' | 'github';
export type FirmwareArtifact = z.infer<typeof firmwareArtifact>;
export type FirmwarePins = z.infer<typeof firmwarePins>;
export type LibkrunPins = z.infer<typeof libkrunPins>;

export interface Pins {
  readonly firmware: FirmwarePins;
  readonly libkrun: LibkrunPins;
  readonly sysroot: SysrootPins;
}

/** @throws BuildError A3S1102 with line and column. */
export function parseFirmwarePins(text: string, file: string): FirmwarePins {
  return parseDocument(text, file, firmwarePins, 'A3S1102');
}

/** @throws BuildError A3S1102 with line and column. */
export function parseLibkrunPins(text: string, file: string): LibkrunPins {
  return parseDocument(text, file, libkrunPins, 'A3S1102');
}
