import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathNeedles } from '../binary/audit.ts';
import { functionNames } from '../bindings/abi.ts';
import { readAbi } from '../bindings/abi-schema.ts';
import { withDiskErrors } from '../effects/files.ts';
import { generatedFolder, readPins } from '../effects/inputs-on-disk.ts';
import { openWellFormed } from '../effects/well-formed.ts';
import type { Config } from '../plan/config.ts';
import { buildError } from '../plan/errors.ts';
import { isExactVersion } from '../plan/fields.ts';
import { formatBytes } from '../run/lines.ts';
import { privateFolders } from '../steps/audit-file.ts';
import { SRI } from '../steps/package/integrity.ts';
import { readSet } from '../steps/package/read-set.ts';
import { assertSet, auditSet } from '../steps/package/set.ts';
import type { ProjectExpectation, SetReport, VerifiedPackage } from '../steps/package/set-types.ts';
import { type CommonOptions, openConfig, type Streams, type Surroundings } from './session.ts';

export interface VerifyOptions extends CommonOptions {
  /** Folder that the tarballs lie in. */
  readonly folder: string;
  /** SHA-512 (SRI) of the root package's tarball, from a place that is trusted. */
  readonly expect?: string | undefined;
  /** Version that the packages have to be, or the tag that names it: `1.2.3` or `v1.2.3`. */
  readonly release?: string | undefined;
  /** Also asks for all that has to be known of what is published. */
  readonly publish?: boolean | undefined;
}

/** Folders in which build machines keep homes; no file of ours names one. */
const HOMES = ['/home/', '/Users/', '/root/', '/var/folders/'];

/**
 * Holds the tarballs of a folder against what users need, each other and `expect`. It needs no build: only what is in
 * the tarballs, the pins, and the committed interface.
 * @returns What was found, findings included.
 * @throws BuildError A3S1001 for an `expect` that is no digest or a `release` that is no version, A3S4005 for a folder
 *   without tarballs.
 */
export async function verifyFolder(options: VerifyOptions, surroundings: Surroundings): Promise<SetReport> {
  const { expect, release, publish = false } = options;
  if (expect !== undefined && !SRI.test(expect)) {
    throw buildError('A3S1001', { message: '--expect: expected an SRI digest "sha512-…" of the root package' });
  }
  const version = release?.replace(/^v/, '');
  if (version !== undefined && !isExactVersion(version)) {
    throw buildError('A3S1001', { message: '--release: expected an exact version or its tag, such as v1.2.3' });
  }
  const config = await openConfig(options, surroundings);
  const expected = { ...(await projectExpectation(config)), root: true, expect, release: version, publish };
  return auditSet(await readSet(resolve(surroundings.cwd, options.folder)), expected);
}

/** Reads what the tarballs of a project are held against. */
export async function projectExpectation(config: Config): Promise<ProjectExpectation> {
  const lockFile = join(generatedFolder(config), 'abi.json');
  const lock = readAbi(await withDiskErrors(lockFile, () => readFile(lockFile, 'utf8')), lockFile);
  const licenses = join(config.toolRoot, 'vendor', 'licenses');
  const names = await withDiskErrors(licenses, () => readdir(licenses));
  return {
    pins: await readPins(config, await openWellFormed(config.toolVersion)),
    repository: config.package.repository,
    functions: (target) => functionNames(lock, target),
    licenses: new Map(
      await Promise.all(names.map(async (name) => [name, await readFile(join(licenses, name))] as const)),
    ),
    forbiddenText: [...new Set([...privateFolders(config), ...pathNeedles(HOMES)])],
  };
}

/**
 * Verifies a folder, and prints what was found.
 * @throws BuildError A3S4002, A3S4003 or A3S4004 listing every finding; see {@link verifyFolder} for others.
 */
export async function runVerify(
  options: VerifyOptions,
  surroundings: Surroundings,
  { stdout, stderr }: Streams,
  json: boolean,
): Promise<void> {
  const report = await verifyFolder(options, surroundings);
  if (json) stdout.write(`${JSON.stringify({ ok: report.findings.length === 0, ...report }, null, 2)}\n`);
  else stdout.write(report.packages.map(packageLine).join(''));
  assertSet(report.findings, options.folder);
  const root = report.packages.find(({ target }) => target === null);
  stderr.write(
    report.anchored
      ? 'verified against the root package that was expected\n'
      : `verified against each other only; to verify against this root package: --expect ${root?.integrity}\n`,
  );
}

function packageLine({ name, version, size, floors }: VerifiedPackage): string {
  const systems = [floors.glibc && `glibc ${floors.glibc}`, floors.macos && `macOS ${floors.macos}`].filter(Boolean);
  return `${[`${name} ${version}`, formatBytes(size), ...systems].join('  ')}\n`;
}
