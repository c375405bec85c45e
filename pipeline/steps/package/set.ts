import { printable } from '../../binary/byte-reader.ts';
import type { ErrorCode } from '../../plan/error-table.ts';
import { buildError } from '../../plan/errors.ts';
import { isPackageId } from '../../plan/fields.ts';
import { parseManifest } from './audit.ts';
import { stubMarks } from './manifests.ts';
import { tarballName } from './names.ts';
import { auditPlatform, type PlatformTarball, targetOfName } from './set-platform.ts';
import { auditRoot, compareWithRoot, type RootTarball } from './set-root.ts';
import type { FoundTarball, SetCheck, SetExpectation, SetFinding, SetReport, VerifiedPackage } from './set-types.ts';

/** What each kind of finding is a case of; the others make a set that is not fit for use. */
const CODES: Readonly<Partial<Record<SetCheck, ErrorCode>>> = {
  archive: 'A3S4002',
  integrity: 'A3S4002',
  expect: 'A3S4002',
  pin: 'A3S4002',
  source: 'A3S4004',
};
/** The gravest first: where several are found, the first one's code is the failure's. */
const GRAVEST = ['A3S4002', 'A3S4003', 'A3S4004'] as const;

interface Sorted {
  readonly roots: readonly RootTarball[];
  readonly platforms: readonly PlatformTarball[];
  readonly findings: readonly SetFinding[];
}

/**
 * Holds the tarballs of a release against what users need and against each other, with nothing but what is in them and
 * the tables of this program. Pure.
 */
export function auditSet(tarballs: readonly FoundTarball[], expected: SetExpectation): SetReport {
  const { roots, platforms, findings } = sortTarballs(tarballs);
  const audited = platforms.map((platform) => ({ platform, ...auditPlatform(platform, expected) }));
  const [root, ...others] = roots;
  const anchored = root !== undefined && others.length === 0 && root.found.integrity === expected.expect;
  return {
    anchored,
    packages: [
      ...audited.map(({ platform, floors }) => describe(platform, platform.target.id, floors)),
      ...roots.map((one) => describe(one, null, { glibc: null, macos: null })),
    ],
    findings: printableFindings([
      ...findings,
      ...audited.flatMap((one) => one.findings),
      ...repeated([...roots, ...platforms]),
      ...(expected.root ? checkRoots(roots, platforms, expected) : roots.map(unwantedRoot)),
      ...oneTool(audited),
    ]),
  };
}

/** Paths and texts out of a tarball are whatever its maker wanted. */
function printableFindings(findings: readonly SetFinding[]): SetFinding[] {
  return findings.map(({ where, check, message }) => ({ where: printable(where), check, message: printable(message) }));
}

/**
 * @throws BuildError A3S4002 where a tarball is not the recorded one, A3S4003 where one or the set is unfit, A3S4004
 *   where nothing but the source is unknown; each lists every finding.
 */
export function assertSet(findings: readonly SetFinding[], folder: string): void {
  const codes = findings.map(({ check }) => CODES[check] ?? 'A3S4003');
  const code = GRAVEST.find((one) => codes.includes(one));
  if (code === undefined) return;
  const list = findings.map(({ where, check, message }) => `\n  ${where}: ${check}: ${message}`).join('');
  throw buildError(code, { message: `the packages in ${folder} are refused:${list}`, where: { file: folder } });
}

function sortTarballs(tarballs: readonly FoundTarball[]): Sorted {
  const sorted = tarballs.map((found) => recognise(found));
  return {
    roots: sorted.flatMap(({ root }) => root ?? []),
    platforms: sorted.flatMap(({ platform }) => platform ?? []),
    findings: sorted.flatMap(({ findings }) => findings),
  };
}

function recognise(found: FoundTarball): {
  readonly root?: RootTarball;
  readonly platform?: PlatformTarball;
  readonly findings: readonly SetFinding[];
} {
  const finding = (check: SetCheck, message: string): SetFinding => ({ where: found.file, check, message });
  const { files } = found;
  if (typeof files === 'string') return { findings: [finding('archive', files)] };
  const manifest = parseManifest(files);
  if (manifest === undefined || !isPackageId(manifest['name'], manifest['version'])) {
    return { findings: [finding('manifest', 'it is no npm package: package.json has no name with an exact version')] };
  }
  const [name, version] = [String(manifest['name']), String(manifest['version'])];
  const marks = stubMarks(manifest);
  if (marks.length > 0) return { findings: [finding('stub', `a stub cannot be released: ${marks.join(', ')}`)] };
  const usual = tarballName(name, version);
  const findings = usual === found.file ? [] : [finding('name', `it holds what npm calls ${usual}`)];
  const target = targetOfName(name);
  const tarball = { found, files, name, version };
  return target === undefined
    ? { root: { ...tarball, manifest }, findings }
    : { platform: { ...tarball, target }, findings };
}

function checkRoots(
  roots: readonly RootTarball[],
  platforms: readonly PlatformTarball[],
  expected: SetExpectation,
): SetFinding[] {
  const [root, ...others] = roots;
  if (root === undefined) return [{ where: 'root package', check: 'root', message: 'there is none' }];
  const { expect = root.found.integrity, release = root.version } = expected;
  const finding = (check: SetCheck, message: string): SetFinding => ({ where: root.found.file, check, message });
  return [
    ...others.map(
      ({ found, name }): SetFinding => ({
        where: found.file,
        check: 'extra',
        message: `${name} is a second root package, or a package of nobody`,
      }),
    ),
    ...(expect === root.found.integrity
      ? []
      : [finding('expect', `it has ${root.found.integrity}, and ${expect} was expected`)]),
    ...(release === root.version
      ? []
      : [finding('release', `it is version ${root.version} (package.version of the configuration), not ${release}`)]),
    ...auditRoot(root, expected),
    ...compareWithRoot(root, platforms),
  ];
}

function unwantedRoot({ found }: RootTarball): SetFinding {
  return { where: found.file, check: 'extra', message: 'only packages of platforms are expected here' };
}

function repeated(tarballs: readonly (RootTarball | PlatformTarball)[]): SetFinding[] {
  return tarballs
    .filter(({ name }, index) => tarballs.findIndex((one) => one.name === name) !== index)
    .map(({ found, name }) => ({ where: found.file, check: 'extra', message: `there is a second package ${name}` }));
}

/** Packages of one release are made by one version of this program, of one libkrun. */
function oneTool(audited: readonly ReturnType<typeof auditPlatform>[]): SetFinding[] {
  const all = audited.flatMap(({ versions }) => versions ?? []);
  const different = (what: string, values: readonly string[]): SetFinding[] => {
    const found = [...new Set(values)];
    if (found.length < 2) return [];
    return [{ where: 'the packages', check: 'versions', message: `they differ in ${what}: ${found.join(', ')}` }];
  };
  return [
    ...different(
      'the version',
      all.map((one) => one.package.version),
    ),
    ...different(
      'a3s-build',
      all.map((one) => one.builtWith['a3s-build']),
    ),
    ...different(
      'libkrun',
      all.map(({ libkrun }) => libkrun.version),
    ),
    ...different(
      'libkrunfw',
      all.map(({ libkrunfw }) => `${libkrunfw.provider} ${libkrunfw.version}`),
    ),
  ];
}

function describe(
  { found, name, version }: Pick<RootTarball, 'found' | 'name' | 'version'>,
  target: VerifiedPackage['target'],
  floors: VerifiedPackage['floors'],
): VerifiedPackage {
  const { file, integrity, size } = found;
  return { file, name, version, target, integrity, size, floors };
}
