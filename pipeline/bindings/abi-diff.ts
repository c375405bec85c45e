import type { AbiLock } from './abi.ts';

/** One difference between two interfaces. */
export interface AbiChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly item: 'function' | 'constant' | 'record' | 'enum' | 'typedef' | 'lock';
  readonly name: string;
  /** For `changed`: what differs, as `path: before → after`; a comment that differs is `docs` alone. */
  readonly details: readonly string[];
}

const LISTS = [
  ['function', 'functions'],
  ['constant', 'constants'],
  ['record', 'records'],
  ['enum', 'enums'],
  ['typedef', 'typedefs'],
] as const;

/**
 * What differs from `before` to `after`, in the order of `before`, additions last. Order within the headers is no
 * difference. The verdict (what kind of release a change needs) is made from this elsewhere.
 */
export function diffAbi(before: AbiLock, after: AbiLock): readonly AbiChange[] {
  const about = ['target', 'headers'] as const;
  const lock = about.flatMap((key) => differences(before[key], after[key], key));
  const changes: AbiChange[] =
    lock.length === 0 ? [] : [{ kind: 'changed', item: 'lock', name: 'abi.json', details: lock }];
  for (const [item, list] of LISTS) changes.push(...diffList(item, before[list], after[list]));
  return changes;
}

interface Named {
  readonly name: string;
}

function diffList(item: AbiChange['item'], before: readonly Named[], after: readonly Named[]): readonly AbiChange[] {
  const now = new Map(after.map((entry) => [entry.name, entry]));
  const then = new Set(before.map(({ name }) => name));
  const kept = before.flatMap((entry): AbiChange[] => {
    const { name } = entry;
    const other = now.get(name);
    if (other === undefined) return [{ kind: 'removed', item, name, details: [] }];
    const details = differences(entry, other, '');
    return details.length === 0 ? [] : [{ kind: 'changed', item, name, details }];
  });
  const added = after
    .filter(({ name }) => !then.has(name))
    .map(({ name }) => ({ kind: 'added', item, name, details: [] }) as const);
  return [...kept, ...added];
}

function differences(before: unknown, after: unknown, path: string): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (path === 'docs') return ['docs'];
  if (!isObject(before) || !isObject(after)) return [`${path}: ${show(before)} → ${show(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
