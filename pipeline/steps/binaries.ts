import type { AuditExpectation } from '../binary/audit.ts';
import type { BinaryExpectation } from '../binary/audit-file.ts';
import type { ExportExpectation } from '../binary/audit-types.ts';
import type { MachOExpectation } from '../binary/macho-audit.ts';
import type { Config } from '../plan/config.ts';
import type { Target } from '../plan/targets.ts';
import { addonName } from './package/names.ts';

/** Name of the executable, in the prefix and in the packages. */
export const LAUNCHER = 'krun-launcher';

/** Functions by which libkrun takes the kernel out of the library. */
export const FIRMWARE_EXPORTS: readonly string[] = ['krunfw_get_kernel', 'krunfw_get_version'];

/** Newest glibc that a shipped file may need: that of Debian 12 and later systems. */
const GLIBC_LIMIT = '2.36';

/** Newest glibc that what is built now may need: the one asked for, else the limit of all that is shipped. */
export function glibcLimit({ glibc }: Pick<Config, 'glibc'>): string {
  return glibc ?? GLIBC_LIMIT;
}

/** The binaries of a target, by what each is. */
export type BinaryRole = 'addon' | 'launcher' | 'library' | 'firmware';

type Binaries = Readonly<Record<BinaryRole, BinaryExpectation>>;

/** What differs from run to run. */
export interface BinaryLimits {
  /** What libkrun has to export; left out where nobody has read the header yet. */
  readonly exports?: ExportExpectation;
  /** Newest glibc; default that of all that is shipped. */
  readonly glibc?: string;
}

/** How each binary is looked at, by the format of the platform's files. */
const FORMATS: Readonly<Record<Target['platform'], (target: Target, limits: BinaryLimits) => Binaries>> = {
  linux: elfBinaries,
  darwin: machoBinaries,
};

/** What each binary of a target has to be, as it is built and as it is packed. */
export function binariesOf(target: Target, limits: BinaryLimits = {}): Binaries {
  return FORMATS[target.platform](target, limits);
}

/** The exports of libkrun, and nothing else. */
export function libraryExportsOnly(target: Target, exports: ExportExpectation): BinaryExpectation {
  const { library } = binariesOf(target, { exports });
  return { format: library.format, ...(library.exports === undefined ? {} : { exports: library.exports }) };
}

/** By what a guest kernel's library is known: processor, form, name, and functions that libkrun calls. */
export function firmwareIdentity(target: Target): BinaryExpectation {
  const { firmware } = binariesOf(target);
  return firmware.format === 'elf'
    ? pick(firmware, ['format', 'machine', 'form', 'soname', 'exports'])
    : pick(firmware, ['format', 'cpu', 'form', 'installName', 'exports']);
}

function pick<Whole, Key extends keyof Whole>(whole: Whole, keys: readonly Key[]): Pick<Whole, Key> {
  return Object.fromEntries(keys.map((key) => [key, whole[key]])) as Pick<Whole, Key>;
}

/** What Node calls in an addon; other exports do no harm, since nothing links with it. */
const ADDON_EXPORTS: ExportExpectation = { required: ['napi_register_module_v1'], alsoAllowed: ['*'] };
/** A provider's kernel library may have more than libkrun asks for. */
const KERNEL_EXPORTS: ExportExpectation = { required: FIRMWARE_EXPORTS, alsoAllowed: ['*'] };
/** Node itself offers the functions that an addon imports. */
const FROM_NODE = ['napi_*'];

function elfBinaries(target: Target, { exports, glibc = GLIBC_LIMIT }: BinaryLimits): Binaries {
  const all = {
    format: 'elf',
    machine: target.machine,
    needed: target.systemLibraries,
    unversionedImports: [],
    glibcLimit: glibc,
    executableStack: false,
  } as const satisfies AuditExpectation & { format: 'elf' };
  const library = { ...all, form: 'shared' } as const;
  return {
    addon: {
      ...library,
      soname: addonName(target),
      runpath: null,
      unversionedImports: FROM_NODE,
      exports: ADDON_EXPORTS,
    },
    launcher: { ...all, form: 'pie', runpath: null },
    // libkrun opens the guest kernel by its bare name, and finds it beside itself.
    library: {
      ...library,
      soname: target.libraryFile,
      runpath: '$ORIGIN',
      ...(exports === undefined ? {} : { exports }),
    },
    firmware: { ...library, soname: target.firmwareFile, exports: KERNEL_EXPORTS },
  };
}

/** The guest kernel's library is a file of its publisher's, who built it for this one. */
const FIRMWARE_MACOS_LIMIT = '14.0';
/** Without it Hypervisor.framework refuses a process; the launcher alone starts VMs. */
const ENTITLEMENTS = { 'com.apple.security.hypervisor': true };
/** Names of the file itself that linkers add to the exports, and those of Rust that zig's linker does not keep inside. */
const LINKER_EXPORTS = ['_mh_dylib_header', '__dso_handle', 'rust_eh_personality', '_RNv*'];

function machoBinaries(target: Target, { exports }: BinaryLimits): Binaries {
  const all = {
    format: 'macho',
    cpu: 'arm64',
    rpaths: [],
    needed: target.systemLibraries,
    systemLimit: target.oldestMacos ?? '',
    flatImports: [],
    entitlements: null,
  } as const satisfies MachOExpectation & { format: 'macho' };
  const library = { ...all, form: 'library' } as const;
  const own = exports && { ...exports, alsoAllowed: [...(exports.alsoAllowed ?? []), ...LINKER_EXPORTS] };
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
      // libkrun opens the guest kernel by its bare name, and finds it beside itself.
      rpaths: ['@loader_path'],
      ...(own === undefined ? {} : { exports: own }),
    },
    firmware: {
      ...library,
      installName: target.firmwareFile,
      systemLimit: FIRMWARE_MACOS_LIMIT,
      exports: KERNEL_EXPORTS,
    },
  };
}
