import { auditAnyBinary, type BinaryExpectation, joinFloors, type SystemFloors } from '../../binary/audit-file.ts';
import { isElf } from '../../binary/elf.ts';
import { isMachO } from '../../binary/macho.ts';
import type { ArchiveFile } from '../../effects/archive.ts';
import { BuildError, buildError, orFailure } from '../../plan/errors.ts';
import { STUB_CODE, stubMarks } from './manifests.ts';
import { NPM_FOLDER } from './platform-package.ts';

/** What a packed tarball has to be. */
export interface TarballExpectation {
  /** A `root` or `platform` package is for release; a `stub` must never be one. */
  readonly kind: 'root' | 'platform' | 'stub';
  /** The package.json, exactly. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Mode of every file, by its path inside the tarball. */
  readonly modes: Readonly<Record<string, number>>;
  /** What each binary has to be, by its path inside the tarball; no other file may be one. */
  readonly binaries: Readonly<Record<string, BinaryExpectation>>;
  /** Text that no file may hold: folders of the build machine. */
  readonly forbiddenText: readonly string[];
  /** Bytes at most, packed. */
  readonly sizeLimit: number;
}

/** A tarball as it was read back. */
export interface PackedTarball {
  readonly files: readonly ArchiveFile[];
  /** Bytes, packed. */
  readonly size: number;
}

/** One difference; `check` names the rule. */
export interface PackageFinding {
  readonly check: 'files' | 'modes' | 'manifest' | 'stub' | 'binaries' | 'floors' | 'paths' | 'size';
  readonly message: string;
}

type Check = (tarball: PackedTarball, expected: TarballExpectation) => readonly PackageFinding[];

/** Fields of package.json that npm runs, and so may be blocked or harm. */
const RUN_BY_NPM = ['scripts', 'gypfile', 'bundleDependencies'] as const;

const CHECKS: readonly Check[] = [
  checkFiles,
  checkModes,
  checkManifest,
  checkStub,
  checkBinaries,
  checkFloors,
  checkPaths,
  checkSize,
];

/** Compares a packed tarball with what it has to be. Pure. */
export function auditTarball(tarball: PackedTarball, expected: TarballExpectation): PackageFinding[] {
  return CHECKS.flatMap((check) => check(tarball, expected));
}

/** @throws BuildError A3S4001 listing every finding. */
export function assertPackage(findings: readonly PackageFinding[], file: string): void {
  if (findings.length === 0) return;
  const list = findings.map(({ check, message }) => `\n  ${check}: ${message}`).join('');
  throw buildError('A3S4001', { message: `${file} would not work for its users:${list}`, where: { file } });
}

function checkFiles({ files }: PackedTarball, { modes }: TarballExpectation): PackageFinding[] {
  const paths = files.map(({ path }) => path);
  const finding = (message: string): PackageFinding => ({ check: 'files', message });
  return [
    ...Object.keys(modes)
      .filter((path) => !paths.includes(path))
      .map((path) => finding(`${path} is missing`)),
    ...paths.filter((path) => !Object.hasOwn(modes, path)).map((path) => finding(`${path} does not belong here`)),
    ...paths.filter((path, index) => paths.indexOf(path) !== index).map((path) => finding(`${path} is there twice`)),
    // npm leaves links out when it installs.
    ...files.filter(({ type }) => type !== 'File').map(({ path, type }) => finding(`${path} is a ${type}`)),
    ...files.filter(({ content }) => content.length === 0).map(({ path }) => finding(`${path} is empty`)),
  ];
}

function checkModes({ files }: PackedTarball, { modes }: TarballExpectation): PackageFinding[] {
  const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
  return files
    .filter(({ path, mode }) => modes[path] !== undefined && modes[path] !== mode)
    .map(({ path, mode }) => ({
      check: 'modes',
      message: `${path} has mode ${octal(mode)} instead of ${octal(modes[path] ?? 0)}`,
    }));
}

