import * as z from 'zod/mini';
import { parseDocument } from '../../plan/document.ts';
import { exactVersion, packageName, patternText } from '../../plan/fields.ts';

/** A SHA-512 as subresource integrity, the form in which npm's lock files have it. */
export const SRI = /^sha512-[A-Za-z0-9+/]{86}==$/;

const schema = z.strictObject({
  schema: z.literal(1),
  packages: z.record(
    packageName,
    z.strictObject({
      version: exactVersion,
      integrity: patternText(SRI, 'expected an SRI digest "sha512-…"'),
      /** Bytes of the tarball. */
      size: z.int().check(z.positive()),
    }),
  ),
});

/** integrity.json of the root package: the tarballs of the platform packages that belong to it, by name. */
export type IntegrityRecord = Readonly<z.infer<typeof schema>>;

/** The record of tarballs that were just packed, or verified. */
export function integrityRecord(
  tarballs: readonly {
    readonly name: string;
    readonly version: string;
    readonly integrity: string;
    readonly packed: number;
  }[],
): IntegrityRecord {
  const sorted = tarballs.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const entries = sorted.map(({ name, version, integrity, packed }) => [name, { version, integrity, size: packed }]);
  return { schema: 1, packages: Object.fromEntries(entries) };
}

/** @throws BuildError A3S4002 with line and column. */
export function readIntegrity(content: string, file: string): IntegrityRecord {
  return parseDocument(content, file, schema, 'A3S4002');
}
