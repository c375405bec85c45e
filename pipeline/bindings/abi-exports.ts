import { type AbiLock, functionNames, interfaceFor } from './abi.ts';
import { type AbiChange, part } from './abi-change.ts';

/** What is known of the exports of the library for one target. */
export interface LibraryExports {
  readonly target: string;
  /** Declared functions that the library does not export. */
  readonly notExported: readonly string[];
  /** Those that were reviewed as missing: what the last release is known to lack. */
  readonly reviewed: readonly string[];
}

/**
 * What changed in the set of exports, among the functions that are declared before and after: a function that comes or
 * goes with its declaration has been counted there, and the library at hand may be older than the header.
 */
export function exportChanges(
  before: AbiLock,
  after: AbiLock,
  { target, notExported, reviewed }: LibraryExports,
): readonly AbiChange[] {
  const then = new Set(functionNames(before, target));
  return (interfaceFor(after, target)?.functions ?? []).flatMap(({ name, header, node }): readonly AbiChange[] => {
    const [was, is] = [!reviewed.includes(name), !notExported.includes(name)];
    if (!then.has(name) || was === is) return [];
    const change = part(is ? 'export-added' : 'export-removed');
    return [{ ...change, item: 'function', name, header, targets: [target], node: node !== false }];
  });
}
