import { basename, join } from 'node:path';
import { asksForLld, LIBKRUN_FEATURES, LLD_VERSION } from './cargo.ts';
import type { Config } from './config.ts';
import { type CrossTools, ZIG, ZIGBUILD } from './cross-tools.ts';
import { buildError } from './errors.ts';
import { type InitCompiler, initCompilerOf } from './init-compiler.ts';
import { isKernelSource, kernelCompilerOf } from './kernel-compiler.ts';
import { type Linker, linkerOf } from './linker.ts';
import { foundAs, machoTools } from './macho-tools.ts';
import type { FirmwareArtifact, Pins } from './pins.ts';
import { type StepDefinition, type StepInputs, value } from './step-definition.ts';
import type { InputSpec, StepId } from './steps.ts';
import { TARGETS } from './targets.ts';

/** A question to a tool about its version. */
export type ToolInput = Extract<InputSpec, { kind: 'tool' }>;

const tool = (name: string, command: string, ...args: string[]): ToolInput => ({ kind: 'tool', name, command, args });

/** The tools that every cargo build depends on. */
export const cargoTools = (config: Config, tools: CrossTools): InputSpec[] => [
  tool('rustc', config.environment.rustc, '-vV'),
  tool('cargo', config.environment.cargo, '-V'),
  ...linkerInputs(linkerOf(config, tools), tools),
];

function linkerInputs(linker: Linker, { programs }: CrossTools): InputSpec[] {
  switch (linker.kind) {
    case 'own':
      return [tool('linker', 'cc', '--version')];
    case 'command':
      return [value('linker command', linker.command), tool('linker', linker.command, '--version')];
    case 'zig': {
      const [zig, zigbuild] = [programs[ZIG], programs[ZIGBUILD]];
      return [
        value('glibc', linker.glibc ?? 'of zig'),
        tool('linker', zig?.command ?? ZIG, ...(zig?.args ?? []), 'version'),
        tool(ZIGBUILD, zigbuild?.command ?? ZIGBUILD, '--version'),
      ];
    }
    case 'none':
      return [value('linker', 'none')];
  }
}

/** The tools that compile the guest's init. */
export const initTools = (config: Config, tools: CrossTools): InputSpec[] => {
  const compiler = initCompilerOf(config, tools);
  const rustc = tool('rustc', config.environment.rustc, '-vV');
  switch (compiler.kind) {
    case 'command':
      return [
        tool('compiler version', compiler.line.command, ...compiler.line.args, '--version'),
        // The system's lld, or else the one of the Rust toolchain.
        ...(asksForLld(compiler.line) ? [tool('lld', LLD_VERSION.command, ...LLD_VERSION.args), rustc] : []),
      ];
    case 'clang':
      return [
        tool('compiler version', compiler.line.command, '--version'),
        tool('lld', compiler.lld, ...LLD_VERSION.args),
      ];
    case 'zig':
      return [tool('compiler version', compiler.line.command, ...compiler.line.args.slice(0, -3), 'version')];
    case 'none':
      return [];
  }
};

/** How the compiler is called, less where it lies. */
function compilerText(compiler: InitCompiler): string {
  return compiler.kind === 'none' ? 'none' : [compiler.line.command, ...compiler.line.args].join(' ');
}

const cargoInputs: StepInputs = (config, _pins, facts) => [
  value('target', config.target.triple),
  ...cargoTools(config, facts.tools),
  ...machoInputs(config, facts.tools),
  ...facts.cargoConfigs.map((path): InputSpec => ({ kind: 'file', name: `cargo configuration ${path}`, path })),
];

/** What makes the library of a guest kernel that came as source. */
const kernelTools = (config: Config, tools: CrossTools): InputSpec[] => [
  value('compiler', kernelCompilerOf(config, tools)?.args.join(' ') ?? 'none'),
  ...linkerInputs(linkerOf(config, tools), tools),
  ...machoInputs(config, tools),
];

