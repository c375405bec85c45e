import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditExpectation, auditBinary } from '../binary/audit.ts';
import { readElf } from '../binary/elf.ts';
import { functionNames } from '../bindings/abi.ts';
import { readAbi } from '../bindings/abi-schema.ts';
import { withDiskErrors, writeFileWhole } from '../effects/files.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import type { LibkrunPins } from '../plan/pins.ts';
import { FEATURE_FUNCTIONS, SYSTEM_FIRMWARE, type SystemCandidate } from '../plan/system-libkrun.ts';
import type { Target } from '../plan/targets.ts';
import { FIRMWARE_EXPORTS } from './binaries.ts';
import { COMMITTED } from './bindings.ts';
import type { RunStep, StepContext } from './step.ts';

/**
 * Takes the first libkrun of this system that can stand in for our own, with the guest kernel that goes with it.
 * @throws BuildError A3S1601 naming every candidate and why it was refused.
 */
export const runSystemLibkrun: RunStep = async (context) => {
  const { target, environment } = context.config;
  const lock = await readFile(join(context.need('bindings').dir, COMMITTED, 'abi.json'), 'utf8');
  const required = functionNames(readAbi(lock), target.id);
  const { missing } = context.pins.libkrun.exports;
  const ownFirmware = environment.firmwareFile !== undefined;
  const refusals: string[] = [];
  for (const candidate of context.system) {
    const reasons = await judge(candidate, { target, required, missing, ownFirmware });
    if (reasons.length === 0) return take(context, candidate, refusals);
    refusals.push(`${candidate.library ?? candidate.origin}: ${reasons.join('; ')}`);
  }
  throw buildError('A3S1601', {
    message: ['no libkrun of this system can be used:', ...(refusals.length > 0 ? refusals : ['none was found'])].join(
      '\n  ',
    ),
  });
};

async function take(context: StepContext, candidate: SystemCandidate, refusals: readonly string[]) {
  const { target } = context.config;
  const { library, firmware, origin, version } = candidate;
  for (const refusal of refusals) context.warn(`not taken: ${refusal}`);
  await copy(library, join(context.out, 'lib', target.libraryFile));
  await copy(firmware, join(context.out, SYSTEM_FIRMWARE, target.firmwareFile));
  // An output, so that later steps notice when only the version or the place changed.
  const facts = { origin, library, firmware, version };
  await writeFileWhole(join(context.out, 'system.json'), `${JSON.stringify(facts, null, 2)}\n`);
  return { facts, summary: `libkrun ${version ?? 'of unknown version'} of this system, ${library}` };
}

async function copy(from: string | null, to: string): Promise<void> {
  if (from === null) return;
  await mkdir(join(to, '..'), { recursive: true });
  await withDiskErrors(from, () => copyFile(from, to));
}

/** What a library is held against. */
export interface SystemExpectation {
  readonly target: Target;
  /** Functions that the header declares. */
  readonly required: readonly string[];
  /** Those that our own build lacks as well, by the reviewed list. */
  readonly missing: LibkrunPins['exports']['missing'];
  /** Whether the user names a guest kernel, so that none need be installed. */
  readonly ownFirmware: boolean;
}

/** Why a candidate cannot be used; empty where it can. */
export async function judge(candidate: SystemCandidate, expected: SystemExpectation): Promise<readonly string[]> {
  const { library, firmware, refused } = candidate;
  if (refused !== null) return [refused];
  if (library === null) return ['there is none'];
  const { target, ownFirmware } = expected;
  const form = { machine: target.machine, form: 'shared' } as const;
  return [
    ...(await differences(library, { ...form, soname: target.libraryFile }, (names) => lacking(names, expected))),
    ...(ownFirmware ? [] : await judgeFirmware(firmware, { ...form, soname: target.firmwareFile })),
  ];
}

async function judgeFirmware(firmware: string | null, expected: AuditExpectation): Promise<readonly string[]> {
  if (firmware === null) return [`no ${expected.soname} beside it or in the usual folders`];
  const exports = { required: FIRMWARE_EXPORTS, alsoAllowed: ['*'] };
  const found = await differences(firmware, { ...expected, exports }, () => []);
  return found.map((reason) => `${firmware}: ${reason}`);
}

/** What differs in a file; one that is no ELF file at all has one difference, and that is no end of the search. */
async function differences(
  file: string,
  expected: AuditExpectation,
  more: (exports: ReadonlySet<string>) => readonly string[],
): Promise<readonly string[]> {
  try {
    const bytes = await withDiskErrors(file, () => readFile(file));
    const elf = readElf(bytes, file);
    const names = new Set(elf.exports.map(({ name }) => name));
    return [...auditBinary(bytes, elf, expected).map(({ message }) => message), ...more(names)];
  } catch (error) {
    if (error instanceof BuildError) return [error.message];
    throw error;
  }
}

/** Functions of the header that are not there, told by the feature where one brings them. */
function lacking(exported: ReadonlySet<string>, { required, missing }: SystemExpectation): readonly string[] {
  const absent = new Set(required.filter((name) => !exported.has(name) && !Object.hasOwn(missing, name)));
  const reasons: string[] = [];
  for (const [feature, prefixes] of Object.entries(FEATURE_FUNCTIONS)) {
    const names = [...absent].filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
    if (names.length > 0) reasons.push(`it lacks the feature ${feature} (${list(names)})`);
    for (const name of names) absent.delete(name);
  }
  if (absent.size > 0) reasons.push(`it does not export ${list([...absent])}, which the header declares`);
  return reasons;
}

const SHOWN = 5;

function list(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${more} more` : names.join(', ');
}
