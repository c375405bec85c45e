import { toIr } from './header.ts';
import type { HeaderIr } from './ir.ts';
import type { RawUnit } from './libclang/raw.ts';
import type { Override } from './overrides.ts';

/**
 * Turns what a parser reported of the same headers for several targets into an IR for each. An override counts as
 * stale only where no target knows what it names: conditions of the preprocessor may hide it from some.
 * @param options.tell As for {@link toIr}.
 * @param options.ahead What {@link irAhead} made of the first unit.
 * @throws BuildError as {@link toIr} does, for the first target that has a reason.
 */
export function irsOf(
  units: readonly RawUnit[],
  overrides: readonly Override[],
  { tell, ahead }: { tell?: (question: string) => void; ahead?: HeaderIr | undefined } = {},
): readonly HeaderIr[] {
  const parameters = units.map(parametersOf);
  const known = new Map<string, HeaderIr>();
  // A parser that found targets alike says so by one list of items, which need not be written out to be compared.
  const alike = units.every(({ items }) => items === units[0]?.items);
  return units.map((unit, index) => {
    const content = alike ? '' : contentOf(unit);
    const same = known.get(content);
    if (same !== undefined) return { ...same, target: unit.target };
    const own = () => toIr(unit, overridesOn(parameters[index] ?? new Map(), parameters, overrides), tell);
    const ir = alike && ahead !== undefined ? ahead : own();
    known.set(content, ir);
    return ir;
  });
}

/**
 * The IR of the first unit, which is right where all others turn out to be alike; undefined where {@link irsOf} will
 * have something to refuse.
 */
export function irAhead(unit: RawUnit, overrides: readonly Override[]): HeaderIr | undefined {
  try {
    return toIr(unit, overrides);
  } catch {
    return undefined;
  }
}

/** A standard type of 64 bits is `long` on some systems and `long long` on others; the IR has its name and width. */
const LONG_LONG = /("kind":"standard","name":"\w+","type":\{"kind":"scalar","scalar":"(?:unsigned )?long) long"/g;

/** Text that is equal for units that lead to the same IR but for the target; most headers are the same everywhere. */
function contentOf({ target: _target, ...unit }: RawUnit): string {
  const text = JSON.stringify(unit);
  return unit.widths.long === unit.widths['long long'] ? text.replace(LONG_LONG, '$1"') : text;
}

/** Names of the parameters of each function. */
type ParameterNames = ReadonlyMap<string, ReadonlySet<string>>;

function parametersOf(unit: RawUnit): ParameterNames {
  return new Map(
    unit.items.flatMap((item) =>
      item.kind === 'function' ? [[item.name, new Set(item.parameters.map(({ name }) => name))] as const] : [],
    ),
  );
}

/** Without what another target has and this one has not. */
function overridesOn(
  own: ParameterNames,
  all: readonly ParameterNames[],
  overrides: readonly Override[],
): readonly Override[] {
  return overrides.flatMap((override): readonly Override[] => {
    const name = override.function;
    const names = own.get(name);
    if (names === undefined) return all.some((other) => other.has(name)) ? [] : [override];
    const entries = Object.entries(override.parameters ?? {});
    const kept = entries.filter(([key]) => names.has(key) || !all.some((other) => other.get(name)?.has(key)));
    return [kept.length === entries.length ? override : { ...override, parameters: Object.fromEntries(kept) }];
  });
}
