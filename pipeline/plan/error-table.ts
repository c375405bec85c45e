/** What every error code means. Codes are stable: one is never given another meaning, nor used again. */
export interface ErrorEntry {
  readonly title: string;
  /** Process exit code: 1 build · 2 check · 64 usage · 65 integrity · 69 network · 70 bug · 72 tool · 74 disk · 75 busy · 78 config. */
  readonly exit: 1 | 2 | 64 | 65 | 69 | 70 | 72 | 74 | 75 | 78;
  readonly cause: string;
  readonly fix: string;
}

/** Every code, named once more: the published types would hold the whole table otherwise. */
export type ErrorCode =
  | 'A3S1001'
  | 'A3S1002'
  | 'A3S1003'
  | 'A3S1004'
  | 'A3S1005'
  | 'A3S1006'
  | 'A3S1007'
  | 'A3S1008'
  | 'A3S1101'
  | 'A3S1102'
  | 'A3S1103'
  | 'A3S1201'
  | 'A3S1202'
  | 'A3S1203'
  | 'A3S1204'
  | 'A3S1205'
  | 'A3S1210'
  | 'A3S1211'
  | 'A3S1212'
  | 'A3S1213'
  | 'A3S1220'
  | 'A3S1221'
  | 'A3S1222'
  | 'A3S1301'
  | 'A3S1401'
  | 'A3S1402'
  | 'A3S1403'
  | 'A3S1501'
  | 'A3S1601'
  | 'A3S1611'
  | 'A3S1612'
  | 'A3S1613'
  | 'A3S2001'
  | 'A3S2002'
  | 'A3S2003'
  | 'A3S2004'
  | 'A3S2005'
  | 'A3S2006'
  | 'A3S3001'
  | 'A3S3002'
  | 'A3S3003'
  | 'A3S3004'
  | 'A3S4001'
  | 'A3S4002'
  | 'A3S4003'
  | 'A3S4004'
  | 'A3S4005'
  | 'A3S4020'
  | 'A3S4021'
  | 'A3S4022'
  | 'A3S4023'
  | 'A3S4024'
  | 'A3S5001'
  | 'A3S5002'
  | 'A3S5003'
  | 'A3S9001';

