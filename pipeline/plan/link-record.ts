import * as z from 'zod/mini';
import { parseDocument } from './document.ts';
import { exactVersion } from './fields.ts';

/** Relative to the record itself; absolute for a library that is not ours to move. */
const path = z.string().check(z.minLength(1), z.regex(/^[^\0]*$/, 'expected a path'));

const linkRecord = z.strictObject({
  schema: z.literal(1),
  target: z.string(),
  triple: z.string(),
  /** Version of the C library. */
  version: exactVersion,
  /** Folder to link against. */
  searchPath: path,
  /** Name that the linker is given. */
  library: z.string().check(z.regex(/^[\w.+-]+$/, 'expected the name of a library')),
  libraryFile: path,
  firmwareFile: path,
  includePath: path,
});

/** `build/<target>/link.json`: what a linker needs to know of a build. */
export type LinkRecord = z.infer<typeof linkRecord>;

/** @throws BuildError A3S1402 with line and column. */
export function parseLinkRecord(text: string, file: string): LinkRecord {
  return parseDocument(text, file, linkRecord, 'A3S1402');
}
