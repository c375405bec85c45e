import { auditBinary } from '../../pipeline/binary/audit.ts';
import { readElf } from '../../pipeline/binary/elf.ts';
import { readSymbolData } from '../../pipeline/binary/symbol-data.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';

/** Reads and audits a file that may be damaged; throws on any failure that is not an A3S1205. */
export function outcome(bytes: Uint8Array): 'read' | 'refused' {
  try {
    const elf = readElf(bytes);
    auditBinary(bytes, elf, { exports: { required: [] }, glibcLimit: '2.17', unversionedImports: [], needed: [] });
    for (const { name } of elf.exports) readSymbolData(bytes, elf, name);
    return 'read';
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S1205') return 'refused';
    throw error;
  }
}

/** A linear congruential generator (constants of Numerical Recipes): the same damage in every run. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
