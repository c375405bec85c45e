/**
 * The language-neutral picture of a C header that every emitter reads. Pure data: readonly, JSON-serialisable,
 * tagged by `kind`, one per target, names in their C spelling.
 */

/** Where a declaration stands. `file` is the name given to the generator (`libkrun.h`), never an absolute path. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A C type after typedefs of the standard headers are resolved to widths; other typedefs keep their name. */
export type CType =
  | { readonly kind: 'void' }
  | { readonly kind: 'bool' }
  /** `spelling` is what the header wrote (`uint32_t`, `int`, `uid_t`). */
  | { readonly kind: 'integer'; readonly signed: boolean; readonly bits: 8 | 16 | 32 | 64; readonly spelling: string }
  /** Plain `char`, apart from `int8_t`: the element of C strings. */
  | { readonly kind: 'char' }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  /** `const` says whether the pointee is const. */
  | { readonly kind: 'pointer'; readonly pointee: CType; readonly const: boolean }
  | { readonly kind: 'array'; readonly element: CType; readonly length: number | null }
  | {
      readonly kind: 'function';
      readonly parameters: readonly CType[];
      readonly returns: CType;
      readonly variadic?: true;
    }
  /** A record, enum or typedef of the headers, by name. */
  | { readonly kind: 'named'; readonly name: string };

/** What a parameter is for: proven by its C type and doc comment, else taken from the override table. */
export type ParameterRole =
  /** Passed as it is. A pointer with this role (to a record, to a function) is for raw bindings only. */
  | { readonly kind: 'value' }
  /** NUL-terminated string that the function only reads. */
  | { readonly kind: 'string' }
  /** Array of NUL-terminated strings that ends with a null pointer. */
  | { readonly kind: 'string-array' }
  /** Exactly `length` bytes. */
  | { readonly kind: 'fixed-bytes'; readonly length: number }
  /** Numbers or bytes that the function only reads; their count stands in the parameter named `lengthIn`. */
  | { readonly kind: 'buffer'; readonly lengthIn: string }
  /** Count of the elements in the parameter named `of`; callers of a safe binding never pass it. */
  | { readonly kind: 'buffer-length'; readonly of: string }
  /** Pointer to one value that the function only writes: part of the result of a safe binding. */
  | { readonly kind: 'out' }
  /**
   * Pointer that the function sets to bytes which stay valid until the process ends. It writes their count through
   * the parameter named `lengthIn`.
   */
  | { readonly kind: 'out-bytes'; readonly lengthIn: string }
  /** Pointer to the count of the bytes that the parameter named `of` is set to. */
  | { readonly kind: 'out-length'; readonly of: string }
  /** Memory that C goes on using after the call: a copy would be gone by then, so only raw bindings can offer it. */
  | { readonly kind: 'retained' }
  /** Pointer to a record (passed with its size): only raw bindings can offer it. */
  | { readonly kind: 'record'; readonly lengthIn: string }
  | { readonly kind: 'record-length'; readonly of: string };

export interface Parameter {
  readonly name: string;
  readonly type: CType;
  readonly role: ParameterRole;
  /** Null (or NULL inside C) is a documented value. */
  readonly nullable: boolean;
}

/** What the returned integer means; the header's type is always a plain int. */
export type ReturnMeaning =
  /** 0, or a negative errno. */
  | 'status'
  /** A non-negative value (context, descriptor, count), or a negative errno. */
  | 'value'
  /** 1, 0, or a negative errno. */
  | 'boolean'
  /** Returns only on failure; on success the process is taken over. */
  | 'never'
  /** Not an integer with error meaning. */
  | 'plain';

export interface Docs {
  readonly summary: string;
  /** Paragraphs after the summary, without the arguments and returns sections. */
  readonly details: string;
  /** By C parameter name. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly returns: string;
  readonly deprecated: string | null;
}

export interface FunctionItem {
  readonly kind: 'function';
  readonly name: string;
  readonly place: Place;
  readonly parameters: readonly Parameter[];
  readonly returns: CType;
  readonly meaning: ReturnMeaning;
  readonly variadic: boolean;
  /** False for `f()` in C before C23, which declares nothing about its parameters. */
  readonly prototyped: boolean;
  readonly docs: Docs | null;
}

export interface ConstantItem {
  readonly kind: 'constant';
  readonly name: string;
  readonly place: Place;
  readonly value: /** `value` in decimal: 64-bit values do not fit a JSON number. `type` is the C type of the expression. */
    | { readonly kind: 'integer'; readonly value: string; readonly type: CType }
    /** Shortest decimal that reads back as the same value of that width, or `inf`, `-inf`, `nan`. */
    | { readonly kind: 'float'; readonly value: string; readonly bits: 32 | 64 }
    | { readonly kind: 'string'; readonly value: string };
  readonly docs: Docs | null;
}

export interface RecordField {
  /** `anonymous_1` and so on for a member without a name, whose own members C reaches through the record itself. */
  readonly name: string;
  readonly type: CType;
  /** Bytes from the start of the record; of a bit-field, those before the byte that holds its lowest bit. */
  readonly offset: number;
  /** Present for a bit-field: its lowest bit, counted from the start of the record, and how many there are. */
  readonly bits?: { readonly start: number; readonly width: number };
}

export interface RecordItem {
  readonly kind: 'record';
  /** The tag or typedef name; one without either is called after the record and the member that hold it. */
  readonly name: string;
  readonly place: Place;
  readonly union: boolean;
  /** Bytes; null for an opaque record. */
  readonly layout: { readonly size: number; readonly align: number } | null;
  readonly fields: readonly RecordField[];
  readonly docs: Docs | null;
}

export interface EnumItem {
  readonly kind: 'enum';
  readonly name: string;
  readonly place: Place;
  readonly type: CType;
  readonly values: readonly { readonly name: string; readonly value: string }[];
  readonly docs: Docs | null;
}

export interface TypedefItem {
  readonly kind: 'typedef';
  readonly name: string;
  readonly place: Place;
  readonly type: CType;
  readonly docs: Docs | null;
}

export type Item = FunctionItem | ConstantItem | RecordItem | EnumItem | TypedefItem;

/** Something the headers declare that the named output cannot hold; never dropped in silence. */
export interface Skipped {
  readonly name: string;
  readonly place: Place;
  readonly output: 'ir' | 'rust' | 'node';
  readonly reason: string;
}

export interface HeaderIr {
  /** Target id of the plan (`linux-x64`). */
  readonly target: string;
  /** Headers given, in order. */
  readonly headers: readonly string[];
  /** In the order of declaration. */
  readonly items: readonly Item[];
  readonly skipped: readonly Skipped[];
}

/** A file that an emitter returns; `path` is relative to `generated/`, with `/`. */
export interface EmittedFile {
  readonly path: string;
  readonly content: string;
}
