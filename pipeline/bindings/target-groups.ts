import type { HeaderIr, Skipped } from './ir.ts';

/** Something that is the same for several targets. */
export interface PerTargets<T> {
  readonly targets: readonly string[];
  readonly value: T;
}

/** Puts targets together whose values have the same `key`; the first value of each stays, in order. */
export function groupTargets<T>(
  entries: readonly PerTargets<T>[],
  key: (value: T) => string,
): readonly PerTargets<T>[] {
  const groups = new Map<string, { targets: string[]; value: T }>();
  for (const { targets, value } of entries) {
    const text = key(value);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { targets: [...targets], value });
    else group.targets.push(...targets);
  }
  return [...groups.values()];
}

/** Groups the targets that see the same interface, whatever the lines it stands on. */
export function groupByInterface(irs: readonly HeaderIr[]): readonly PerTargets<HeaderIr>[] {
  const entries = irs.map((ir) => ({ targets: [ir.target], value: ir }));
  const withoutLines = (key: string, value: unknown): unknown => (key === 'line' ? undefined : value);
  // Targets that were read alike share their items.
  const texts = new Map<HeaderIr['items'], string>();
  return groupTargets(entries, ({ headers, items }) => {
    const text = texts.get(items) ?? JSON.stringify([headers, items], withoutLines);
    texts.set(items, text);
    return text;
  });
}

/** What was left out, once for all targets; where it concerns only some of them, with their names. */
export function skippedOf(irs: readonly HeaderIr[]): readonly Skipped[] {
  const entries = irs.flatMap(({ target, skipped }) => skipped.map((value) => ({ targets: [target], value })));
  const groups = groupTargets(entries, ({ name, output, reason }) => JSON.stringify([name, output, reason]));
  return groups.map(({ targets, value }) => {
    const everywhere = new Set(targets).size === irs.length;
    return everywhere ? value : { ...value, reason: `${value.reason} (${targets.join(', ')})` };
  });
}
