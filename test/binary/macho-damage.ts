import { readMachO } from '../../pipeline/binary/macho.ts';
import { auditMachO } from '../../pipeline/binary/macho-audit.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';

/** Reads and audits a file that may be damaged; throws on any failure that is not an A3S1205. */
export function machoOutcome(bytes: Uint8Array): 'sound' | 'unsound' | 'refused' {
  try {
    const macho = readMachO(bytes);
    auditMachO(bytes, macho, {
      rpaths: [],
      needed: [],
      exports: { required: [] },
      systemLimit: '11.0',
      flatImports: [],
      entitlements: {},
    });
    return macho.signature?.problems.length === 0 ? 'sound' : 'unsound';
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S1205') return 'refused';
    throw error;
  }
}
