import { createHash } from 'node:crypto';
import semver from 'semver';
import * as z from 'zod';
import { parseDocument } from '../plan/document.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import type { CType, Docs, EmittedFile, HeaderIr, Item, ParameterRole } from './ir.ts';
import { nodeModel } from './napi-model.ts';

/** Version of the lock's form; a lock of another form is not read. */
const FORM = 1;
/** The lock of libkrun.h has 50 KB. */
const SIZE_LIMIT = 16 * 1024 * 1024;

const text = z.string().max(4_096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');
const named = { name: text };
const described = { deprecated: z.literal(true).optional(), docs: sha256.nullable() };

const functionLock = z.strictObject({
  ...named,
  returns: text,
  meaning: z.enum(['status', 'value', 'boolean', 'never', 'plain']),
  variadic: z.literal(true).optional(),
  unprototyped: z.literal(true).optional(),
  parameters: z.array(z.strictObject({ ...named, type: text, role: text, nullable: z.literal(true).optional() })),
  /** Absent where the Node addon offers the function. */
  node: z.literal(false).optional(),
  ...described,
});
const constantLock = z.strictObject({ ...named, type: text, value: text, ...described });
const recordLock = z.strictObject({
  ...named,
  union: z.literal(true).optional(),
  size: z.int().nonnegative().nullable(),
  align: z.int().positive().nullable(),
  fields: z.array(z.strictObject({ ...named, type: text, offset: z.int().nonnegative(), bits: text.optional() })),
  ...described,
});
const enumLock = z.strictObject({
  ...named,
  type: text,
  values: z.array(z.strictObject({ ...named, value: text })),
  ...described,
});
const typedefLock = z.strictObject({ ...named, type: text, ...described });

/** No segment may begin with a dot: the path leads nowhere but below the lock's own folder. */
const inside = text.regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a plain relative path');

const made = z.strictObject({
  /** Version of the packages that the bindings were made for. */
  package: text.refine((version) => semver.valid(version) !== null, 'must be a version'),
  /** Digest of what decides, beside the header, what the emitters write. */
  generator: sha256,
  files: z.array(z.strictObject({ path: inside, sha256 })),
});

const lockSchema = z.strictObject({
  form: z.literal(FORM),
  target: text,
  headers: z.array(text),
  made: made.optional(),
  functions: z.array(functionLock),
  constants: z.array(constantLock),
  records: z.array(recordLock),
  enums: z.array(enumLock),
  typedefs: z.array(typedefLock),
});

/** The interface as committed: every name, type, meaning and value, a digest for each comment, and no prose. */
export type AbiLock = Readonly<z.infer<typeof lockSchema>>;

/** How the files beside the lock were made. */
export type AbiMade = Readonly<z.infer<typeof made>>;

/**
 * Makes `abi.json`: keys in a fixed order, one line for each parameter and constant, so that a diff reads well.
 * @param how Left out where the interface alone is wanted.
 */
export function emitAbi(ir: HeaderIr, how?: AbiMade): EmittedFile {
  const { form, target, headers, ...items } = toLock(ir);
  const lock = { form, target, headers, ...(how === undefined ? {} : { made: how }), ...items };
  return { path: 'abi.json', content: `${layOut(lock, '')}\n` };
}

/**
 * Says how files were made: for which package version, by what, and the SHA-256 of each.
 * @param runtimeLock Text of the Cargo.lock that the addon's dependencies are taken from.
 * @param missing Functions that the library does not export.
 */
export function describeMade(
  packageVersion: string,
  toolVersion: string,
  runtimeLock: string,
  missing: readonly string[],
  files: readonly EmittedFile[],
): AbiMade {
  return {
    package: packageVersion,
    generator: sha256Of(JSON.stringify([toolVersion, sha256Of(runtimeLock), missing])),
    files: files.map(({ path, content }) => ({ path, sha256: sha256Of(content) })),
  };
}

/** SHA-256 of a text's UTF-8 bytes, lower-case hexadecimal. */
export function sha256Of(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The lock of an IR, as {@link readAbi} would read it back. */
export function toLock(ir: HeaderIr): AbiLock {
  const pick = <K extends Item['kind']>(kind: K) =>
    ir.items.filter((item): item is Extract<Item, { readonly kind: K }> => item.kind === kind);
  const notInNode = new Set(nodeModel(ir).skipped.map(({ name }) => name));
  return {
    form: FORM,
    target: ir.target,
    headers: [...ir.headers],
    functions: pick('function').map((item) => ({
      name: item.name,
      returns: typeText(item.returns),
      meaning: item.meaning,
      ...(item.variadic ? { variadic: true as const } : {}),
      ...(item.prototyped ? {} : { unprototyped: true as const }),
      parameters: item.parameters.map(({ name, type, role, nullable }) => ({
        name,
        type: typeText(type),
        role: roleText(role),
        ...(nullable ? { nullable: true as const } : {}),
      })),
      ...(notInNode.has(item.name) ? { node: false as const } : {}),
      ...describe(item.docs),
    })),
    constants: pick('constant').map(({ name, value, docs }) => ({
      name,
      type: value.kind === 'string' ? 'string' : value.kind === 'float' ? `f${value.bits}` : typeText(value.type),
      value: value.value,
      ...describe(docs),
    })),
    records: pick('record').map(({ name, union, layout, fields, docs }) => ({
      name,
      ...(union ? { union: true as const } : {}),
      size: layout?.size ?? null,
      align: layout?.align ?? null,
      fields: fields.map((field) => ({
        name: field.name,
        type: typeText(field.type),
        offset: field.offset,
        ...(field.bits === undefined ? {} : { bits: `${field.bits.width} from bit ${field.bits.start}` }),
      })),
      ...describe(docs),
    })),
    enums: pick('enum').map(({ name, type, values, docs }) => ({
      name,
      type: typeText(type),
      values: values.map((entry) => ({ ...entry })),
      ...describe(docs),
    })),
    typedefs: pick('typedef').map(({ name, type, docs }) => ({ name, type: typeText(type), ...describe(docs) })),
  };
}

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

/** SHA-256 of a comment's words; independent of how its lines were broken by stars and indentation. */
export function docsDigest(docs: Docs | null): string | null {
  if (docs === null) return null;
  const { summary, details, parameters, returns, deprecated } = docs;
  const content = JSON.stringify([summary, details, Object.entries(parameters), returns, deprecated]);
  return sha256Of(content);
}

function describe(docs: Docs | null): { deprecated?: true; docs: string | null } {
  const deprecated = docs !== null && docs.deprecated !== null;
  return { ...(deprecated ? { deprecated: true as const } : {}), docs: docsDigest(docs) };
}

/**
 * A type in one line: width first, then the C spelling where it says more (`i32 int`, `u64 size_t`), pointers with
 * what they point to (`*const char`).
 */
function typeText(type: CType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.signed ? 'i' : 'u'}${type.bits} ${type.spelling}`;
    case 'float':
      return `f${type.bits}`;
    case 'pointer':
      return `*${type.const ? 'const' : 'mut'} ${typeText(type.pointee)}`;
    case 'array':
      return `[${typeText(type.element)}; ${type.length ?? ''}]`;
    case 'function':
      return `fn(${[...type.parameters.map(typeText), ...(type.variadic ? ['...'] : [])].join(', ')}) -> ${typeText(type.returns)}`;
    case 'named':
      return `named ${type.name}`;
    default:
      return type.kind;
  }
}

function roleText(role: ParameterRole): string {
  switch (role.kind) {
    case 'fixed-bytes':
      return `fixed-bytes ${role.length}`;
    case 'buffer':
    case 'record':
      return `${role.kind} counted by ${role.lengthIn}`;
    case 'buffer-length':
    case 'record-length':
      return `${role.kind} of ${role.of}`;
    default:
      return role.kind;
  }
}

/** JSON in which an object or list without others inside stands on one line. */
function layOut(value: unknown, indent: string): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  const flat = Object.values(value).every((entry) => entry === null || typeof entry !== 'object');
  const entries = Array.isArray(value)
    ? value.map((entry) => layOut(entry, inner))
    : Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${layOut(entry, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return `${open}${close}`;
  if (flat) return Array.isArray(value) ? `[${entries.join(', ')}]` : `{ ${entries.join(', ')} }`;
  return `${open}\n${inner}${entries.join(`,\n${inner}`)}\n${indent}${close}`;
}
