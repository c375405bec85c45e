import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemblePlan, toolQuestions } from '../../pipeline/plan/assemble.ts';
import type { Config } from '../../pipeline/plan/config.ts';
import { NO_CROSS_TOOLS } from '../../pipeline/plan/cross-tools.ts';
import { type Pins, parseFirmwarePins, parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import type { PlanFacts } from '../../pipeline/plan/step-definition.ts';
import { type InputSpec, type PlannedStep, STEP_IDS, type StepId } from '../../pipeline/plan/steps.ts';
import { parseSysrootPins } from '../../pipeline/plan/sysroot-pins.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { keyOf } from '../../pipeline/run/inputs.ts';
import { REPOSITORY, testConfig } from '../helpers/session.ts';

const read = (name: string): string => readFileSync(join(REPOSITORY, 'vendor', name), 'utf8');
const pins: Pins = {
  firmware: parseFirmwarePins(read('libkrunfw.json'), 'libkrunfw.json'),
  libkrun: parseLibkrunPins(read('libkrun.json'), 'libkrun.json'),
  sysroot: parseSysrootPins(read('sysroot.json'), 'sysroot.json'),
};
const crate: PlanFacts = { source: { kind: 'crate' }, system: [], tools: NO_CROSS_TOOLS, cargoConfigs: [] };

const plan = (config: Config = testConfig('/f'), facts: PlanFacts = crate) => assemblePlan(config, pins, facts);
const inputs = (id: StepId, config?: Config, facts?: PlanFacts): readonly InputSpec[] =>
  plan(config, facts).steps.find((step) => step.id === id)?.inputs ?? [];
const names = (...args: Parameters<typeof inputs>): string[] => inputs(...args).map((input) => input.name);

it('is data: equal for equal input, and the same after a way through JSON', () => {
  expect(plan()).toEqual(plan());
  expect(JSON.parse(JSON.stringify(plan()))).toEqual(plan());
});

it('lists a step after all that it needs', () => {
  const seen = new Set<string>();
  for (const step of plan().steps) {
    expect(step.needs.filter((need) => !seen.has(need))).toEqual([]);
    seen.add(step.id);
  }
  expect([...seen]).toEqual([...STEP_IDS]);
});

it('declares as inputs only steps that the step needs', () => {
  for (const step of plan().steps) {
    const used = step.inputs.flatMap((input) => (input.kind === 'step' ? [input.step] : []));
    expect(used.filter((id) => !step.needs.includes(id))).toEqual([]);
  }
});

it('keeps the steps named and what they need', () => {
  expect(plan(testConfig('/f', { only: ['addon'] })).steps.map((step) => step.id)).toEqual([
    'source',
    'bindings',
    'addon',
  ]);
});

it('compiles addon and launcher with the raw bindings of the same headers, without their prose', () => {
  const bindings = (id: StepId) => inputs(id).find((input) => input.kind === 'step' && input.step === 'bindings');
  expect(bindings('launcher')).toMatchObject({ only: ['committed/sys.rs'] });
  expect(bindings('addon')).toMatchObject({ only: ['committed/napi', 'committed/sys.rs'] });
});

it.each([[[]], [['libkrun']], [['init']], [['bindings']]])('asks no tool that was not announced, for %j', (only) => {
  const config = testConfig('/f', { only });
  const announced = new Set(
    toolQuestions(config, NO_CROSS_TOOLS).map(({ command, args }) => JSON.stringify([command, args])),
  );
  const asked = plan(config).steps.flatMap((step) =>
    step.inputs.flatMap((input) => (input.kind === 'tool' ? [input] : [])),
  );
  expect(asked.filter(({ command, args }) => !announced.has(JSON.stringify([command, args])))).toEqual([]);
});

it('announces no question where nothing is compiled: starting a program takes time', () => {
  expect(toolQuestions(testConfig('/f', { only: ['bindings'] }), NO_CROSS_TOOLS)).toEqual([]);
});

it('makes the same bindings whatever machine they are for', () => {
  const config = testConfig('/f');
  const bindings = (id: 'linux-x64' | 'darwin-arm64') =>
    plan({ ...config, target: TARGETS[id] }).steps.find((step) => step.id === 'bindings');
  expect(bindings('darwin-arm64')).toEqual(bindings('linux-x64'));
});

describe('stub mode', () => {
  const on = { A3S_DEPS_STUB: '1' };
  const stub = (flags = {}) => plan(testConfig('/f', flags, on), crate);

  it('plans the steps that need no libkrun, apart from those of a build', () => {
    expect(stub().steps.map(({ id, needs }) => [id, needs])).toEqual([
      ['bindings', []],
      ['addon', ['bindings']],
      ['package', ['bindings', 'addon']],
    ]);
    expect([stub().target, stub().outDir]).toEqual(['stub', '/f/project/build/stub']);
    expect(stub().steps.filter(({ compiles, background }) => compiles || background)).toEqual([]);
  });

  it('asks no tool, and reads only what comes with the project or the tool', () => {
    expect(toolQuestions(testConfig('/f', {}, on), NO_CROSS_TOOLS)).toEqual([]);
    const paths = stub().steps.flatMap(({ inputs }) =>
      inputs.flatMap((input) => ('path' in input ? [input.path] : [])),
    );
    expect(paths.filter((path) => !path.startsWith(REPOSITORY))).toEqual([]);
    expect(stub().steps.flatMap(({ inputs }) => inputs.filter(({ kind }) => kind === 'tool'))).toEqual([]);
  });

  it('takes the interface of the project where it has one', () => {
    const facts: PlanFacts = { ...crate, generated: '/f/project/generated' };
    const [bindings] = plan(testConfig('/f', {}, on), facts).steps;
    expect(bindings?.inputs).toContainEqual({ kind: 'file', name: 'abi.json', path: '/f/project/generated/abi.json' });
  });

  it('keeps the steps named and what they need, and refuses those that a stub does not have', () => {
    expect(stub({ only: ['addon'] }).steps.map(({ id }) => id)).toEqual(['bindings', 'addon']);
    expect(() => stub({ only: ['addon', 'libkrun'] })).toThrow(
      expect.objectContaining({ code: 'A3S1501', message: expect.stringContaining('no step libkrun;') }),
    );
  });

  it('gives a step of the same name another key than a build', () => {
    const keys = (['bindings', 'addon', 'package'] as const).map((id) => [
      ...[stub(), plan()].map(({ steps }) => keyOf(steps.find((step) => step.id === id) as PlannedStep, {})),
    ]);
    expect(new Set(keys.flat()).size).toBe(6);
  });
});

describe('libkrun', () => {
  it('does not depend on headers, on the source of init, or on texts', () => {
    const source = inputs('libkrun').find((input) => input.kind === 'step' && input.step === 'source');
    expect(source).toMatchObject({ exclude: expect.arrayContaining(['include', 'init', 'README.md']) });
  });

  it('depends on the configuration files of cargo', () => {
    const facts = { ...crate, cargoConfigs: ['/f/.cargo/config.toml'] };
    expect(names('libkrun', undefined, facts)).toContain('cargo configuration /f/.cargo/config.toml');
  });
});

describe('the guest kernel', () => {
  it('does not depend on where its bytes come from', () => {
    expect(JSON.stringify(inputs('firmware'))).not.toContain('superradcompany');
  });

  it("is the user's file when there is one", () => {
    const config = testConfig('/f', {}, { A3S_LIBKRUNFW_DYLIB: '/own.so' });
    expect(names('firmware', config)).toEqual(['step version', 'A3S_LIBKRUNFW_DYLIB']);
  });

  it('must be pinned for the target', () => {
    const none = structuredClone(pins) as { firmware: { providers: { github: { targets: object } } } };
    none.firmware.providers.github.targets = {};
    const config = testConfig('/f', { firmware: 'github' });
    expect(() => assemblePlan(config, none as unknown as Pins, crate)).toThrow(
      expect.objectContaining({ code: 'A3S1102' }),
    );
  });
});

describe('for several targets', () => {
  const both = plan(testConfig('/f', { target: 'linux-x64,linux-arm64' }));
  const step = (name: string, of = both) => of.steps.find((one) => one.name === name) as PlannedStep;

  it('holds what does not depend on the target once, and the rest for each', () => {
    expect(both).toMatchObject({ target: 'linux-x64,linux-arm64', targets: ['linux-x64', 'linux-arm64'] });
    const once = ['source', 'bindings', 'package'];
    const each = STEP_IDS.filter((id) => !once.includes(id));
    expect(both.steps.map(({ name }) => name).toSorted()).toEqual(
      [...once, ...each.flatMap((id) => [`${id} linux-x64`, `${id} linux-arm64`])].toSorted(),
    );
  });

  it('lists a step after all that it needs, and declares as inputs only those', () => {
    const seen = new Set<string>();
    for (const { name, needs, inputs } of both.steps) {
      const used = inputs.flatMap((input) => (input.kind === 'step' ? [input.step] : []));
      expect([...needs, ...used].filter((need) => !seen.has(need))).toEqual([]);
      seen.add(name);
    }
  });

  it('gives a target the same key as a plan for it alone', () => {
    for (const target of both.targets) {
      const alone = plan(testConfig('/f', { target }));
      for (const id of STEP_IDS.filter((one) => one !== 'package')) {
        const [name, shared] = [step(`${id} ${target}`), step(id)];
        expect(keyOf(name ?? shared, {})).toBe(keyOf(step(id, alone), {}));
      }
    }
  });

  it('names an input of the packages after its target where targets differ in it', () => {
    const inputsOf = step('package').inputs.map((input) => input.name);
    expect(inputsOf.filter((name) => name.startsWith('prefix'))).toEqual(['prefix linux-x64', 'prefix linux-arm64']);
    expect(inputsOf.filter((name) => name.startsWith('date'))).toEqual(['date']);
    const keys = step('package').inputs.map(({ kind, name }) => `${kind} ${name}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('keeps the steps named and what they need', () => {
    const some = plan(testConfig('/f', { target: 'linux-x64,linux-arm64', only: ['addon'] }));
    expect(some.steps.map(({ name }) => name)).toEqual(['source', 'bindings', 'addon linux-x64', 'addon linux-arm64']);
  });

  it('takes the file of a variable for its target only', () => {
    const own = plan(testConfig('/f', { target: 'all' }, { A3S_LIBKRUNFW_DYLIB_LINUX_ARM64: '/own.so' }));
    const files = own.steps.filter(({ id }) => id === 'firmware').map(({ inputs }) => inputs.map(({ name }) => name));
    expect(files).toEqual([
      ['step version', 'provider', 'pin'],
      ['step version', 'A3S_LIBKRUNFW_DYLIB'],
      ['step version', 'provider', 'pin'],
    ]);
  });
});

describe('with a libkrun of this system', () => {
  const variables = { A3S_USE_SYSTEM_LIBKRUN: '1' };
  const library = { origin: 'pkg-config', library: '/lib/k', firmware: '/lib/f', version: '1.9.8', refused: null };
  const facts: PlanFacts = { ...crate, system: [library] };
  const ids = (config: Config): StepId[] => plan(config, facts).steps.map((step) => step.id);

  it('builds none, packs none, and says so', () => {
    const config = testConfig('/f', {}, variables);
    expect(ids(config)).toEqual(['source', 'bindings', 'libkrun', 'firmware', 'launcher', 'prefix']);
    expect(plan(config, facts).leftOut.map(({ step }) => step)).toEqual(['addon', 'package']);
    expect(plan().leftOut).toEqual([]);
  });

  it('lists a step after all that it needs, and declares as inputs only those', () => {
    const seen = new Set<string>();
    for (const step of plan(testConfig('/f', {}, variables), facts).steps) {
      const used = step.inputs.flatMap((input) => (input.kind === 'step' ? [input.step] : []));
      expect([...step.needs, ...used].filter((id) => !seen.has(id))).toEqual([]);
      seen.add(step.id);
    }
  });

  it('depends on the bytes of every candidate', () => {
    const config = testConfig('/f', {}, variables);
    const files = inputs('libkrun', config, facts).filter((input) => input.kind === 'file');
    expect(files.map((input) => input.name)).toEqual(['/lib/k', '/lib/f']);
  });

  it("keeps a guest kernel of the user's own", () => {
    const config = testConfig('/f', {}, { ...variables, A3S_LIBKRUNFW_DYLIB: '/own.so' });
    expect(names('firmware', config, facts)).toEqual(['step version', 'A3S_LIBKRUNFW_DYLIB']);
  });

  it.each([
    ['package', 'A3S4001'],
    ['init', 'A3S1001'],
  ])('refuses --only %s before any work', (step, code) => {
    const config = testConfig('/f', { only: [step] }, variables);
    expect(() => plan(config, facts)).toThrow(expect.objectContaining({ code }));
  });

  it('is outweighed by A3S_BUILD_LIBKRUN', () => {
    const config = testConfig('/f', {}, { ...variables, A3S_BUILD_LIBKRUN: '1' });
    expect(ids(config)).toEqual([...STEP_IDS]);
  });
});
