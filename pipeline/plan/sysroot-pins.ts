import * as z from 'zod/mini';
import { parseDocument } from './document.ts';
import { bytes, member, patternText, sha256 } from './fields.ts';

const debianPackage = z.strictObject({
  name: patternText(/^[a-z0-9][a-z0-9+.-]+$/, 'expected the name of a Debian package'),
  version: patternText(/^[0-9][A-Za-z0-9.+~:-]*$/, 'expected a Debian version'),
  /** Below the root of any Debian mirror. */
  path: member,
  size: bytes,
  sha256,
  license: z.string(),
  /** Debian's source package of the same version, which corresponds to it. */
  source: z.string(),
});

const packages = z.array(debianPackage).check(z.minLength(1));

const sysrootPins = z.strictObject({
  $comment: z.optional(z.string()),
  schema: z.literal(1),
  /** By Debian's name of the processor. */
  architectures: z.strictObject({ arm64: packages, amd64: packages }),
});

export type DebianPackage = z.infer<typeof debianPackage>;
export type SysrootPins = z.infer<typeof sysrootPins>;

/** @throws BuildError A3S1102 with line and column. */
export function parseSysrootPins(text: string, file: string): SysrootPins {
  return parseDocument(text, file, sysrootPins, 'A3S1102');
}
