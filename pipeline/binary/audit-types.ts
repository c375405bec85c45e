import type { ElfFile, ElfForm, ElfMachine } from './elf-types.ts';

export type AuditCheck =
  | 'machine'
  | 'form'
  | 'static'
  | 'interpreter'
  | 'soname'
  | 'rpath'
  | 'runpath'
  | 'executableStack'
  | 'needed'
  | 'exports'
  | 'glibc'
  | 'unversionedImports'
  | 'forbiddenText'
  // Of Mach-O files only.
  | 'installName'
  | 'system'
  | 'signature';

/** One difference between a file and its expectation; `message` is safe to print. */
export interface AuditFinding {
  readonly check: AuditCheck;
  readonly message: string;
}

/** In the lists of names, a `*` at the end stands for any rest: `napi_*`. */
export interface ExportExpectation {
  readonly required: readonly string[];
  /** Names of `required` that this build leaves out. */
  readonly mayBeMissing?: readonly string[];
  /** Exports that are not required; any other is reported. */
  readonly alsoAllowed?: readonly string[];
}

/** What a file has to be. A field left out is not checked; null means that the file must not have the property. */
export interface AuditExpectation {
  readonly machine?: ElfMachine;
  readonly form?: ElfForm;
  readonly static?: boolean;
  /** Exact path of the loader. */
  readonly interpreter?: string | null;
  readonly soname?: string | null;
  /** Exact runpath, `$ORIGIN` taken literally; an rpath is then reported whatever it says. */
  readonly runpath?: string | null;
  readonly executableStack?: boolean;
  /** The only libraries it may need. */
  readonly needed?: readonly string[];
  readonly exports?: ExportExpectation;
  /** Newest glibc release it may need, e.g. `2.35`; versions without a stable meaning are reported too. */
  readonly glibcLimit?: string;
  /**
   * The only strong symbols it may import without a version. Others come from a library that was missing when it was
   * linked, and fail when it is loaded.
   */
  readonly unversionedImports?: readonly string[];
  /** Text that no byte of the file may spell; see `pathNeedles` for the folders of the build machine. */
  readonly forbiddenText?: readonly string[];
}

export interface AuditSubject {
  readonly bytes: Uint8Array;
  readonly elf: ElfFile;
  readonly expected: AuditExpectation;
}
