import type { Config } from './config.ts';
import { STUB_NAME } from './layout.ts';
import type { Definitions, StepDefinition } from './step-definition.ts';
import { type InputSpec, type PlannedStep, type StepId, type StepName, stepOf } from './steps.ts';
import type { Target } from './targets.ts';

/**
 * The instances of a step in a plan for `targets`: one for each of them, or one for all. With one target there is one,
 * named by the step's id.
 * @param inputsFor The inputs of the step for one target.
 */
export function instancesOf(
  id: StepId,
  definitions: Definitions,
  { targets, environment: { stub } }: Pick<Config, 'targets' | 'environment'>,
  inputsFor: (target: Target) => readonly InputSpec[],
): readonly PlannedStep[] {
  const definition = definitions[id];
  if (definition === undefined) throw new Error(`there is no step ${id}`);
  const name = (step: StepId, target: Target): StepName =>
    scopeOf(definitions[step]) === 'each' && targets.length > 1 ? `${step} ${target.id}` : step;
  const linked = (target: Target): readonly InputSpec[] =>
    inputsFor(target).map((input) =>
      input.kind === 'step' ? { ...input, step: name(stepOf(input.step), target) } : input,
    );
  const instance = (own: StepName, of: readonly Target[]): PlannedStep => {
    const ids = scopeOf(definition) === 'once' ? [] : of.map((target) => target.id);
    return {
      id,
      name: own,
      targets: ids,
      usableFor: stub ? STUB_NAME : ids.join(',') || 'any',
      title: definition.title,
      needs: [...new Set(definition.needs.flatMap((step) => of.map((target) => name(step, target))))],
      inputs: merged(of.map((target) => [target, linked(target)])),
      compiles: definition.compiles ?? false,
      background: definition.background ?? false,
    };
  };
  switch (scopeOf(definition)) {
    case 'each':
      return targets.map((target) => instance(name(id, target), [target]));
    case 'once':
      // What does not depend on the target is the same for the first as for every other.
      return [instance(id, targets.slice(0, 1))];
    case 'all':
      return [instance(id, targets)];
  }
}

function scopeOf(definition: StepDefinition | undefined) {
  return definition?.scope ?? 'each';
}

/** What the targets have in common stands once; the rest once for each, under a name of its own. */
function merged(sets: readonly (readonly [Target, readonly InputSpec[]])[]): readonly InputSpec[] {
  const [[, first] = [undefined, []]] = sets;
  if (sets.length === 1) return first;
  const texts = sets.map(([, inputs]) => new Set(inputs.map((input) => JSON.stringify(input))));
  const common = (input: InputSpec): boolean => texts.every((set) => set.has(JSON.stringify(input)));
  const own = sets.flatMap(([{ id }, inputs]) =>
    inputs.filter((input) => !common(input)).map((input) => ({ ...input, name: `${input.name} ${id}` })),
  );
  return [...first.filter(common), ...own];
}
