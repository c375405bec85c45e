/**
 * What a header parser reports, before anything is made of it. Every parser (the embedded one, a libclang of the system)
 * prints exactly this, so the rest of the program cannot tell which one was at work. Pure data.
 */

/** Arithmetic types of C by what they are, not by a number that changes between versions of libclang. */
export type RawScalar =
  | 'void'
  | 'bool'
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | 'float'
  | 'double';

/** A C type one level at a time; declared types are named, never expanded, so that no type can grow without bound. */
export type RawType =
  | { readonly kind: 'scalar'; readonly scalar: RawScalar; readonly const: boolean }
  | { readonly kind: 'pointer'; readonly pointee: RawType; readonly const: boolean }
  /** `length` in decimal; null for `T x[]`. */
  | { readonly kind: 'array'; readonly element: RawType; readonly length: string | null }
  | {
      readonly kind: 'function';
      readonly parameters: readonly RawType[];
      readonly returns: RawType;
      readonly variadic: boolean;
      readonly prototyped: boolean;
    }
  /**
   * A typedef of the standard headers, with the scalar or other type behind it. One of 64 bits is `long` for some targets
   * and `long long` for others; a unit that was found alike one for another target has that one's word.
   */
  | { readonly kind: 'standard'; readonly name: string; readonly type: RawType; readonly const: boolean }
  /** A record, enum or typedef that the headers declare. */
  | { readonly kind: 'named'; readonly name: string; readonly const: boolean }
  /** Something this program has no words for (vectors, complex, 128-bit, anonymous types in place). */
  | { readonly kind: 'other'; readonly spelling: string };

interface RawPlace {
  /** As named in the request, without a folder of the parser. */
  readonly file: string;
  readonly line: number;
}

interface RawDeclaration {
  readonly name: string;
  readonly place: RawPlace;
  /** The comment as written, with its delimiters. */
  readonly comment: string | null;
  /** Marked by an attribute. */
  readonly deprecated: boolean;
}

export interface RawFunction extends RawDeclaration {
  readonly kind: 'function';
  /** `type` is the type as declared: an array parameter is still an array. */
  readonly parameters: readonly { readonly name: string; readonly type: RawType }[];
  readonly returns: RawType;
  readonly variadic: boolean;
  readonly prototyped: boolean;
  /** False for `static` functions, which no library exports. */
  readonly external: boolean;
  /** Defined in the header itself: a library may or may not export it. */
  readonly inline: boolean;
  readonly noReturn: boolean;
}

export interface RawField {
  /** Empty for a bit-field that only keeps bits free, and for an anonymous struct or union. */
  readonly name: string;
  readonly type: RawType;
  /** Bits of a bit-field; null for every other field. */
  readonly bits: number | null;
  /** Bytes in decimal, from the start of the record that has a name; null for bit-fields and anonymous members. */
  readonly offset: string | null;
}

export interface RawRecord extends RawDeclaration {
  readonly kind: 'record';
  readonly union: boolean;
  /** False for `struct x;` whose members are not declared. */
  readonly complete: boolean;
  readonly size: string | null;
  readonly align: string | null;
  /** Marked so by an attribute. */
  readonly packed: boolean;
  /** The record or one of its members is aligned by an attribute or `_Alignas`. */
  readonly aligned: boolean;
  /** The headers use `#pragma pack`, which shows in the layout alone. */
  readonly pragmas: boolean;
  /** An anonymous member: C has no words for its size, and its fields' offsets count from the record around it. */
  readonly anonymous: boolean;
  readonly fields: readonly RawField[];
}

export interface RawEnum extends RawDeclaration {
  readonly kind: 'enum';
  readonly type: RawType;
  readonly values: readonly { readonly name: string; readonly value: string | null }[];
}

export interface RawTypedef extends RawDeclaration {
  readonly kind: 'typedef';
  readonly type: RawType;
  /** Bytes in decimal where an attribute sets it, else null. */
  readonly align: string | null;
}

interface RawVariable extends RawDeclaration {
  readonly kind: 'variable';
}

/** What an expression is by C's own rules, evaluated by the parser. */
export type RawValue =
  | { readonly kind: 'integer'; readonly type: RawScalar; readonly value: string }
  /** `image`: the bits that make up the value as a `double`, in decimal, whichever of the two types it has. */
  | { readonly kind: 'float'; readonly type: 'float' | 'double'; readonly image: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'none'; readonly reason: string };

/** A macro without parameters that has a body. */
export interface RawMacro extends RawDeclaration {
  readonly kind: 'macro';
  /** As written, comments and line continuations included. */
  readonly body: string;
  readonly value: RawValue;
}

/** A macro with parameters: named so that its absence can be reported. */
interface RawFunctionMacro extends RawDeclaration {
  readonly kind: 'function-macro';
}

export type RawItem = RawFunction | RawRecord | RawEnum | RawTypedef | RawVariable | RawMacro | RawFunctionMacro;

type RawSeverity = 'error' | 'fatal';

export interface RawDiagnostic {
  readonly severity: RawSeverity;
  /** Null when the parser names no place. */
  readonly place: (RawPlace & { readonly column: number }) | null;
  readonly text: string;
  /** The declaration or definition that it contradicts. */
  readonly previous?: RawPlace & { readonly column: number };
}

/** Bytes of the types whose width C leaves open. */
export type RawWidths = Readonly<Record<'short' | 'int' | 'long' | 'long long' | 'pointer', number>>;

/** One translation unit, read for one target. */
export interface RawUnit {
  readonly target: string;
  readonly headers: readonly string[];
  readonly widths: RawWidths;
  /** In the order of declaration, macros after the rest of their file's position as the parser gives it. */
  readonly items: readonly RawItem[];
  /** Errors only; when there is one, `items` is empty. */
  readonly diagnostics: readonly RawDiagnostic[];
}
