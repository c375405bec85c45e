import { createHash } from 'node:crypto';
import { BUILD_DEFINITIONS, cargoTools, initTools, type ToolInput } from './build-steps.ts';
import { type Config, configFor } from './config.ts';
import type { CrossTools } from './cross-tools.ts';
import { buildError } from './errors.ts';
import { layoutOf, targetName } from './layout.ts';
import type { Pins } from './pins.ts';
import { type Definitions, type PlanFacts, type StepDefinition, value } from './step-definition.ts';
import { instancesOf } from './step-instances.ts';
import { type Plan, STEP_IDS, type StepId } from './steps.ts';
import { STUB_DEFINITIONS } from './stub-steps.ts';
import { SYSTEM_DEFINITIONS, SYSTEM_LEAVES_OUT } from './system-steps.ts';
import type { Target } from './targets.ts';

export type { PlanFacts } from './step-definition.ts';

/**
 * All steps of a build for `config`, of its stub, or of one with a libkrun of this system, with everything each depends
 * on. Pure. `only` keeps the steps named and what they need. For several targets it holds what depends on the target
 * several times, and everything else once.
 * @throws BuildError A3S1102 when the chosen provider has no guest kernel for the target; A3S1501, A3S4001 or A3S1001
 *   when `only` names a step that there is not in this mode.
 */
export function assemblePlan(config: Config, pins: Pins, facts: PlanFacts): Plan {
  const definitions = definitionsFor(config);
  return {
    schema: 1,
    tool: config.toolVersion,
    target: targetName(config),
    targets: config.environment.stub ? [] : config.targets.map(({ id }) => id),
    outDir: layoutOf(config).root,
    steps: [...wantedSteps(config)].flatMap((id) => {
      const definition = definitionOf(id, definitions, config);
      const inputsFor = (target: Target) => [
        value('step version', String(definition.version)),
        ...definition.inputs(configFor(config, target), pins, facts),
      ];
      return instancesOf(id, definitions, config, inputsFor);
    }),
    leftOut: leftOut(config),
  };
}

/** Every question that a plan for `config` may put to a tool; known before the plan is. */
export function toolQuestions(config: Config, tools: CrossTools): readonly ToolInput[] {
  const wanted = wantedSteps(config);
  const definitions = definitionsFor(config);
  const compiles = [...wanted].some((id) => definitions[id]?.compiles === true);
  return config.targets
    .map((target) => configFor(config, target))
    .flatMap((one) => [
      ...(compiles ? cargoTools(one, tools) : []),
      ...(wanted.has('init') ? initTools(one, tools) : []),
    ])
    .filter((input) => input.kind === 'tool');
}

/** Digest of anything that prints as JSON: how values become cache keys. */
export function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** What the steps are in the mode of `config`. */
function definitionsFor(config: Config): Definitions {
  if (config.environment.stub) return STUB_DEFINITIONS;
  if (!config.systemLibkrun) return BUILD_DEFINITIONS;
  const { init: _init, package: _package, ...others } = BUILD_DEFINITIONS;
  const { firmware, libkrun } = SYSTEM_DEFINITIONS;
  const ownFirmware = config.environment.firmwareFile !== undefined;
  return { ...others, libkrun, ...(ownFirmware ? {} : { firmware }) };
}

function leftOut({ systemLibkrun, only }: Config): Plan['leftOut'] {
  return systemLibkrun && only.length === 0 ? SYSTEM_LEAVES_OUT : [];
}

/** Each step after all that it needs. */
function wantedSteps(config: Config): ReadonlySet<StepId> {
  const definitions = definitionsFor(config);
  const without = new Set(leftOut(config).map(({ step }) => step));
  const all = STEP_IDS.filter((id) => definitions[id] !== undefined && !without.has(id));
  const withNeeds = (id: StepId): readonly StepId[] => [
    ...definitionOf(id, definitions, config).needs.flatMap(withNeeds),
    id,
  ];
  return new Set((config.only.length === 0 ? all : config.only).flatMap(withNeeds));
}

function definitionOf(id: StepId, definitions: Definitions, { environment }: Config): StepDefinition {
  const definition = definitions[id];
  if (definition !== undefined) return definition;
  if (environment.stub) {
    throw buildError('A3S1501', {
      message: `stub mode has no step ${id}; it has ${Object.keys(definitions).join(', ')}`,
    });
  }
  const why = SYSTEM_LEAVES_OUT.find(({ step }) => step === id)?.why ?? 'a libkrun of this system needs none';
  throw buildError(id === 'package' ? 'A3S4001' : 'A3S1001', {
    message: `there is no step ${id} with A3S_USE_SYSTEM_LIBKRUN: ${why}`,
    fix: 'Unset A3S_USE_SYSTEM_LIBKRUN, or set A3S_BUILD_LIBKRUN=1, to build from source.',
  });
}
