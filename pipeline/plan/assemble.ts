import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { LIBKRUN_FEATURES } from './cargo.ts';
import type { Config } from './config.ts';
import { buildError } from './errors.ts';
import type { FirmwareArtifact, Pins } from './pins.ts';
import { type InputSpec, type Plan, type PlannedStep, STEP_IDS, type StepId } from './steps.ts';

/** Where libkrun's source comes from; found out before the plan is made, because it needs a look at the disk. */
export type SourceOrigin = { readonly kind: 'tree'; readonly path: string } | { readonly kind: 'crate' };

/** Facts about this machine that the plan depends on. */
export interface PlanFacts {
  readonly source: SourceOrigin;
  /** Cargo configuration files that apply in the project folder, absolute. */
  readonly cargoConfigs: readonly string[];
}

type StepInputs = (config: Config, pins: Pins, facts: PlanFacts) => readonly InputSpec[];

interface StepDefinition {
  readonly title: string;
  readonly needs: readonly StepId[];
  /** Raised whenever the step's code changes what it makes. */
  readonly version: number;
  readonly compiles?: boolean;
  readonly background?: boolean;
  readonly inputs: StepInputs;
}

const value = (name: string, content: unknown): InputSpec => ({
  kind: 'value',
  name,
  value: typeof content === 'string' ? content : JSON.stringify(content),
});

type ToolInput = Extract<InputSpec, { kind: 'tool' }>;

const tool = (name: string, command: string, ...args: string[]): ToolInput => ({ kind: 'tool', name, command, args });

const cargoTools = ({ environment }: Config): ToolInput[] => [
  tool('rustc', environment.rustc, '-vV'),
  tool('cargo', environment.cargo, '-V'),
  tool('linker', 'cc', '--version'),
];

const initTools = ({ environment }: Config): ToolInput[] => [
  tool('compiler version', environment.initCompiler.command, ...environment.initCompiler.args, '--version'),
];

/** Every question that a plan for `config` may put to a tool; known before the plan is. */
export function toolQuestions(config: Config): readonly ToolInput[] {
  return [...cargoTools(config), ...initTools(config)];
}

const cargoInputs: StepInputs = (config, _pins, facts) => [
  value('target', config.target.triple),
  ...cargoTools(config),
  ...facts.cargoConfigs.map((path): InputSpec => ({ kind: 'file', name: `cargo configuration ${path}`, path })),
];

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

