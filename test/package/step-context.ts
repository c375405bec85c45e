import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildNpmRuntime } from '../../native/npm/build.mjs';
import type { Config } from '../../pipeline/plan/config.ts';
import { NO_CROSS_TOOLS } from '../../pipeline/plan/cross-tools.ts';
import { readEnvironment } from '../../pipeline/plan/environment.ts';
import { type FirmwarePins, parseFirmwarePins, parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import type { StepId } from '../../pipeline/plan/steps.ts';
import { parseSysrootPins } from '../../pipeline/plan/sysroot-pins.ts';
import { TARGETS, type Target } from '../../pipeline/plan/targets.ts';
import { COMMITTED } from '../../pipeline/steps/bindings.ts';
import type { NeededResult, StepContext } from '../../pipeline/steps/step.ts';
import { type MadeElf, makeElf } from '../binary/make-elf.ts';
import { entitlementsDer, entitlementsXml, HYPERVISOR, makeMachO } from '../binary/make-macho.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

const VERSIONED: MadeElf = {
  needed: ['libc.so.6'],
  symbols: [{ name: 'memcpy', version: 0 }],
  versions: [{ library: 'libc.so.6', name: 'GLIBC_2.34' }],
};
const FUNCTIONS = ['krun_create_ctx', 'krun_free_ctx'];
const KERNEL_FUNCTIONS = ['krunfw_get_kernel', 'krunfw_get_version'];
const REGISTER = 'napi_register_module_v1';
/** What the pins say of the guest kernel, and libkrunfw's file holds. */
const KERNEL = '6.12.98';

const exported = (...names: readonly string[]) => names.map((name) => ({ name, data: 'code' }));
const machoExports = (...names: readonly string[]) => names.map((name) => ({ name: `_${name}`, address: 64 }));

type Binary = 'launcher' | 'library' | 'firmware' | 'addon';

function elfBinaries({ machine, libraryFile, firmwareFile, packageSuffix }: Target): Record<Binary, Buffer> {
  const common = { ...VERSIONED, machine: machine === 'x86_64' ? 62 : 183 };
  const symbols = VERSIONED.symbols ?? [];
  const banner = { name: 'KERNEL', data: `Linux version ${KERNEL} (x)` };
  return {
    launcher: makeElf({ ...common, interpreter: '/lib64/ld-linux-x86-64.so.2' }),
    library: makeElf({
      ...common,
      soname: libraryFile,
      runpath: '$ORIGIN',
      symbols: [...symbols, ...exported(...FUNCTIONS)],
    }),
    firmware: makeElf({
      machine: common.machine,
      soname: firmwareFile,
      symbols: [...exported(...KERNEL_FUNCTIONS), banner],
    }),
    addon: makeElf({
      ...common,
      soname: `libkrun.${packageSuffix}.node`,
      symbols: [{ name: 'napi_throw' }, { name: 'dlopen', version: 0 }, ...exported(REGISTER)],
      versions: [{ library: 'libc.so.6', name: 'GLIBC_2.28' }],
    }),
  };
}

function machoBinaries({ libraryFile, firmwareFile, packageSuffix }: Target): Record<Binary, Buffer> {
  const entitled = { entitlements: entitlementsXml(HYPERVISOR), der: entitlementsDer(HYPERVISOR) };
  return {
    launcher: makeMachO({ type: 2, signature: entitled }),
    library: makeMachO({
      installName: `@rpath/${libraryFile}`,
      rpaths: ['@loader_path'],
      symbols: machoExports(...FUNCTIONS),
    }),
    firmware: makeMachO({
      installName: firmwareFile,
      minimum: [14, 0, 0],
      text: `Linux version ${KERNEL} (x)`,
      symbols: machoExports(...KERNEL_FUNCTIONS),
    }),
    addon: makeMachO({
      installName: `@rpath/libkrun.${packageSuffix}.node`,
      symbols: [...machoExports(REGISTER), { name: '_napi_throw', ordinal: 0xfe }],
    }),
  };
}

/** Small files in the places of the real ones, by the step that makes them; tests change them. */
export function madeFiles(target: Target = TARGETS['linux-x64']): Record<string, Buffer> {
  const lock = (name: string): Buffer =>
    Buffer.from(
      `version = 4\n\n[[package]]\nname = "${name}"\nversion = "0.1.0"\ndependencies = [\n "libc",\n]\n${LIBC}`,
    );
  const { launcher, library, firmware, addon } = { linux: elfBinaries, darwin: machoBinaries }[target.platform](target);
  return {
    'prefix/prefix/bin/krun-launcher': launcher,
    [`prefix/prefix/lib/${target.libraryFile}`]: library,
    [`prefix/prefix/lib/${target.firmwareFile}`]: firmware,
    [`addon/libkrun.${target.packageSuffix}.node`]: addon,
    'source/LICENSE': Buffer.from('licence of libkrun\n'),
    'source/edk2/License.txt': Buffer.from('licence of EDK2\n'),
    'source/Cargo.lock': lock('libkrun'),
    'native/native/Cargo.lock': lock('krun-launcher'),
    [`bindings/${COMMITTED}/napi/Cargo.lock`]: lock('krun-napi'),
    [`bindings/${COMMITTED}/abi.json`]: Buffer.from(madeLock(FUNCTIONS)),
    ...Object.fromEntries(['libkrun', 'launcher', 'addon'].map((step) => [`${step}/notices.json`, madeNotices()])),
    'bindings/libkrun.d.ts': Buffer.from(
      'export declare const KRUN_ONE: 1;\nexport declare function krunCreateCtx(): number;\n',
    ),
  };
}

function madeNotices(): Buffer {
  const texts = [{ file: 'LICENSE-MIT', text: 'Copyright (c) The Rust Project Developers' }];
  const libc = { name: 'libc', version: '0.2.180', license: 'MIT OR Apache-2.0', authors: [], texts };
  return Buffer.from(JSON.stringify({ crates: [libc], rust: { version: '1.95.0', notices: 'notices of Rust' } }));
}

/** An interface lock with these functions, which take nothing. */
export function madeLock(functions: readonly string[]): string {
  const docs = '0'.repeat(64);
  const lock = functions.map((name) => ({
    name,
    header: 'libkrun.h',
    returns: 'i32 int32_t',
    meaning: 'status',
    parameters: [],
    docs,
  }));
  const none = { constants: [], records: [], enums: [], typedefs: [] };
  const interfaces = [{ targets: Object.keys(TARGETS), functions: lock, ...none }];
  return JSON.stringify({ form: 2, headers: ['libkrun.h'], interfaces });
}

const LIBC = `\n[[package]]\nname = "libc"\nversion = "0.2.180"\nsource = "registry+x"\nchecksum = "${'c0ffee00'.repeat(8)}"\n`;

const FACTS: Partial<Record<StepId, NeededResult['facts']>> = {
  source: { origin: 'crate', crate: 'a3s-libkrun-sys 3.3.0', version: '1.17.0' },
  firmware: { provider: 'npm', version: '5.6.1', kernel: KERNEL },
};

/** What a test may set; `folder` gets everything that the step reads and writes. */
export interface ContextOptions {
  readonly folder: string;
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly facts?: Partial<Record<StepId, NeededResult['facts']>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly target?: Target;
  /** Pins of the guest kernel, where those of the repository are not meant. */
  readonly firmware?: FirmwarePins;
  /** Folder of the output, where several targets share one. */
  readonly out?: string;
  /** The contexts of all targets, where there are several. */
  readonly each?: () => readonly StepContext[];
}

/** A context for the package step: real pins and licences, made results of the steps before. */
export async function stepContext(options: ContextOptions): Promise<StepContext & { readonly warnings: string[] }> {
  const { folder, facts = {}, variables = {}, version = '1.2.3', target = TARGETS['linux-x64'] } = options;
  const { files = madeFiles(target) } = options;
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content, { mode: path.includes('/bin/') ? 0o755 : 0o600 });
  }
  const toolRoot = join(folder, 'native');
  await cp(join(ROOT, 'vendor/licenses'), join(toolRoot, 'vendor/licenses'), { recursive: true });
  await buildNpmRuntime(join(toolRoot, 'dist/npm'));
  const make = async (name: string): Promise<string> => {
    await mkdir(join(folder, 'work'), { recursive: true });
    return mkdtemp(join(folder, 'work', name));
  };
  const read = (name: string): Promise<string> => readFile(join(ROOT, 'vendor', name), 'utf8');
  const config: Config = {
    toolVersion: '0.1.0',
    target,
    targets: [target],
    host: TARGETS['linux-x64'],
    projectRoot: join(folder, 'project'),
    configFile: join(folder, 'project/a3s-build.config.json'),
    toolRoot,
    outDir: join(folder, 'build'),
    storeDir: join(folder, 'store'),
    package: { name: '@acme/libkrun', version },
    firmware: 'npm',
    linkers: {},
    glibc: null,
    debian: { mirror: undefined, snapshot: undefined, folder: undefined },
    libkrunDir: undefined,
    headers: [],
    overrides: [],
    systemLibkrun: false,
    jobs: 1,
    only: [],
    force: false,
    offline: true,
    pristine: false,
    environment: readEnvironment(variables),
  };
  const sha256 = createHash('sha256')
    .update(files[`prefix/prefix/lib/${target.firmwareFile}`] ?? '')
    .digest('hex');
  const made: typeof FACTS = { ...FACTS, firmware: { ...FACTS.firmware, sha256, file: target.firmwareFile } };
  const warnings: string[] = [];
  const unused = (name: string) => (): never => {
    throw new Error(`the package step may not use ${name}`);
  };
  const context: StepContext & { readonly warnings: string[] } = {
    config,
    pins: {
      firmware: options.firmware ?? parseFirmwarePins(await read('libkrunfw.json'), 'libkrunfw.json'),
      libkrun: parseLibkrunPins(await read('libkrun.json'), 'libkrun.json'),
      sysroot: parseSysrootPins(await read('sysroot.json'), 'sysroot.json'),
    },
    system: [],
    tools: NO_CROSS_TOOLS,
    source: { kind: 'crate' },
    variables,
    out: options.out ?? (await make('out-')),
    temporary: await make('temporary-'),
    scratch: unused('scratch'),
    eachTarget: () => options.each?.() ?? [context],
    need: (step) => ({ dir: join(folder, step), facts: facts[step] ?? made[step] ?? {} }),
    get store(): never {
      return unused('the store')();
    },
    get digests(): never {
      return unused('digests')();
    },
    get toolchain(): never {
      return unused('the toolchain')();
    },
    log: join(folder, 'log'),
    signal: new AbortController().signal,
    background: false,
    jobs: 1,
    progress: () => {},
    warn: (message) => warnings.push(message),
    warnings,
  };
  return context;
}
