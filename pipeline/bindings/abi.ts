import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseDocument } from '../plan/document.ts';
import type { CType, Docs, EmittedFile, HeaderIr, Item, ParameterRole } from './ir.ts';

/** Version of the lock's form; a lock of another form is not read. */
const FORM = 1;
/** The lock of libkrun.h has 50 KB. */
const SIZE_LIMIT = 16 * 1024 * 1024;

const text = z.string().max(4_096);
const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal')
  .nullable();
const named = { name: text };

const functionLock = z.strictObject({
  ...named,
  returns: text,
  meaning: z.enum(['status', 'value', 'boolean', 'never', 'plain']),
  variadic: z.literal(true).optional(),
  unprototyped: z.literal(true).optional(),
  parameters: z.array(z.strictObject({ ...named, type: text, role: text, nullable: z.literal(true).optional() })),
  docs: digest,
});
const constantLock = z.strictObject({ ...named, type: text, value: text, docs: digest });
const recordLock = z.strictObject({
  ...named,
  union: z.literal(true).optional(),
  size: z.int().nonnegative().nullable(),
  align: z.int().positive().nullable(),
  fields: z.array(z.strictObject({ ...named, type: text, offset: z.int().nonnegative() })),
  docs: digest,
});
const enumLock = z.strictObject({
  ...named,
  type: text,
  values: z.array(z.strictObject({ ...named, value: text })),
  docs: digest,
});
const typedefLock = z.strictObject({ ...named, type: text, docs: digest });

const lockSchema = z.strictObject({
  form: z.literal(FORM),
  target: text,
  headers: z.array(text),
  functions: z.array(functionLock),
  constants: z.array(constantLock),
  records: z.array(recordLock),
  enums: z.array(enumLock),
  typedefs: z.array(typedefLock),
});

/** The interface as committed: every name, type, meaning and value, a digest for each comment, and no prose. */
export type AbiLock = Readonly<z.infer<typeof lockSchema>>;

/** Makes `abi.json`: keys in a fixed order, one line for each parameter and constant, so that a diff reads well. */
export function emitAbi(ir: HeaderIr): EmittedFile {
  return { path: 'abi.json', content: `${layOut(toLock(ir), '')}\n` };
}

/** The lock of an IR, as {@link readAbi} would read it back. */
export function toLock(ir: HeaderIr): AbiLock {
  const pick = <K extends Item['kind']>(kind: K) =>
    ir.items.filter((item): item is Extract<Item, { readonly kind: K }> => item.kind === kind);
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
      docs: docsDigest(item.docs),
    })),
    constants: pick('constant').map(({ name, value, docs }) => ({
      name,
      type: value.kind === 'string' ? 'string' : typeText(value.type),
      value: value.value,
      docs: docsDigest(docs),
    })),
    records: pick('record').map(({ name, union, layout, fields, docs }) => ({
      name,
      ...(union ? { union: true as const } : {}),
      size: layout?.size ?? null,
      align: layout?.align ?? null,
      fields: fields.map((field) => ({ name: field.name, type: typeText(field.type), offset: field.offset })),
      docs: docsDigest(docs),
    })),
    enums: pick('enum').map(({ name, type, values, docs }) => ({
      name,
      type: typeText(type),
      values: values.map((entry) => ({ ...entry })),
      docs: docsDigest(docs),
    })),
    typedefs: pick('typedef').map(({ name, type, docs }) => ({ name, type: typeText(type), docs: docsDigest(docs) })),
  };
}

/**
 * Reads a lock that may have been edited or damaged.
 * @throws BuildError A3S3001, with line and column, when it is not a lock of this form.
 */
export function readAbi(content: string): AbiLock {
  return parseDocument(content.slice(0, SIZE_LIMIT), 'abi.json', lockSchema, 'A3S3001');
}

/** SHA-256 of a comment's words; independent of how its lines were broken by stars and indentation. */
export function docsDigest(docs: Docs | null): string | null {
  if (docs === null) return null;
  const { summary, details, parameters, returns, deprecated } = docs;
  const content = JSON.stringify([summary, details, Object.entries(parameters), returns, deprecated]);
  return createHash('sha256').update(content).digest('hex');
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
      return `fn(${type.parameters.map(typeText).join(', ')}) -> ${typeText(type.returns)}`;
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