function checkManifest({ files }: PackedTarball, expected: TarballExpectation): PackageFinding[] {
  const finding = (message: string): PackageFinding => ({ check: 'manifest', message });
  const manifest = parseManifest(files);
  if (manifest === undefined) return [finding('package.json is not valid JSON')];
  const differs = JSON.stringify(manifest) !== JSON.stringify(expected.manifest);
  const dependencies = Object.values((manifest['optionalDependencies'] ?? {}) as object);
  return [
    ...(differs ? [finding('package.json is not the one that was written')] : []),
    ...RUN_BY_NPM.filter((field) => field in manifest).map((field) => finding(`package.json has ${field}`)),
    ...(expected.kind === 'platform' && 'engines' in manifest
      ? [finding('a platform package with engines is skipped by npm without a word')]
      : []),
    ...(expected.kind === 'root' && dependencies.length === 0 ? [finding('no platform package is named')] : []),
    ...(dependencies.some((version) => version !== manifest['version'])
      ? [finding('a platform package is named in another version')]
      : []),
  ];
}

/** Whatever is said of a package elsewhere: a stub is none of a release, and a release none of a stub. */
function checkStub({ files }: PackedTarball, { kind }: TarballExpectation): PackageFinding[] {
  const finding = (message: string): PackageFinding => ({ check: 'stub', message });
  const manifest = parseManifest(files) ?? {};
  if (kind !== 'stub') {
    const code = files.some(({ path }) => path === `${NPM_FOLDER}/${STUB_CODE}`) ? [`it holds ${STUB_CODE}`] : [];
    return [...stubMarks(manifest), ...code].map((mark) => finding(`a stub cannot be released: ${mark}`));
  }
  const marked = manifest['private'] === true && manifest['stub'] === true && stubMarks(manifest).length === 3;
  return marked ? [] : [finding('package.json does not keep the stub from being published')];
}

function checkBinaries({ files }: PackedTarball, { binaries }: TarballExpectation): PackageFinding[] {
  const finding = (message: string): PackageFinding => ({ check: 'binaries', message });
  return files.flatMap(({ path, content }) => {
    const expected = binaries[path];
    if (expected !== undefined) return auditOne(path, content, expected).map(finding);
    return isElf(content) || isMachO(content) ? [finding(`${path} is a binary that nobody expects`)] : [];
  });
}

function auditOne(path: string, content: Buffer, expected: BinaryExpectation): string[] {
  const audited = orFailure(() => auditAnyBinary(content, path, expected));
  // A file that cannot be read as a binary at all is one finding more, not the end of the audit.
  if (audited instanceof BuildError) return [audited.message];
  return audited.findings.map(({ check, message }) => `${path}: ${check}: ${message}`);
}

/** What package.json tells of the systems that the binaries load on is what was measured. */
function checkFloors(tarball: PackedTarball, { binaries }: TarballExpectation): PackageFinding[] {
  const stated = (parseManifest(tarball.files)?.['config'] ?? {}) as Partial<Record<keyof SystemFloors, unknown>>;
  const measured = measureFloors(tarball.files, binaries);
  if (measured === undefined) return [];
  return (['glibc', 'macos'] as const)
    .filter((system) => measured[system] !== (stated[system] ?? null))
    .map((system) => ({
      check: 'floors',
      message: `package.json states ${system} ${String(stated[system] ?? null)}, the binaries need ${measured[system]}`,
    }));
}

/**
 * Oldest systems that all of the binaries load on.
 * @returns Undefined where one of them cannot be read, which `auditTarball` tells.
 */
export function measureFloors(
  files: readonly Pick<ArchiveFile, 'path' | 'content'>[],
  binaries: TarballExpectation['binaries'],
): SystemFloors | undefined {
  const measured = orFailure(() =>
    files.flatMap(({ path, content }) => {
      const expected = binaries[path];
      return expected === undefined ? [] : [auditAnyBinary(content, path, expected).floors];
    }),
  );
  return measured instanceof BuildError ? undefined : joinFloors(measured);
}

function checkPaths({ files }: PackedTarball, { forbiddenText }: TarballExpectation): PackageFinding[] {
  return files.flatMap(({ path, content }) =>
    forbiddenText
      .filter((text) => content.includes(text))
      .map((text): PackageFinding => ({ check: 'paths', message: `${path} holds ${text}, a folder of this machine` })),
  );
}

function checkSize({ size }: PackedTarball, { sizeLimit }: TarballExpectation): PackageFinding[] {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  if (size <= sizeLimit) return [];
  return [{ check: 'size', message: `${megabytes(size)} packed; at most ${megabytes(sizeLimit)} are allowed` }];
}

export function parseManifest(files: readonly ArchiveFile[]): Record<string, unknown> | undefined {
  try {
    const file = files.find(({ path }) => path === `${NPM_FOLDER}/package.json`);
    return JSON.parse(file?.content.toString('utf8') ?? '') as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
