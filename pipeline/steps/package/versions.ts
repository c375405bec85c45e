import * as z from 'zod/mini';
import { parseDocument } from '../../plan/document.ts';
import { exactVersion, packageName } from '../../plan/fields.ts';
import { TARGET_IDS } from '../../plan/targets.ts';
import type { Contents } from './contents.ts';

const urls = z.array(z.string());
const text = z.string();
const nullableText = z.nullable(text);

const versionsSchema = z.strictObject({
  schema: z.literal(1),
  package: z.strictObject({ name: packageName, version: exactVersion }),
  target: z.enum(TARGET_IDS),
  libkrun: z.strictObject({
    version: text,
    license: text,
    features: z.array(text),
    crate: z.nullable(z.strictObject({ name: text, version: text, checksum: text })),
    correspondingSource: urls,
    ownInit: z.boolean(),
  }),
  libkrunfw: z.strictObject({
    provider: text,
    version: nullableText,
    kernel: nullableText,
    sha256: text,
    license: nullableText,
    origins: z.array(z.strictObject({ place: text, member: text, digest: text })),
    correspondingSource: z.array(z.strictObject({ url: text, digest: nullableText })),
  }),
  /** The Rust standard library inside; whether its copyright notices are known. */
  rust: z.strictObject({ version: text, notices: z.boolean() }),
  glibc: nullableText,
  macos: nullableText,
  builtWith: z.strictObject({ 'a3s-build': exactVersion }),
});

/** versions.json: what is inside a platform package and where its source is, for programs. */
export type Versions = Readonly<z.infer<typeof versionsSchema>>;

/** versions.json of a package that is about to be packed. */
export function versions(contents: Contents): Versions {
  const { name, version, target, tool, floors, libkrun, firmware, ownInit, linked } = contents;
  return {
    schema: 1,
    package: { name, version },
    target: target.id,
    libkrun: {
      version: libkrun.version,
      license: libkrun.license,
      features: [...libkrun.features],
      crate: libkrun.crate,
      correspondingSource: [...libkrun.correspondingSource],
      ownInit,
    },
    libkrunfw: {
      provider: firmware.provider,
      version: firmware.version,
      kernel: firmware.kernel,
      sha256: firmware.sha256,
      license: firmware.license,
      origins: [...firmware.origins],
      correspondingSource: [...firmware.correspondingSource],
    },
    rust: { version: linked.rust.version, notices: linked.rust.notices !== null },
    ...floors,
    builtWith: { 'a3s-build': tool },
  };
}

/**
 * Reads a versions.json that anybody may have written.
 * @throws BuildError A3S4003 with line and column.
 */
export function readVersions(content: string, file: string): Versions {
  return parseDocument(content, file, versionsSchema, 'A3S4003');
}

/** What nobody knows about the source that corresponds to a package's binaries, in words; empty where all is known. */
export function unknownSources({ libkrun, libkrunfw, rust }: Versions): string[] {
  const { correspondingSource } = libkrunfw;
  return [
    ...(libkrunfw.version === null ? ['version of libkrunfw'] : []),
    ...(libkrunfw.kernel === null ? ['version of the kernel'] : []),
    ...(libkrunfw.license === null ? ['licence of libkrunfw'] : []),
    ...(libkrunfw.origins.length === 0 ? ['where libkrunfw was published'] : []),
    ...(correspondingSource.length === 0 ? ['source of libkrunfw and the kernel'] : []),
    ...correspondingSource.filter(({ digest }) => digest === null).map(({ url }) => `digest of ${url}`),
    ...(libkrun.crate === null ? ['published source of libkrun'] : []),
    ...(libkrun.ownInit ? [] : ["source of the guest's init"]),
    ...(rust.notices ? [] : ['copyright notices of the Rust standard library']),
  ];
}