/** What finishes files for macOS. */
const machoInputs = ({ target, host }: Config, tools: CrossTools): InputSpec[] => {
  if (target.platform !== 'darwin') return [];
  const { rename, sign } = machoTools(host);
  return [
    value('oldest macOS', target.oldestMacos ?? 'any'),
    ...[rename, sign].map((one): InputSpec => {
      const name = foundAs(one, tools) ?? 'none';
      return one.version === null ? value(`program ${name}`, name) : tool(one.tool, name, ...one.version);
    }),
  ];
};

const nativeTree = (config: Config, ...crates: string[]): InputSpec[] => [
  ...['Cargo.toml', 'Cargo.lock'].map(
    (name): InputSpec => ({
      kind: 'file',
      name: `native/${name}`,
      path: join(config.toolRoot, 'native', name),
    }),
  ),
  ...crates.map(
    (name): InputSpec => ({ kind: 'tree', name: `native/${name}`, path: join(config.toolRoot, 'native', name) }),
  ),
];

/** Parts of libkrun's tree that its cargo build does not read: changing them must not rebuild it. */
const NOT_COMPILED = [
  'include',
  'init',
  'scripts',
  'corresponding-source',
  'README.md',
  'Makefile',
  'AUTHORS',
  'libkrun.pc.in',
];

