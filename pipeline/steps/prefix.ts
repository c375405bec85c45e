import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertAudit } from '../binary/audit.ts';
import { auditAnyBinary } from '../binary/audit-file.ts';
import { compareExports, exportLines } from '../binary/exports.ts';
import { functionNames } from '../bindings/abi.ts';
import { readAbi } from '../bindings/abi-schema.ts';
import type { LinkRecord } from '../plan/link-record.ts';
import { pkgConfigText } from '../plan/pkg-config.ts';
import { libraryExportsOnly } from './binaries.ts';
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
  const version = libraryVersion(context);
  await writeFile(join(prefix, 'lib', 'pkgconfig', 'libkrun.pc'), pkgConfigText(version, 'lib'));
  await writeFile(join(context.out, 'link.json'), `${JSON.stringify(linkMetadata(context, version), null, 2)}\n`);
  const { functions, exports, lines } = await checkExports(context, join(prefix, 'lib', target.libraryFile));
  return {
    facts: { headers, functions, exports, version },
    summary: [`${functions} functions exported, ${headers.length} headers`, ...lines].join('; '),
  };
};

/** Version of the C library: the pinned one, or what the system calls its own. */
function libraryVersion({ config, pins, need }: StepContext): string {
  if (!config.systemLibkrun) return pins.libkrun.library.version;
  return String(need('libkrun').facts['version'] ?? 'unknown');
}

/** Some headers are links into the source tree: a prefix has files of its own. */
async function copyHeaders(from: string, to: string): Promise<string[]> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name.endsWith('.h') && !FOREIGN_HEADERS.has(name)).sort();
  for (const name of names) await copyFile(join(from, name), join(to, name));
  return names;
}

/**
 * Holds the header's functions against the library's exports.
 * @returns How many of the header's functions the library exports, and the names on one side only.
 * @throws BuildError A3S1205 for a function that is missing and not in the pins' reviewed list, or an export not known.
 */
async function checkExports(context: StepContext, library: string) {
  const { missing, extra } = context.pins.libkrun.exports;
  const lock = await readFile(join(context.need('bindings').dir, COMMITTED, 'abi.json'), 'utf8');
  const required = functionNames(readAbi(lock), context.config.target.id);
  const bytes = await readFile(library);
  // A library of the system may be newer than the header, and then has more.
  const alsoAllowed = context.config.systemLibkrun ? ['*'] : Object.keys(extra);
  const expected = { required, mayBeMissing: Object.keys(missing), alsoAllowed };
  const only = libraryExportsOnly(context.config.target, expected);
  const { findings, exported } = auditAnyBinary(bytes, library, only);
  assertAudit(findings, library);
  const compared = compareExports(exported, { ...expected, ...only.exports });
  const { notExported, notDeclared } = compared;
  const exports = { declaredNotExported: notExported, exportedNotDeclared: notDeclared };
  return { functions: required.length - notExported.length, exports, lines: exportLines(compared) };
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
