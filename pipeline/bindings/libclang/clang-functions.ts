import type * as libclangjs from 'libclangjs/node.js';

/** The whole interface of the embedded parser. */
export type EmbeddedApi = Awaited<ReturnType<typeof libclangjs.default.default>>;

/** What goes into a function of libclang or comes out of it. A `text` is a CXString, read and disposed of. */
export type ValueKind = 'cursor' | 'type' | 'location' | 'unit' | 'number' | 'text';

/**
 * The questions that the walk asks of any libclang and that are one plain call: what it gives, then what it takes.
 * Names are those of clang-c/Index.h without `clang_`.
 */
export const CLANG_FUNCTIONS = {
  Cursor_getRawCommentText: ['text', 'cursor'],
  Cursor_isAnonymousRecordDecl: ['number', 'cursor'],
  Cursor_isBitField: ['number', 'cursor'],
  Cursor_isFunctionInlined: ['number', 'cursor'],
  Cursor_isMacroFunctionLike: ['number', 'cursor'],
  Cursor_isNull: ['number', 'cursor'],
  Type_getNamedType: ['type', 'type'],
  getArgType: ['type', 'type', 'number'],
  getArrayElementType: ['type', 'type'],
  getCanonicalType: ['type', 'type'],
  getCursorDefinition: ['cursor', 'cursor'],
  getCursorLocation: ['location', 'cursor'],
  getCursorSpelling: ['text', 'cursor'],
  getCursorType: ['type', 'cursor'],
  getEnumDeclIntegerType: ['type', 'cursor'],
  getFieldDeclBitWidth: ['number', 'cursor'],
  getNumArgTypes: ['number', 'type'],
  getPointeeType: ['type', 'type'],
  getResultType: ['type', 'type'],
  getTranslationUnitCursor: ['cursor', 'unit'],
  getTypeDeclaration: ['cursor', 'type'],
  getTypeSpelling: ['text', 'type'],
  getTypedefDeclUnderlyingType: ['type', 'cursor'],
  hashCursor: ['number', 'cursor'],
  isConstQualifiedType: ['number', 'type'],
  isCursorDefinition: ['number', 'cursor'],
  isFunctionTypeVariadic: ['number', 'type'],
  isInvalidDeclaration: ['number', 'cursor'],
} as const satisfies Partial<Record<keyof EmbeddedApi, readonly [ValueKind, ...ValueKind[]]>>;

/** Questions whose answers take more than one call, or a call back. */
type SpecialFunctions =
  | 'getCursorLinkage'
  | 'getExpansionLocation'
  | 'getFileName'
  | 'getSpellingLocation'
  | 'isNullPointer'
  | 'visitChildren';

type Constants = 'CXChildVisitResult' | 'CXLinkageKind';

type CXCursor = ReturnType<EmbeddedApi['getTranslationUnitCursor']>;
type CXType = ReturnType<EmbeddedApi['getCursorType']>;

interface OwnFunctions {
  /** A declaration as libclang writes it: with the types and lengths that it came to. */
  printed(cursor: CXCursor): string;
  /** Name of a cursor's kind (`StructDecl`): stable where the numbers are not. */
  cursorKind(cursor: CXCursor): string;
  /** Name of a type's kind (`UInt`): stable where the numbers are not. */
  typeKind(type: CXType): string;
  /** The same for the same type of one unit, and for no other; null where that cannot be told. */
  typeKey(type: CXType): number | string | null;
}

/** What the walk asks of a libclang, embedded or of the system. */
export type ClangApi = Pick<EmbeddedApi, keyof typeof CLANG_FUNCTIONS | SpecialFunctions | Constants> & OwnFunctions;