const DEFINITIONS: Readonly<Record<StepId, StepDefinition>> = {
  firmware: {
    title: 'guest kernel',
    needs: [],
    version: 1,
    inputs: (config, pins) => {
      const file = config.environment.firmwareFile;
      if (file !== undefined) return [{ kind: 'file', name: 'A3S_LIBKRUNFW_DYLIB', path: file }];
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
    version: 1,
    inputs: (_config, pins, facts) =>
      facts.source.kind === 'crate'
        ? [value('pin', { crate: pins.libkrun.crate, archive: pins.libkrun.archive })]
        : [{ kind: 'tree', name: 'source', path: facts.source.path, exclude: ['target', '.git'] }],
  },
  bindings: {
    title: 'bindings',
    needs: ['source'],
    version: 3,
    inputs: (config, pins) => [
      value('generator', config.toolVersion),
      value('functions not exported', Object.keys(pins.libkrun.exports.missing)),
      value('package version', config.package.version),
      value('target', config.target.clangTriple),
      // Some headers of libkrun are links to where they are kept.
      { kind: 'step', name: 'header', step: 'source', ending: '.h' },
      value(
        'headers',
        config.headers.map((path) => basename(path)),
      ),
      ...config.headers.map((path): InputSpec => ({ kind: 'file', name: `--header ${basename(path)}`, path })),
      { kind: 'file', name: 'native/Cargo.lock', path: join(config.toolRoot, 'native/Cargo.lock') },
    ],
  },
  init: {
    title: 'guest init',
    needs: ['source'],
    version: 1,
    inputs: (config) => {
      const { initFile, initCompiler } = config.environment;
      if (initFile !== undefined) return [{ kind: 'file', name: 'KRUN_INIT_BINARY_PATH', path: initFile }];
      return [
        value('compiler', [initCompiler.command, ...initCompiler.args].join(' ')),
        ...initTools(config),
        { kind: 'step', name: 'source', step: 'source', only: ['init'] },
      ];
    },
  },
  libkrun: {
    title: 'libkrun',
    needs: ['source', 'init'],
    version: 1,
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
    version: 1,
    compiles: true,
    background: true,
    inputs: (config, pins, facts) => [
      ...cargoInputs(config, pins, facts),
      ...nativeTree(config, 'node', 'loader'),
      { kind: 'step', name: 'bindings', step: 'bindings', only: ['committed/napi'] },
    ],
  },
  launcher: {
    title: 'launcher',
    needs: [],
    version: 1,
    compiles: true,
    background: true,
    inputs: (config, pins, facts) => [
      ...cargoInputs(config, pins, facts),
      ...nativeTree(config, 'launcher', 'loader'),
      { kind: 'file', name: 'native/node/Cargo.toml', path: join(config.toolRoot, 'native/node/Cargo.toml') },
    ],
  },
  prefix: {
    title: 'prefix',
    needs: ['firmware', 'source', 'bindings', 'libkrun', 'launcher'],
    version: 1,
    inputs: (_config, pins) => [
      value('library', pins.libkrun.library),
      { kind: 'step', name: 'header', step: 'source', only: ['include'] },
      ...(['firmware', 'libkrun', 'launcher'] as const).map((step): InputSpec => ({ kind: 'step', name: step, step })),
      { kind: 'step', name: 'functions', step: 'bindings', only: ['committed/abi.json'] },
    ],
  },
  package: {
    title: 'npm packages',
    needs: ['firmware', 'source', 'bindings', 'libkrun', 'addon', 'launcher', 'prefix'],
    version: 1,
    inputs: (config, pins, facts) => [
      value('package', config.package),
      value('generator', config.toolVersion),
      value('date', String(config.environment.sourceDate)),
      value('pins', pins),
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
        only: ['libkrun.d.ts', 'abi.json', 'committed/napi/Cargo.lock'],
      },
      { kind: 'step', name: 'source', step: 'source', only: ['LICENSE', 'Cargo.lock', 'edk2'] },
      { kind: 'step', name: 'addon', step: 'addon' },
    ],
  },
};

/**
 * All steps of a build for `config`, with everything each depends on. Pure.
 * `only` keeps the steps named and what they need.
 * @throws BuildError A3S1102 when the chosen provider has no guest kernel for the target.
 */
export function assemblePlan(config: Config, pins: Pins, facts: PlanFacts): Plan {
  const wanted = new Set(config.only.length === 0 ? STEP_IDS : config.only.flatMap(withNeeds));
  return {
    schema: 1,
    tool: config.toolVersion,
    target: config.target.id,
    outDir: config.outDir,
    steps: STEP_IDS.filter((id) => wanted.has(id)).map((id) => planStep(id, config, pins, facts)),
  };
}

/** The pinned guest kernel for the configured provider and target. */
export function firmwareArtifact(config: Config, pins: Pins): FirmwareArtifact {
  const artifact = pins.firmware.providers[config.firmware].targets[config.target.id];
  if (artifact !== undefined) return artifact;
  throw buildError('A3S1102', {
    message: `the firmware provider ${config.firmware} has no pin for ${config.target.id}`,
    fix: 'Choose the other provider with --firmware, or add the pin to vendor/libkrunfw.json.',
  });
}

/** Digest of anything that prints as JSON: how values become cache keys. */
export function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function planStep(id: StepId, config: Config, pins: Pins, facts: PlanFacts): PlannedStep {
  const definition = DEFINITIONS[id];
  return {
    id,
    title: definition.title,
    needs: definition.needs,
    inputs: [value('step version', String(definition.version)), ...definition.inputs(config, pins, facts)],
    compiles: definition.compiles ?? false,
    background: definition.background ?? false,
  };
}

function withNeeds(id: StepId): readonly StepId[] {
  return [id, ...DEFINITIONS[id].needs.flatMap(withNeeds)];
}
