import { createHash } from 'node:crypto';
import { LOCK_FORM } from './abi-files.ts';
import type { AbiInterface, AbiLock, AbiMade } from './abi-schema.ts';
import { escapeSteering } from './comment-text.ts';
import { commonIr } from './common-ir.ts';
import type { CType, Docs, EmittedFile, FunctionItem, HeaderIr, Item, ParameterRole, RecordItem } from './ir.ts';
import { nodeModel } from './napi-model.ts';
import { groupByInterface } from './target-groups.ts';

// Reading a lock takes a library that is slow to load, and is seldom needed: see abi-schema.ts.
export type { AbiInterface, AbiLock, AbiMade } from './abi-schema.ts';

/**
 * Makes `abi.json`: keys in a fixed order, one line for each parameter and constant, so that a diff reads well.
 * @param how Left out where the interface alone is wanted.
 */
export function emitAbi(irs: readonly HeaderIr[], how?: AbiMade): EmittedFile {
  return { path: 'abi.json', content: lockText({ ...toLock(irs), made: how }) };
}

/** The text of a lock, as it is committed. */
export function lockText({ form, headers, made, interfaces }: AbiLock): string {
  return `${layOut({ form, headers, ...(made === undefined ? {} : { made }), interfaces }, '')}\n`;
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

/** The lock of the IRs of all targets, as it is read back. */
export function toLock(irs: readonly HeaderIr[]): AbiLock {
  const groups = groupByInterface(irs);
  const { functions, constants } = nodeModel(commonIr(groups).ir);
  const offered: Offered = {
    functions: new Set(functions.map(({ item }) => item.name)),
    constants: new Set(constants.map(({ name }) => name)),
  };
  const interfaces = groups.map(({ targets, value }) => ({ targets: [...targets], ...interfaceOf(value, offered) }));
  return { form: LOCK_FORM, headers: [...(irs[0]?.headers ?? [])], interfaces };
}

/** The interface for a target, or undefined where the lock has none. */
export function interfaceFor({ interfaces }: AbiLock, target: string): AbiInterface | undefined {
  return interfaces.find(({ targets }) => targets.includes(target));
}

/** Names of the functions that the lock has for a target; none where it does not know the target. */
export function functionNames(lock: AbiLock, target: string): readonly string[] {
  return interfaceFor(lock, target)?.functions.map(({ name }) => name) ?? [];
}

/** What the Node addon has, by C name. */
interface Offered {
  readonly functions: ReadonlySet<string>;
  readonly constants: ReadonlySet<string>;
}

function interfaceOf(ir: HeaderIr, offered: Offered): Omit<AbiInterface, 'targets'> {
  const pick = <K extends Item['kind']>(kind: K) =>
    ir.items.filter((item): item is Extract<Item, { readonly kind: K }> => item.kind === kind);
  const node = (name: string, names: ReadonlySet<string>) => (names.has(name) ? {} : { node: false as const });
  return {
    functions: pick('function').map((item) => ({
      ...functionLock(item),
      ...node(item.name, offered.functions),
      ...describe(item.docs),
    })),
    constants: pick('constant').map(({ value, ...item }) => ({
      ...declare(item),
      type: value.kind === 'string' ? 'string' : value.kind === 'float' ? `f${value.bits}` : typeText(value.type),
      value: value.value,
      ...node(item.name, offered.constants),
      ...describe(item.docs),
    })),
    records: pick('record').map((item) => ({ ...recordLock(item), ...describe(item.docs) })),
    enums: pick('enum').map(({ type, values, ...item }) => ({
      ...declare(item),
      type: typeText(type),
      values: values.map(({ name, value }) => ({ name, value, ...node(name, offered.constants) })),
      ...describe(item.docs),
    })),
    typedefs: pick('typedef').map((item) => ({ ...declare(item), type: typeText(item.type), ...describe(item.docs) })),
  };
}

function functionLock(item: FunctionItem) {
  return {
    ...declare(item),
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
  };
}

function recordLock(item: RecordItem) {
  const { union, layout, fields } = item;
  return {
    ...declare(item),
    ...(union ? { union: true as const } : {}),
    size: layout?.size ?? null,
    align: layout?.align ?? null,
    fields: fields.map((field) => ({
      name: field.name,
      type: typeText(field.type),
      offset: field.offset,
      ...(field.bits === undefined ? {} : { bits: `${field.bits.width} from bit ${field.bits.start}` }),
    })),
  };
}

function declare({ name, place }: Pick<Item, 'name' | 'place'>) {
  return { name, header: place.file };
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
    case 'out-bytes':
      return `${role.kind} counted by ${role.lengthIn}`;
    case 'buffer-length':
    case 'record-length':
    case 'out-length':
      return `${role.kind} of ${role.of}`;
    default:
      return role.kind;
  }
}

/** JSON in which an object or list without others inside stands on one line. */
function layOut(value: unknown, indent: string): string {
  if (value === null || typeof value !== 'object') return escapeSteering(JSON.stringify(value));
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
