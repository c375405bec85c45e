import type { AuditExpectation } from '../../binary/audit.ts';
import type { BinaryExpectation } from '../../binary/audit-file.ts';
import type { ExportExpectation } from '../../binary/audit-types.ts';
import type { MachOExpectation } from '../../binary/macho-audit.ts';
import type { PackEntry } from '../../effects/archive.ts';
import type { LibkrunPins } from '../../plan/pins.ts';
import type { Target } from '../../plan/targets.ts';
import { FIRMWARE_EXPORTS } from '../firmware.ts';
import { LAUNCHER } from '../launcher.ts';
import { GLIBC_LIMIT } from '../libkrun.ts';
import { licenseTexts } from './contents.ts';
import { INTEGRITY_FILE, ROOT_CODE } from './manifests.ts';
import { addonName } from './names.ts';
import { NPM_FOLDER } from './platform-package.ts';

/** Bytes at most of a packed platform package; the kernel for arm64 is larger and packs worse. */
const SIZE_LIMITS: Readonly<Record<Target['id'], number>> = {
  'linux-x64': 12_000_000,
  'linux-arm64': 18_000_000,
  'darwin-arm64': 18_000_000,
};

/** Bytes at most of the packed root package: it is text only, and a fifth of this. */
export const ROOT_SIZE_LIMIT = 100_000;

export function platformSizeLimit(target: Target): number {
  return SIZE_LIMITS[target.id];
}

/** What libkrun has to export: the header's functions, less those that were reviewed. */
export function libraryExports(
  functions: readonly string[],
  { missing, extra }: LibkrunPins['exports'],
): ExportExpectation {
  return { required: functions, mayBeMissing: Object.keys(missing), alsoAllowed: Object.keys(extra) };
}

/** The binaries of a platform package, by what each is. */
type Binaries<Expectation> = Readonly<Record<'addon' | 'launcher' | 'library' | 'firmware', Expectation>>;

/** How each binary is looked at, by the format of the platform's files. */
const FORMATS: Readonly<
  Record<Target['platform'], (target: Target, exports: ExportExpectation) => Binaries<BinaryExpectation>>
> = { linux: elfBinaries, darwin: machoBinaries };

/** What each binary of a platform package has to be, by its path inside the tarball. */
export function binaryExpectations(target: Target, exports: ExportExpectation): Record<string, BinaryExpectation> {
  const { addon, launcher, library, firmware } = FORMATS[target.platform](target, exports);
  return {
    [`${NPM_FOLDER}/${addonName(target)}`]: addon,
    [`${NPM_FOLDER}/bin/${LAUNCHER}`]: launcher,
    [`${NPM_FOLDER}/lib/${target.libraryFile}`]: library,
    [`${NPM_FOLDER}/lib/${target.firmwareFile}`]: firmware,
  };
}

/** What Node calls in an addon; other exports do no harm, since nothing links with it. */
const ADDON_EXPORTS: ExportExpectation = { required: ['napi_register_module_v1'], alsoAllowed: ['*'] };
/** A provider's kernel library may have more than libkrun asks for. */
const KERNEL_EXPORTS: ExportExpectation = { required: FIRMWARE_EXPORTS, alsoAllowed: ['*'] };
/** Node itself offers the functions that an addon imports. */
const FROM_NODE = ['napi_*'];

function elfBinaries(target: Target, exports: ExportExpectation): Binaries<BinaryExpectation> {
  const all = {
    format: 'elf',
    machine: target.machine,
    needed: target.systemLibraries,
    unversionedImports: [],
    glibcLimit: GLIBC_LIMIT,
    executableStack: false,
  } as const satisfies AuditExpectation & { format: 'elf' };
  const library = { ...all, form: 'shared' } as const;
  return {
    addon: { ...library, runpath: null, unversionedImports: FROM_NODE, exports: ADDON_EXPORTS },
    launcher: { ...all, form: 'pie', runpath: null },
    // libkrun opens the guest kernel by its bare name, and finds it beside itself.
    library: { ...library, soname: target.libraryFile, runpath: '$ORIGIN', exports },
    firmware: { ...library, soname: target.firmwareFile, exports: KERNEL_EXPORTS },
  };
}

/** Oldest macOS that Rust's own libraries for Apple silicon are built for. */
const MACOS_LIMIT = '11.0';
/** The guest kernel's library is a file of its publisher's, who built it for this one. */
const FIRMWARE_MACOS_LIMIT = '14.0';
/** Without it Hypervisor.framework refuses a process; the launcher alone starts VMs. */
const ENTITLEMENTS = { 'com.apple.security.hypervisor': true };
/** Names of the file itself that linkers add to the exports. */
const LINKER_EXPORTS = ['_mh_dylib_header', '__dso_handle'];

function machoBinaries(target: Target, exports: ExportExpectation): Binaries<BinaryExpectation> {
  const all = {
    format: 'macho',
    cpu: 'arm64',
    rpaths: [],
    needed: target.systemLibraries,
    systemLimit: MACOS_LIMIT,
    flatImports: [],
    entitlements: null,
  } as const satisfies MachOExpectation & { format: 'macho' };
  const library = { ...all, form: 'library' } as const;
  const allowed = [...(exports.alsoAllowed ?? []), ...LINKER_EXPORTS];
  return {
    addon: {
      ...library,
      installName: `@rpath/${addonName(target)}`,
      flatImports: FROM_NODE,
      exports: ADDON_EXPORTS,
    },
    launcher: { ...all, form: 'executable', installName: null, entitlements: ENTITLEMENTS },
    library: {
      ...library,
      installName: `@rpath/${target.libraryFile}`,
      exports: { ...exports, alsoAllowed: allowed },
    },
    firmware: {
      ...library,
      installName: target.firmwareFile,
      systemLimit: FIRMWARE_MACOS_LIMIT,
      exports: KERNEL_EXPORTS,
    },
  };
}

/** Texts of a platform package, besides the licences. */
const PLATFORM_TEXTS = [
  'LICENSE',
  'SOURCE.md',
  'THIRD-PARTY-NOTICES.md',
  'package.json',
  'sbom.cdx.json',
  'versions.json',
] as const;

/** Mode of every file of a platform package, by its path inside the tarball. */
export function platformModes(target: Target): Record<string, number> {
  const licenses = licenseTexts(target).map(({ file }) => `licenses/${file}`);
  const libraries = [target.libraryFile, target.firmwareFile].map((file) => `lib/${file}`);
  const plain = [...PLATFORM_TEXTS, ...licenses, ...libraries, addonName(target)];
  return { ...modes(plain, 0o644), ...modes([`bin/${LAUNCHER}`], 0o755) };
}

/** Mode of every file of the root package, by its path inside the tarball. */
export function rootModes(): Record<string, number> {
  return modes([...ROOT_CODE, 'LICENSE', 'README.md', 'package.json', INTEGRITY_FILE], 0o644);
}

function modes(paths: readonly string[], mode: number): Record<string, number> {
  return Object.fromEntries(paths.map((path) => [`${NPM_FOLDER}/${path}`, mode]));
}

/** Modes by path. */
export function modesOf(entries: readonly PackEntry[]): Record<string, number> {
  return Object.fromEntries(entries.map(({ path, mode }) => [path, mode]));
}
