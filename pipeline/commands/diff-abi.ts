import { toLock } from '../bindings/abi.ts';
import type { AbiItem } from '../bindings/abi-change.ts';
import { diffAbi } from '../bindings/abi-diff.ts';
import { CHANGE_KINDS } from '../bindings/abi-kinds.ts';
import { readAbi } from '../bindings/abi-schema.ts';
import { type Verdict, verdictOf, verdictOfChange } from '../bindings/abi-verdict.ts';
import type { HeaderIr } from '../bindings/ir.ts';

/** One difference between two interfaces, with the release that it needs. */
export interface JudgedChange {
  /** What kind of difference, such as `function-removed` or `parameter-wider`; a later version may know more kinds. */
  readonly kind: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly item: AbiItem;
  /** C name of the function, constant, record, enum or typedef. */
  readonly name: string;
  /** Which part of it (`argument 2`, `field width`); empty for the whole. */
  readonly part: string;
  /** What it was, in one line; empty where there was nothing. */
  readonly before: string;
  readonly after: string;
  readonly verdict: Verdict;
}

/** What differs from one interface to another. */
export interface AbiDifference {
  readonly changes: readonly JudgedChange[];
  /** The release that all changes together need: `none` where nothing differs. */
  readonly verdict: Verdict;
}

/**
 * Compares two interfaces, each an IR or the text of an `abi.json`.
 * @throws BuildError A3S3001, with line and column, for a text that is no lock of this version.
 */
export function diffInterfaces(before: HeaderIr | string, after: HeaderIr | string): AbiDifference {
  const changes = diffAbi(lockOf(before, 'the older abi.json'), lockOf(after, 'the newer abi.json'));
  return {
    changes: changes.map((change) => {
      const { kind, item, name, part, before: was, after: is } = change;
      const { sign } = CHANGE_KINDS[kind];
      return { kind, change: sign, item, name, part, before: was, after: is, verdict: verdictOfChange(change) };
    }),
    verdict: verdictOf(changes),
  };
}

function lockOf(from: HeaderIr | string, file: string) {
  return typeof from === 'string' ? readAbi(from, file) : toLock([from]);
}