/** The steps of a real build. */
export const BUILD_DEFINITIONS: Readonly<Record<StepId, StepDefinition>> = {
  firmware: {
    title: 'guest kernel',
    needs: [],
    version: 1,
    inputs: (config, pins, { tools }) => {
      const file = config.environment.firmwareFile;
      if (file !== undefined) {
        const compiler = isKernelSource(file) ? kernelTools(config, tools) : [];
        return [{ kind: 'file', name: 'A3S_LIBKRUNFW_DYLIB', path: file }, ...compiler];
      }
      const artifact = firmwareArtifact(config, pins);
      // Where the bytes come from does not change them: only digests and the member's name are inputs.
      return [
        value('provider', config.firmware),
        value('pin', { archive: artifact.archive, member: artifact.member, file: artifact.file }),
      ];
    },
  },
  source: {
    title: 'libkrun source',
    needs: [],
    scope: 'once',
    version: 2,
    inputs: (_config, pins, facts) =>
      facts.source.kind === 'crate'
        ? [value('pin', { crate: pins.libkrun.crate, archive: pins.libkrun.archive })]
        : [{ kind: 'tree', name: 'source', path: facts.source.path, exclude: ['target', '.git'] }],
  },
  bindings: {
    title: 'bindings',
    needs: ['source'],
    scope: 'once',
    version: 5,
    inputs: (config, pins) => [
      value('generator', config.toolVersion),
      value('functions not exported', Object.keys(pins.libkrun.exports.missing)),
      value('package version', config.package.version),
      value(
        'targets',
        Object.values(TARGETS).map(({ clangTriple }) => clangTriple),
      ),
      // Some headers of libkrun are links to where they are kept.
      { kind: 'step', name: 'header', step: 'source', ending: '.h' },
      value(
        'headers',
        config.headers.map(({ path }) => basename(path)),
      ),
      ...config.headers.map(({ path }): InputSpec => ({ kind: 'file', name: `header ${basename(path)}`, path })),
      ...config.overrides.map(({ place: _place, ...override }) => value(`override ${override.function}`, override)),
      { kind: 'file', name: 'native/Cargo.lock', path: join(config.toolRoot, 'native/Cargo.lock') },
    ],
  },
  init: {
    title: 'guest init',
    needs: ['source'],
    version: 1,
    inputs: (config, pins, facts) => {
      const { initFile } = config.environment;
      if (initFile !== undefined) return [{ kind: 'file', name: 'KRUN_INIT_BINARY_PATH', path: initFile }];
      const compiler = initCompilerOf(config, facts.tools);
      return [
        value('compiler', compilerText(compiler)),
        ...initTools(config, facts.tools),
        ...(compiler.kind === 'clang' ? [value('sysroot', pins.sysroot.architectures[compiler.sysroot])] : []),
        { kind: 'step', name: 'source', step: 'source', only: ['init'] },
      ];
    },
  },
  libkrun: {
    title: 'libkrun',
    needs: ['source', 'init'],
    version: 2,
    compiles: true,
    inputs: (config, pins, facts) => [
      ...cargoInputs(config, pins, facts),
      value('features', LIBKRUN_FEATURES),
      value('exports', pins.libkrun.exports),
      { kind: 'step', name: 'source', step: 'source', exclude: NOT_COMPILED },
      { kind: 'step', name: 'init', step: 'init' },
    ],
  },
  addon: {
    title: 'Node addon',
    needs: ['bindings'],
    version: 4,
    compiles: true,
    background: true,
    inputs: (config, pins, facts) => [
      ...cargoInputs(config, pins, facts),
      ...nativeTree(config, 'node', 'loader'),
      { kind: 'step', name: 'bindings', step: 'bindings', only: ['committed/napi', 'committed/sys.rs'] },
    ],
  },
  launcher: {
    title: 'launcher',
    needs: ['bindings'],
    version: 3,
    compiles: true,
    background: true,
    inputs: (config, pins, facts) => [
      ...cargoInputs(config, pins, facts),
      ...nativeTree(config, 'launcher', 'loader'),
      { kind: 'file', name: 'native/node/Cargo.toml', path: join(config.toolRoot, 'native/node/Cargo.toml') },
      { kind: 'step', name: 'bindings', step: 'bindings', only: ['committed/sys.rs'] },
    ],
  },
  prefix: {
    title: 'prefix',
    needs: ['firmware', 'source', 'bindings', 'libkrun', 'launcher'],
    version: 2,
    inputs: (config, pins) => [
      value('target', config.target.id),
      value('library', pins.libkrun.library),
      value('exports', pins.libkrun.exports),
      { kind: 'step', name: 'header', step: 'source', only: ['include'] },
      ...(['firmware', 'libkrun', 'launcher'] as const).map((step): InputSpec => ({ kind: 'step', name: step, step })),
      { kind: 'step', name: 'functions', step: 'bindings', only: ['committed/abi.json'] },
    ],
  },
  package: {
    title: 'npm packages',
    needs: ['firmware', 'source', 'bindings', 'libkrun', 'addon', 'launcher', 'prefix'],
    scope: 'all',
    version: 3,
    inputs: (config, pins, facts) => [
      value('package', config.package),
      value('generator', config.toolVersion),
      value('date', String(config.environment.sourceDate)),
      value('pins', { firmware: pins.firmware, libkrun: pins.libkrun }),
      value('provider', config.environment.firmwareFile === undefined ? config.firmware : 'A3S_LIBKRUNFW_DYLIB'),
      value('source', facts.source.kind),
      value('init', config.environment.initFile === undefined ? 'compiled' : 'supplied'),
      value('features', LIBKRUN_FEATURES),
      { kind: 'tree', name: 'run-time code', path: join(config.toolRoot, 'dist', 'npm') },
      { kind: 'tree', name: 'licences', path: join(config.toolRoot, 'vendor', 'licenses') },
      { kind: 'file', name: 'native/Cargo.lock', path: join(config.toolRoot, 'native', 'Cargo.lock') },
      { kind: 'step', name: 'prefix', step: 'prefix' },
      {
        kind: 'step',
        name: 'types',
        step: 'bindings',
        only: ['libkrun.d.ts', 'committed/abi.json', 'committed/napi/Cargo.lock'],
      },
      { kind: 'step', name: 'source', step: 'source', only: ['LICENSE', 'Cargo.lock', 'edk2'] },
      { kind: 'step', name: 'addon', step: 'addon' },
      ...(['libkrun', 'launcher'] as const).map(
        (step): InputSpec => ({ kind: 'step', name: `crates of ${step}`, step, only: ['notices.json'] }),
      ),
    ],
  },
};

/** The pinned guest kernel for the configured provider and target. */
export function firmwareArtifact(config: Config, pins: Pins): FirmwareArtifact {
  const artifact = pins.firmware.providers[config.firmware].targets[config.target.id];
  if (artifact !== undefined) return artifact;
  throw buildError('A3S1102', {
    message: `the firmware provider ${config.firmware} has no pin for ${config.target.id}`,
    fix: 'Choose the other provider with --firmware, or add the pin to vendor/libkrunfw.json.',
  });
}