export const ERROR_TABLE = {
  A3S1001: {
    title: 'Unknown option, command or value',
    exit: 64,
    cause: 'The command line holds a word that a3s-build does not know.',
    fix: 'Run `a3s-build --help` for the commands and options.',
  },
  A3S1002: {
    title: 'Unsupported platform',
    exit: 64,
    cause:
      'libkrun runs on Linux (x64, arm64, glibc) and on Apple silicon only; Windows and Intel Macs are not supported.',
    fix: 'Build on, and for, linux-x64, linux-arm64 or darwin-arm64. A3S_DEPS_STUB=1 works everywhere.',
  },
  A3S1003: {
    title: 'Unknown target',
    exit: 64,
    cause: 'The target is none of linux-x64, linux-arm64, darwin-arm64, host and all.',
    fix: 'Name one of the targets, or leave --target out for this machine.',
  },
  A3S1004: {
    title: 'Target not available from this machine (no longer used)',
    exit: 64,
    cause:
      'Versions up to 0.1 built each target on a machine of its own kind only; this one builds all of them anywhere.',
    fix: 'Update a3s-build, or run it on a machine of the target kind.',
  },
  A3S1005: {
    title: 'One file for several targets',
    exit: 64,
    cause: 'A file for one kind of machine is named, and several targets are built: nobody can say which it is for.',
    fix: 'Name the file in the variable of its target.',
  },
  A3S1006: {
    title: 'Works for one target only',
    exit: 64,
    cause: 'Several targets are named where the answer can be about one.',
    fix: 'Name one target with --target, or leave it out for this machine.',
  },
  A3S1007: {
    title: 'Release of glibc that cannot be linked for',
    exit: 64,
    cause:
      "--glibc takes 2.28 and later releases: older ones lack functions that libkrun calls, and would fail on users' machines.",
    fix: 'Name a release such as 2.28, which all systems from 2018 on have.',
  },
  A3S1008: {
    title: 'Linker that cannot choose its glibc',
    exit: 64,
    cause: 'Only zig has every release of glibc to link for; a compiler has the one that it was installed with.',
    fix: 'Use --linker zig, or leave --glibc out.',
  },
  A3S1101: {
    title: 'Malformed configuration',
    exit: 78,
    cause: 'The configuration file is not valid JSON, or holds a field or value that a3s-build does not know.',
    fix: 'Correct the field named; the README lists all fields.',
  },
  A3S1102: {
    title: 'Malformed pin',
    exit: 78,
    cause: 'A file in vendor/ does not have the form of a pin.',
    fix: 'Correct the field named, or delete the file to use the pins that come with a3s-build.',
  },
  A3S1103: {
    title: 'Malformed environment variable',
    exit: 78,
    cause: 'An environment variable that a3s-build reads holds a value that it does not know.',
    fix: 'Set one of the values named, or unset the variable.',
  },
  A3S1201: {
    title: 'Tools missing',
    exit: 72,
    cause: 'Programs or libraries that the build needs are not installed, or not on PATH.',
    fix: 'Install what is named.',
  },
  A3S1202: {
    title: 'Tool too old',
    exit: 72,
    cause: 'A program that the build needs is there, in a version that cannot compile the sources.',
    fix: 'Update it: `rustup update stable` for Rust.',
  },
  A3S1203: {
    title: 'Compile error',
    exit: 1,
    cause: 'A compiler refused the source.',
    fix: 'Read the first error and the log; correct the source or its toolchain.',
  },
  A3S1204: {
    title: 'A child process ended abnormally',
    exit: 1,
    cause: 'A program that the build runs was killed or ended with an unexpected exit code.',
    fix: 'Read the log. Killed by signal 9 is most likely the system running out of memory: lower --jobs.',
  },
  A3S1205: {
    title: 'Built file is not what was asked for',
    exit: 65,
    cause: 'A file that was built or fetched has the wrong machine, name, dependency, export or path inside.',
    fix: 'Read which property differs; a source tree of another version is the usual reason.',
  },
  A3S1210: {
    title: 'No linker for the target',
    exit: 72,
    cause: 'The target is another one than this machine, and nothing here links for it.',
    fix: 'Install a cross compiler or zig, or name one with --linker.',
  },
  A3S1211: {
    title: 'Rust target missing',
    exit: 72,
    cause: 'The Rust toolchain in use has no standard library for the target.',
    fix: 'rustup target add <triple>',
  },
  A3S1212: {
    title: 'No compiler for the guest',
    exit: 72,
    cause: "The guest's init is a static Linux executable for another processor, and nothing here compiles one.",
    fix: 'Install a cross gcc, clang with lld, or zig; or name a ready init with KRUN_INIT_BINARY_PATH.',
  },
  A3S1213: {
    title: 'Sysroot not available',
    exit: 69,
    cause: 'A pinned Debian package, which clang needs for the guest, could be had from no source.',
    fix: 'Set A3S_DEBIAN_MIRROR to a Debian mirror, or A3S_DEBIAN_FOLDER to a folder that holds the packages.',
  },
  A3S1220: {
    title: 'Functions of Hypervisor.framework unknown',
    exit: 65,
    cause: "libkrun's source does not declare what it calls of Hypervisor.framework where it is looked for.",
    fix: 'Use a source tree of the pinned version, or build on a Mac, whose linker reads the framework itself.',
  },
  A3S1221: {
    title: 'Program for macOS binaries missing',
    exit: 72,
    cause: 'What names or signs files for macOS is not installed, or not on PATH.',
    fix: 'Install it: llvm and rcodesign (cargo install apple-codesign) on Linux, the command line tools of Xcode on a Mac.',
  },
  A3S1222: {
    title: 'macOS binary cannot be named or signed',
    exit: 1,
    cause:
      'A program that writes install names or signatures failed; without a good signature macOS ends what it starts.',
    fix: 'Read its words, and the log.',
  },
  A3S1301: {
    title: 'Vendored sources not found',
    exit: 78,
    cause: 'The folder that should hold the source of libkrun has no Cargo.toml: a git submodule that was not fetched.',
    fix: 'git submodule update --init --recursive, or remove the empty folder to use the pinned crate.',
  },
  A3S1401: {
    title: 'a3s-build not found',
    exit: 72,
    cause: 'The build script of libkrun-sys asks a3s-build for libkrun, and found it in no node_modules above.',
    fix: 'npm install --save-dev a3s-build, or set A3S_BUILD_BIN to it; A3S_DEPS_STUB=1 builds without libkrun.',
  },
  A3S1402: {
    title: 'Nothing built to link with',
    exit: 1,
    cause:
      '--no-build is set, and the output folder holds no link.json, one that is damaged, or not the files it names.',
    fix: 'Run `a3s-build --only prefix`, or leave --no-build out.',
  },
  A3S1403: {
    title: 'Path that a build system cannot be told',
    exit: 78,
    cause: 'A line break in a path would end the line that holds it, and what follows would be read as an instruction.',
    fix: 'Rename the folder named.',
  },
  A3S1501: {
    title: 'Not part of stub mode',
    exit: 64,
    cause: 'A3S_DEPS_STUB is set: only what needs neither libkrun nor its headers is made.',
    fix: 'Unset A3S_DEPS_STUB, or leave the step or command out.',
  },
  A3S1601: {
    title: 'No usable libkrun on this system',
    exit: 72,
    cause:
      'A3S_USE_SYSTEM_LIBKRUN is set, and none of the libraries found can stand in for the one that a3s-build makes.',
    fix: 'Install libkrun and libkrunfw with the features net and blk, or set A3S_BUILD_LIBKRUN=1 to build from source.',
  },
  A3S1611: {
    title: 'No such version to pin',
    exit: 69,
    cause: 'The registry does not have the version that was named, or not for every target.',
    fix: 'Name a version that the registry lists for all targets.',
  },
  A3S1612: {
    title: 'Version cannot be pinned',
    exit: 65,
    cause: 'What the registry has under this version is not what a pin needs.',
    fix: 'Read what differs; pin another version, or keep the one that is pinned.',
  },
  A3S1613: {
    title: 'Older than what is pinned',
    exit: 64,
    cause: 'The version named is lower than the pinned one: users would go back without a word.',
    fix: 'Name a newer version, or add --allow-downgrade.',
  },
  A3S2001: {
    title: 'Digest differs from the pin',
    exit: 65,
    cause: 'The bytes are not the ones that the committed pin names: damaged on the way, replaced, or another version.',
    fix: 'Run again; if it stays, compare the source with the pin before you trust either.',
  },
  A3S2002: {
    title: 'No answer from the network',
    exit: 69,
    cause: 'The server could not be reached, or did not send the file.',
    fix: 'Check network and proxy (HTTPS_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS); inputs fetched once are kept, and --offline uses only those.',
  },
  A3S2003: {
    title: 'Not available offline',
    exit: 69,
    cause: '--offline is set, and an input is not in the store yet.',
    fix: 'Run once with network, or point A3S_LIBKRUNFW_DYLIB and --libkrun-dir at local copies.',
  },
  A3S2004: {
    title: 'Archive refused',
    exit: 65,
    cause:
      'The archive holds an entry that a well-made one never has (outside its folder, link, device, duplicate), or is damaged.',
    fix: 'Do not use this archive; compare its source with the pin.',
  },
  A3S2005: {
    title: 'Server refused the request',
    exit: 69,
    cause: 'The server answered with an error status.',
    fix: 'Check the address and your credentials in .npmrc; for GitHub wait, or choose --firmware npm.',
  },
  A3S2006: {
    title: 'Insecure redirect',
    exit: 65,
    cause: 'The server redirects from https to http, where anybody on the way could replace the file.',
    fix: 'Use a mirror that serves https throughout.',
  },
  A3S3001: {
    title: 'Generated bindings are stale',
    exit: 2,
    cause: 'libkrun.h changed, and the files in generated/ were not made from it.',
    fix: 'Run `a3s-build bindings` and commit generated/.',
  },
  A3S3002: {
    title: 'Header cannot be parsed',
    exit: 65,
    cause: 'libclang reports an error in the header.',
    fix: 'Correct the header at the place named.',
  },
  A3S3003: {
    title: 'Header says too little',
    exit: 65,
    cause: 'The meaning of a return value or a pointer is proven neither by the doc comment nor by the override table.',
    fix: 'Read what the implementation does, and put the answer into "bindings.overrides" of a3s-build.config.json.',
  },
  A3S3004: {
    title: 'Header parser cannot be used',
    exit: 72,
    cause: 'The libclang in use could not be started, or sees C types wrongly.',
    fix: 'Unset LIBCLANG_PATH, or set it to a libclang of a tested version; the embedded parser comes with a3s-build.',
  },
  A3S4001: {
    title: 'Package check failed',
    exit: 65,
    cause: 'A package about to be written would not work for its users.',
    fix: 'Read which check failed.',
  },
  A3S4002: {
    title: 'Packages are not the ones recorded',
    exit: 65,
    cause:
      'A tarball was damaged or replaced after the root package recorded it, or the root package is another one than was expected.',
    fix: 'Do not install or publish them; get the tarballs again from where they were built, or build them anew.',
  },
  A3S4003: {
    title: 'Packages are not fit for use',
    exit: 2,
    cause:
      'A tarball, or the set of them, is not what users need: incomplete, of mixed releases, or with a binary that would not load.',
    fix: 'Read which check failed; build the packages again with one version of a3s-build.',
  },
  A3S4004: {
    title: 'Source of a package is not known',
    exit: 2,
    cause:
      'The licences of the binaries ask whoever passes them on to say where their source is, and SOURCE.md says "unknown".',
    fix: 'Add what is missing to vendor/libkrunfw.json ("correspondingSource", "sourceDigests") and build again.',
  },
  A3S4005: {
    title: 'No packages there',
    exit: 64,
    cause: 'The folder does not exist, or holds no .tgz file.',
    fix: 'Name the folder that the tarballs lie in, such as build/npm.',
  },
  A3S4020: {
    title: 'Generated workflows are stale',
    exit: 2,
    cause: 'The targets, the configuration or the pinned actions changed, or a workflow was edited by hand.',
    fix: 'Run `a3s-build ci` and commit .github/workflows/ and ci/.',
  },
  A3S4021: {
    title: 'Project that workflows cannot set up',
    exit: 78,
    cause: 'The workflows check the project out, install its packages and start a3s-build; one of these cannot work.',
    fix: 'Run `npm install --package-lock-only` and commit package-lock.json.',
  },
  A3S4022: {
    title: 'Report cannot be read',
    exit: 65,
    cause: 'The file is not what `a3s-build bindings --check --json` prints.',
    fix: 'Make it again with `a3s-build bindings --check --json > bindings.json`.',
  },
  A3S4023: {
    title: 'Packages differ',
    exit: 2,
    cause: 'Two sets of packages that should be the same are not.',
    fix: 'Read which file in which tarball differs; compare how both were built.',
  },
  A3S4024: {
    title: 'Nothing to compare',
    exit: 64,
    cause: 'A folder named holds no package tarballs, or cannot stand for a release.',
    fix: 'Name folders with the .tgz files of `a3s-build`, such as build/npm.',
  },
  A3S5001: {
    title: 'Disk full',
    exit: 74,
    cause: 'There is no space (or no inode) left where a3s-build writes.',
    fix: 'Free space, or set A3S_CACHE_DIR and --out to a larger file system.',
  },
  A3S5002: {
    title: 'File cannot be read or written',
    exit: 74,
    cause: 'The system refused access to a file or folder.',
    fix: 'Check owner and permissions of the path named.',
  },
  A3S5003: {
    title: 'Another run is busy',
    exit: 75,
    cause: 'Another a3s-build holds the output folder and did not finish in time.',
    fix: 'Wait for it, or stop it.',
  },
  A3S9001: {
    title: 'Bug in a3s-build',
    exit: 70,
    cause: 'Something happened that the program does not expect.',
    fix: 'Run again with --verbose and report what it prints.',
  },
} as const satisfies Record<ErrorCode, ErrorEntry>;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}
