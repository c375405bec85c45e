import * as z from 'zod';
import { parseDocument } from './document.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const integrity = z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'expected an SRI digest "sha512-…"');
const bytes = z.int().positive();
/** A path inside an archive: relative, without `..`. */
const member = z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0\n\\]+$/, 'expected a relative path without ".."');
const packageName = z
  .string()
  .regex(/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/, 'expected an npm package name');
const version = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'expected an exact version');

const npmSource = z.strictObject({ kind: z.literal('npm'), package: packageName, version });
const urlSource = z.strictObject({ kind: z.literal('url'), url: z.url({ protocol: /^https$/ }) });

const firmwareArtifact = z.strictObject({
  /** Several places of the same bytes; tried in order. */
  sources: z.array(z.discriminatedUnion('kind', [npmSource, urlSource])).min(1),
  archive: z
    .strictObject({
      /** Bytes; where unknown, `sizeLimit` bounds the download instead. */
      size: bytes.optional(),
      sizeLimit: bytes.optional(),
      integrity: integrity.optional(),
      sha256: sha256.optional(),
    })
    .refine((archive) => archive.integrity !== undefined || archive.sha256 !== undefined, 'a digest is required')
    .refine(
      (archive) => archive.size !== undefined || archive.sizeLimit !== undefined,
      'size or sizeLimit is required',
    ),
  member,
  /** Digest of the member; may be absent only because the archive that holds it is pinned. */
  file: z.strictObject({ size: bytes, sha256 }).optional(),
});

const firmwareProvider = z.strictObject({
  /** Version of libkrunfw. */
  version,
  /** What the guest's `uname -r` prints; null where nobody measured it. */
  kernel: z.string().nullable(),
  license: z.string(),
  /** Where the source that corresponds to the binary is. */
  correspondingSource: z.array(z.url()).min(1),
  targets: z.record(z.enum(['linux-x64', 'linux-arm64', 'darwin-arm64']), firmwareArtifact.optional()),
});

const firmwarePins = z.strictObject({
  $comment: z.string().optional(),
  schema: z.literal(1),
  providers: z.strictObject({ npm: firmwareProvider, github: firmwareProvider }),
});

const libkrunPins = z.strictObject({
  $comment: z.string().optional(),
  schema: z.literal(1),
  /** Published crate that carries the source; `checksum` is cargo's own. */
  crate: z.strictObject({ name: z.string().regex(/^[a-z0-9_-]+$/), version, checksum: sha256 }),
  archive: z.strictObject({ member, folder: member, size: bytes, sha256 }),
  /** Version of the C library and its ABI number. */
  library: z.strictObject({ version, abi: z.int().nonnegative() }),
  license: z.string(),
  correspondingSource: z.array(z.url()).min(1),
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
}

/** @throws BuildError A3S1102 with line and column. */
export function parseFirmwarePins(text: string, file: string): FirmwarePins {
  return parseDocument(text, file, firmwarePins, 'A3S1102');
}

/** @throws BuildError A3S1102 with line and column. */
export function parseLibkrunPins(text: string, file: string): LibkrunPins {
  return parseDocument(text, file, libkrunPins, 'A3S1102');
}
