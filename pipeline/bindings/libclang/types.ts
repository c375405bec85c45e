import { type Clang, type CXCursor, type CXType, childrenOf, cursorKind, positionOf, typeKind } from './clang.ts';
import type { RawScalar, RawType } from './raw.ts';
import { SOURCE_ROOT } from './request.ts';

const SCALARS: Readonly<Record<string, RawScalar>> = {
  Void: 'void',
  Bool: 'bool',
  Char_S: 'char',
  Char_U: 'char',
  SChar: 'signed char',
  UChar: 'unsigned char',
  Short: 'short',
  UShort: 'unsigned short',
  Int: 'int',
  UInt: 'unsigned int',
  Long: 'long',
  ULong: 'unsigned long',
  LongLong: 'long long',
  ULongLong: 'unsigned long long',
  Float: 'float',
  Double: 'double',
};

/** Pointers to pointers to … deeper than this are not types of a real interface. */
const DEPTH_LIMIT = 32;

export function scalarOf(clang: Clang, type: CXType): RawScalar | null {
  return SCALARS[typeKind(clang, type)] ?? null;
}

/** Describes a type one level at a time; see {@link RawType}. */
export function describeType(clang: Clang, type: CXType): RawType {
  const key = clang.api.typeKey(type);
  const known = key === null ? undefined : clang.described.get(key);
  if (known !== undefined) return known;
  const described = describe(clang, type, 0);
  if (key !== null) clang.described.set(key, described);
  return described;
}

function describe(clang: Clang, type: CXType, depth: number): RawType {
  const { api } = clang;
  if (depth > DEPTH_LIMIT) return { kind: 'other', spelling: 'type nested too deeply' };
  const inner = (other: CXType) => describe(clang, other, depth + 1);
  const constant = api.isConstQualifiedType(type) !== 0;
  const scalar = scalarOf(clang, type);
  if (scalar !== null) return { kind: 'scalar', scalar, const: constant };
  switch (typeKind(clang, type)) {
    case 'Pointer':
      return { kind: 'pointer', pointee: inner(api.getPointeeType(type)), const: constant };
    case 'ConstantArray':
    case 'IncompleteArray':
      return { kind: 'array', element: inner(api.getArrayElementType(type)), length: arrayLength(clang, type) };
    case 'FunctionProto':
    case 'FunctionNoProto':
      return describeFunction(clang, type, inner);
    case 'Typedef':
      return describeTypedef(clang, type, inner, constant);
    case 'Record':
    case 'Enum':
      return describeDeclared(clang, type, constant);
    case 'Elaborated':
      return describeElaborated(clang, type, inner, constant);
    default:
      return { kind: 'other', spelling: api.getTypeSpelling(type) ?? '' };
  }
}

function describeFunction(clang: Clang, type: CXType, inner: (type: CXType) => RawType): RawType {
  const { api } = clang;
  const count = Math.max(0, api.getNumArgTypes(type));
  return {
    kind: 'function',
    parameters: Array.from({ length: count }, (_, index) => inner(api.getArgType(type, index))),
    returns: inner(api.getResultType(type)),
    variadic: api.isFunctionTypeVariadic(type) !== 0 && typeKind(clang, type) === 'FunctionProto',
    prototyped: typeKind(clang, type) === 'FunctionProto',
  };
}

function describeTypedef(clang: Clang, type: CXType, inner: (type: CXType) => RawType, constant: boolean): RawType {
  const { api } = clang;
  const declaration = api.getTypeDeclaration(type);
  const name = api.getCursorSpelling(declaration) ?? '';
  if (positionOf(clang, declaration)?.path.startsWith(SOURCE_ROOT)) return { kind: 'named', name, const: constant };
  // Not the canonical form of `type` itself: whether that repeats the outer `const` depends on the libclang.
  const behind = api.getCanonicalType(api.getTypedefDeclUnderlyingType(declaration));
  return { kind: 'standard', name, type: inner(behind), const: constant };
}

/** Some versions of libclang wrap `struct x` and typedef names once more; the wrapping says nothing. */
function describeElaborated(clang: Clang, type: CXType, inner: (type: CXType) => RawType, constant: boolean): RawType {
  const named = inner(clang.api.Type_getNamedType(type));
  return 'const' in named && constant ? { ...named, const: true } : named;
}

function describeDeclared(clang: Clang, type: CXType, constant: boolean): RawType {
  const name =
    tagName(clang, type) ?? clang.nested.get(declarationKey(clang, clang.api.getTypeDeclaration(type)))?.name;
  if (name !== undefined) return { kind: 'named', name, const: constant };
  const integer = scalarOf(clang, integerBehind(clang, type));
  if (integer !== null) return { kind: 'scalar', scalar: integer, const: constant };
  return { kind: 'other', spelling: 'struct or union without a name' };
}

/** The integer type of an enum; any other type is returned as it is. */
export function integerBehind(clang: Clang, type: CXType): CXType {
  if (typeKind(clang, type) !== 'Enum') return type;
  return clang.api.getCanonicalType(clang.api.getEnumDeclIntegerType(clang.api.getTypeDeclaration(type)));
}

/** Tells one declaration from all others of a unit, by its place. */
export function declarationKey(clang: Clang, cursor: CXCursor): string {
  const position = positionOf(clang, cursor);
  // Declarations that one macro made stand in one place.
  return position === null ? '' : `${position.path}:${position.offset}:${clang.api.hashCursor(cursor)}`;
}

/** The tag of a record or enum, or the typedef name of one without a tag; null when it has neither. */
export function tagName(clang: Clang, type: CXType): string | null {
  const { api } = clang;
  const name = api.getCursorSpelling(api.getTypeDeclaration(type)) ?? '';
  if (isIdentifier(name)) return name;
  const spelling = (api.getTypeSpelling(type) ?? '').replace(/^const /, '');
  return isIdentifier(spelling) ? spelling : null;
}

/** C expression that names a record, for `sizeof`. */
export function recordExpression(clang: Clang, type: CXType): string {
  return (clang.api.getTypeSpelling(type) ?? '').replace(/^const /, '');
}

function isIdentifier(text: string): boolean {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(text);
}

/** From the spelling, since the parser's 64-bit getters do not work: `char[5]` and also `int[2][3]`, outermost first. */
export function arrayLength(clang: Clang, type: CXType): string | null {
  return /\[(\d+)\]/.exec(clang.api.getTypeSpelling(type) ?? '')?.[1] ?? null;
}

/** First string literal behind the implicit conversions and parentheses of an initialiser. */
export function findStringLiteral(clang: Clang, cursor: Parameters<typeof childrenOf>[1]): typeof cursor | null {
  for (const child of childrenOf(clang, cursor)) {
    const kind = cursorKind(clang, child);
    if (kind === 'StringLiteral') return child;
    if (kind === 'UnexposedExpr' || kind === 'ParenExpr') return findStringLiteral(clang, child);
  }
  return null;
}
