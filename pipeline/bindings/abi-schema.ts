import semver from 'semver';
import * as z from 'zod/mini';
import { parseDocument } from '../plan/document.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import { LOCK_FORM } from './abi-files.ts';

/** The lock of libkrun.h has 50 KB. */
const SIZE_LIMIT = 16 * 1024 * 1024;

const text = z.string().check(z.maxLength(4_096));
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal'));
const named = { name: text };
/** `header` is the one that an item stands in. */
const declared = { ...named, header: text };
/** Absent where the Node addon offers it. */
const offered = { node: z.optional(z.literal(false)) };
const described = { deprecated: z.optional(z.literal(true)), docs: z.nullable(sha256) };

const functionLock = z.strictObject({
  ...declared,
  returns: text,
  meaning: z.enum(['status', 'value', 'boolean', 'never', 'plain']),
  variadic: z.optional(z.literal(true)),
  unprototyped: z.optional(z.literal(true)),
  parameters: z.array(z.strictObject({ ...named, type: text, role: text, nullable: z.optional(z.literal(true)) })),
  ...offered,
  ...described,
});
const constantLock = z.strictObject({ ...declared, type: text, value: text, ...offered, ...described });
const recordLock = z.strictObject({
  ...declared,
  union: z.optional(z.literal(true)),
  size: z.nullable(z.int().check(z.nonnegative())),
  align: z.nullable(z.int().check(z.positive())),
  fields: z.array(
    z.strictObject({ ...named, type: text, offset: z.int().check(z.nonnegative()), bits: z.optional(text) }),
  ),
  ...described,
});
const enumLock = z.strictObject({
  ...declared,
  type: text,
  values: z.array(z.strictObject({ ...named, value: text, ...offered })),
  ...described,
});
const typedefLock = z.strictObject({ ...declared, type: text, ...described });

/** No segment may begin with a dot: the path leads nowhere but below the lock's own folder. */
const inside = text.check(z.regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a plain relative path'));

const made = z.strictObject({
  /** Version of the packages that the bindings were made for. */
  package: text.check(z.refine((version) => semver.valid(version) !== null, 'must be a version')),
  /** Digest of what decides, beside the header, what the emitters write. */
  generator: sha256,
  files: z.array(z.strictObject({ path: inside, sha256 })),
});

const interfaceLock = z.strictObject({
  /** Those on which the headers declare exactly this. */
  targets: z.array(text),
  functions: z.array(functionLock),
  constants: z.array(constantLock),
  records: z.array(recordLock),
  enums: z.array(enumLock),
  typedefs: z.array(typedefLock),
});

const lockSchema = z.strictObject({
  form: z.literal(LOCK_FORM),
  headers: z.array(text),
  made: z.optional(made),
  interfaces: z.array(interfaceLock).check(z.refine(namesTargetsOnce, 'a target may be named only once')),
});

function namesTargetsOnce(interfaces: readonly { readonly targets: readonly string[] }[]): boolean {
  const all = interfaces.flatMap(({ targets }) => targets);
  return new Set(all).size === all.length;
}

/** What the headers declare for some targets: every name, type, meaning and value, and a digest for each comment. */
export type AbiInterface = Readonly<z.infer<typeof interfaceLock>>;

/** The interface as committed, for every target, without prose. */
export type AbiLock = Readonly<z.infer<typeof lockSchema>>;

/** How the files beside the lock were made. */
export type AbiMade = Readonly<z.infer<typeof made>>;

/**
 * Reads a lock that may have been edited or damaged.
 * @throws BuildError A3S3001, with line and column, when it is not a lock of this form.
 */
export function readAbi(content: string, file = 'abi.json'): AbiLock {
  try {
    return parseDocument(content.slice(0, SIZE_LIMIT), file, lockSchema, 'A3S3001');
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const { message, where } = error.failure;
    const cause = 'The lock was damaged, edited, merged with conflicts, or written by another version of a3s-build.';
    throw buildError('A3S3001', { message, cause, ...(where === undefined ? {} : { where }) }, error);
  }
}
