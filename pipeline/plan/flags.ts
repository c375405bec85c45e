/** What the command line gives; names follow its options. */
export interface Flags {
  /** Each may hold several names with commas between, and `all` stands for every target. */
  readonly target?: string | readonly string[] | undefined;
  /** What links for targets other than this machine: a command, or `zig`. */
  readonly linker?: string | undefined;
  /** Release of glibc to link for: `2.28`. */
  readonly glibc?: string | undefined;
  readonly firmware?: string | undefined;
  readonly libkrunDir?: string | undefined;
  /** Further headers to bind, relative to the working folder. */
  readonly header?: readonly string[] | undefined;
  readonly out?: string | undefined;
  readonly jobs?: number | undefined;
  readonly only?: readonly string[] | undefined;
  readonly force?: boolean | undefined;
  readonly offline?: boolean | undefined;
}
