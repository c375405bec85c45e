import type { CodeSignature } from './signature-types.ts';

/** Processors whose files are read, by Apple's names. */
export type MachOCpu = 'arm64' | 'arm64e' | 'x86_64';

/** `library` is a dylib (also what cargo makes of a cdylib), `bundle` a plug-in that nothing links to. */
export type MachOForm = 'object' | 'executable' | 'library' | 'bundle';

/** How a library is loaded: a file works without a weak one; a re-exported one offers its symbols through this file. */
export type LoadKind = 'needed' | 'weak' | 'reexport' | 'upward' | 'lazy';

export interface LoadedLibrary {
  /** Install name, e.g. `/usr/lib/libSystem.B.dylib` or `@rpath/libkrun.1.dylib`. */
  readonly name: string;
  readonly kind: LoadKind;
}

/** A system the file is built for. */
export interface BuildPlatform {
  /** `macos`, or another of Apple's in its own lower-case spelling; `platform-<number>` for unknown ones. */
  readonly platform: string;
  /** Oldest release of the system on which it runs, e.g. `11.0`. */
  readonly minimum: string;
  /** Release of the SDK it was built with; `0.0` where none was stated. */
  readonly sdk: string;
}

/** A symbol other files can link to, as it is spelled in the file: C's names begin with `_`. */
export interface MachOExport {
  readonly name: string;
  readonly weak: boolean;
  readonly kind: 'regular' | 'thread-local' | 'absolute';
  /** Offset from the first byte of the image; null for a re-exported symbol, which lies in another library. */
  readonly address: bigint | null;
}

/** A symbol another file has to provide. */
export interface MachOImport {
  readonly name: string;
  readonly weak: boolean;
  /**
   * Where the loader looks: the install name of a library, `self`, `executable`, or `any` (flat look-up, in all that is
   * loaded).
   */
  readonly from: { readonly library: string } | 'self' | 'executable' | 'any';
}

/** A part of the file that is mapped into memory. */
export interface MachOSegment {
  readonly name: string;
  readonly address: bigint;
  readonly memorySize: bigint;
  readonly fileOffset: number;
  readonly fileSize: number;
}

/** What a file says about itself. Every text is hostile: show it through `printable`. */
export interface MachOFile {
  readonly cpu: MachOCpu;
  readonly form: MachOForm;
  /** Name under which others load it; null for what is no library. */
  readonly installName: string | null;
  readonly libraries: readonly LoadedLibrary[];
  /** Folders searched for `@rpath/…`, in order. */
  readonly rpaths: readonly string[];
  readonly platforms: readonly BuildPlatform[];
  readonly exports: readonly MachOExport[];
  readonly imports: readonly MachOImport[];
  readonly segments: readonly MachOSegment[];
  readonly signature: CodeSignature | null;
}
