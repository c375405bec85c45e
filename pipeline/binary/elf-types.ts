/** Processors whose files are read; the names are those of the target triples. */
export type ElfMachine = 'x86_64' | 'aarch64';

/**
 * How the file is linked: `static-executable` at a fixed address and `static-pie` at any address need no loader;
 * `executable` and `pie` are started by one; `shared` is a library; `object` is not linked yet.
 */
export type ElfForm = 'object' | 'static-executable' | 'static-pie' | 'executable' | 'pie' | 'shared';

export type SymbolType = 'none' | 'object' | 'function' | 'thread-local' | 'indirect-function' | 'other';

/** A dynamic symbol that other files can link to. */
export interface ExportedSymbol {
  readonly name: string;
  readonly type: SymbolType;
  readonly weak: boolean;
  /** Virtual address; an absolute symbol holds any value here. */
  readonly address: bigint;
  /** Size in bytes as the symbol table states it: not checked against the file. */
  readonly size: bigint;
  /** Name of the version the symbol is defined in, e.g. `LIBFOO_1.2`. */
  readonly version: string | null;
}

/** A dynamic symbol that another file has to provide. */
export interface ImportedSymbol {
  readonly name: string;
  /** The file works without a weak symbol. */
  readonly weak: boolean;
  /** e.g. `GLIBC_2.34`; null where any definition of the name will do. */
  readonly version: string | null;
  /** Soname of the library that has to provide the version. */
  readonly library: string | null;
}

/** A version that a library must have, from `.gnu.version_r`: the loader refuses the file where a strong one is missing. */
export interface VersionNeed {
  readonly library: string;
  readonly version: string;
  readonly weak: boolean;
}

/** A part of the file that is mapped into memory (PT_LOAD). */
export interface Segment {
  readonly address: bigint;
  readonly memorySize: bigint;
  readonly fileOffset: number;
  readonly fileSize: number;
}

/** What a file says about itself. Every text is hostile: show it through `printable`. */
export interface ElfFile {
  readonly machine: ElfMachine;
  readonly form: ElfForm;
  /** Runs without a loader and without libraries. */
  readonly isStatic: boolean;
  /** Path of the loader, from PT_INTERP. */
  readonly interpreter: string | null;
  readonly soname: string | null;
  /** Sonames of the libraries it needs, in the order in which they are searched for symbols. */
  readonly needed: readonly string[];
  readonly rpath: string | null;
  readonly runpath: string | null;
  readonly exports: readonly ExportedSymbol[];
  readonly imports: readonly ImportedSymbol[];
  readonly versionNeeds: readonly VersionNeed[];
  readonly segments: readonly Segment[];
  /** Asks for a stack that can hold code: glibc 2.41 and later refuse to dlopen such a library. */
  readonly executableStack: boolean;
}
