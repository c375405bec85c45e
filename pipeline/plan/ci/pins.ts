import * as z from 'zod/mini';
import { parseDocument } from '../document.ts';
import { exactVersion, patternText } from '../fields.ts';

const commit = patternText(/^[0-9a-f]{40}$/, 'expected a commit: 40 lower-case hexadecimal digits');
const repository = patternText(/^[\w.-]+\/[\w.-]+$/, 'expected "owner/repository"');
const sha256 = patternText(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const tag = patternText(/^v\d+(\.\d+){0,2}$/, 'expected a version such as v6 or v6.0.2');

/** A commit without the place that it was seen in cannot be told from an invented one. */
const action = z.union([
  z.strictObject({
    version: tag,
    commit,
    /** A public workflow that uses the action at this commit under this version. */
    seenIn: z.strictObject({ repository, path: z.string().check(z.minLength(1)), commit }),
  }),
  z.strictObject({ version: tag }),
]);

const pythonPackage = z.strictObject({
  version: exactVersion,
  /** Digest of each file that may be installed, by its name on the index. */
  files: z.record(patternText(/^[\w.-]+\.whl$/, 'expected the name of a wheel'), sha256),
});

const ciPins = z.strictObject({
  $comment: z.optional(z.string()),
  schema: z.literal(1),
  actions: z.record(repository, action),
  python: z.record(patternText(/^[\w.-]+$/, 'expected a package name'), pythonPackage),
});

/** What workflows use of others, with the digests that it must have. */
export type CiPins = z.infer<typeof ciPins>;

/** @throws BuildError A3S1102 with line and column. */
export function parseCiPins(text: string, file: string): CiPins {
  return parseDocument(text, file, ciPins, 'A3S1102');
}
