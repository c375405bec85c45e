import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertAudit, auditBinary } from '../binary/audit.ts';
import { readElf } from '../binary/elf.ts';
import { readAbi } from '../bindings/abi.ts';
import type { LinkRecord } from '../plan/link-record.ts';
import { pkgConfigText } from '../plan/pkg-config.ts';
import { COMMITTED } from './bindings.ts';
import type { RunStep, StepContext } from './step.ts';

/** Headers of other systems, which do not compile here. */
const FOREIGN_HEADERS = new Set(['libkrun_windows.h']);

/** Puts libraries, headers, launcher and link metadata together, as a prefix that works wherever it is moved. */
export const runPrefix: RunStep = async (context) => {
  const { target } = context.config;
  const prefix = join(context.out, 'prefix');
  const headers = await copyHeaders(join(context.need('source').dir, 'include'), join(prefix, 'include'));
  await mkdir(join(prefix, 'lib', 'pkgconfig'), { recursive: true });
  for (const [step, file] of [
    ['firmware', target.firmwareFile],
    ['libkrun', target.libraryFile],
  ] as const) {
    await copyFile(join(context.need(step).dir, 'lib', file), join(prefix, 'lib', file));
  }
  await symlink(target.libraryFile, join(prefix, 'lib', target.builtLibrary));
  await mkdir(join(prefix, 'bin'));
  for (const file of await readdir(join(context.need('launcher').dir, 'bin'))) {
    await copyFile(join(context.need('launcher').dir, 'bin', file), join(prefix, 'bin', file));
  }
  const { version } = context.pins.libkrun.library;
  await writeFile(join(prefix, 'lib', 'pkgconfig', 'libkrun.pc'), pkgConfigText(version, 'lib'));
  await writeFile(join(context.out, 'link.json'), `${JSON.stringify(linkMetadata(context, version), null, 2)}\n`);
  const functions = await checkExports(context, join(prefix, 'lib', target.libraryFile));
  return {
    facts: { headers, functions, version },
    summary: `${functions} functions exported, ${headers.length} headers`,
  };
};

/** Some headers are links into the source tree: a prefix has files of its own. */
async function copyHeaders(from: string, to: string): Promise<string[]> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name.endsWith('.h') && !FOREIGN_HEADERS.has(name)).sort();
  for (const name of names) await copyFile(join(from, name), join(to, name));
  return names;
}

/**
 * Holds the header's functions against the library's exports.
 * @returns How many of the header's functions the library exports.
 * @throws BuildError A3S1205 for a function that is missing and not in the pins' reviewed list, or an export not known.
 */
async function checkExports(context: StepContext, library: string): Promise<number> {
  const { missing, extra } = context.pins.libkrun.exports;
  const lock = await readFile(join(context.need('bindings').dir, COMMITTED, 'abi.json'), 'utf8');
  const required = readAbi(lock).functions.map(({ name }) => name);
  const bytes = await readFile(library);
  const elf = readElf(bytes, library);
  const exports = { required, mayBeMissing: Object.keys(missing), alsoAllowed: Object.keys(extra) };
  assertAudit(auditBinary(bytes, elf, { exports }), library);
  const exported = new Set(elf.exports.map((symbol) => symbol.name));
  return required.filter((name) => exported.has(name)).length;
}

/** What a linker needs to know; paths are relative to this file. */
function linkMetadata(context: StepContext, version: string): LinkRecord {
  const { target } = context.config;
  return {
    schema: 1,
    target: target.id,
    triple: target.triple,
    version,
    searchPath: 'prefix/lib',
    library: 'krun',
    libraryFile: `prefix/lib/${target.libraryFile}`,
    firmwareFile: `prefix/lib/${target.firmwareFile}`,
    includePath: 'prefix/include',
  };
}
