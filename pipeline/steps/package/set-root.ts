import { BuildError, orFailure } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import { auditTarball } from './audit.ts';
import { ROOT_SIZE_LIMIT, rootModes } from './expectations.ts';
import { type IntegrityRecord, readIntegrity } from './integrity.ts';
import { INTEGRITY_FILE, rootManifest } from './manifests.ts';
import { platformTable } from './root-code.ts';
import { type PlatformTarball, targetOfName, textOf } from './set-platform.ts';
import type { SetCheck, SetExpectation, SetFinding } from './set-types.ts';

/** A package that is for no platform. */
export type RootTarball = Omit<PlatformTarball, 'target'> & { readonly manifest: Readonly<Record<string, unknown>> };

/** Audits the root package by itself, for the platforms that it names. */
export function auditRoot(root: RootTarball, expected: SetExpectation): SetFinding[] {
  const { found, files, name, version } = root;
  const finding = (check: SetCheck, message: string): SetFinding => ({ where: found.file, check, message });
  const named = namedPlatforms(root);
  const targets = Object.keys(named).flatMap((one): readonly Target[] => {
    const target = targetOfName(one);
    return target === undefined ? [] : [target];
  });
  const wanted = { name, version, targets, repository: expected.repository };
  const basics = auditTarball(
    { files, size: found.size },
    {
      kind: 'root',
      manifest: rootManifest(wanted),
      modes: rootModes(),
      binaries: {},
      forbiddenText: expected.forbiddenText,
      sizeLimit: ROOT_SIZE_LIMIT,
    },
  );
  const table = textOf(files, 'platform.cjs');
  return [
    ...basics.map(({ check, message }) => finding(check, message)),
    ...(table === platformTable(wanted) ? [] : [finding('root', 'platform.cjs does not name these packages')]),
  ];
}

/** Holds the platform packages that are there against those that the root package names and records. */
export function compareWithRoot(root: RootTarball, platforms: readonly PlatformTarball[]): SetFinding[] {
  const named = namedPlatforms(root);
  const record = readRecord(root);
  const here = new Set(platforms.map(({ name }) => name));
  const absent = Object.keys(named).filter((name) => !here.has(name));
  return [
    ...absent.map(
      (name): SetFinding => ({
        where: name,
        check: 'missing',
        message: `${root.found.file} names it, and it is not here`,
      }),
    ),
    ...(record instanceof BuildError
      ? [{ where: root.found.file, check: 'integrity', message: record.message } as const]
      : recordedElsewhere(root, record, named)),
    ...platforms.flatMap((platform) => compareOne(root, platform, named, record)),
  ];
}

/** Whoever is recorded is named, and the other way round. */
function recordedElsewhere(root: RootTarball, { packages }: IntegrityRecord, named: Named): SetFinding[] {
  const finding = (message: string): SetFinding => ({ where: root.found.file, check: 'integrity', message });
  return [
    ...Object.keys(named)
      .filter((name) => packages[name] === undefined)
      .map((name) => finding(`${INTEGRITY_FILE} has no digest of ${name}`)),
    ...Object.keys(packages)
      .filter((name) => named[name] === undefined)
      .map((name) => finding(`${INTEGRITY_FILE} has a digest of ${name}, which is not named`)),
  ];
}

function compareOne(
  root: RootTarball,
  { found, name, version }: PlatformTarball,
  named: Named,
  record: IntegrityRecord | BuildError,
): SetFinding[] {
  const finding = (check: SetCheck, message: string): SetFinding => ({ where: found.file, check, message });
  if (named[name] === undefined) return [finding('extra', `${root.name} ${root.version} does not name ${name}`)];
  const recorded = record instanceof BuildError ? undefined : record.packages[name];
  // A package of another release has another digest anyway.
  const comparable = recorded !== undefined && version === root.version;
  const differs = comparable && recorded.integrity !== found.integrity;
  return [
    ...(version === root.version
      ? []
      : [finding('name', `it is version ${version}, the root package ${root.version}`)]),
    ...(differs
      ? [finding('integrity', `it has ${found.integrity}, and the root package records ${recorded.integrity}`)]
      : []),
    ...(!comparable || differs || (recorded.version === version && recorded.size === found.size)
      ? []
      : [finding('integrity', `the root package records version ${recorded.version} of ${recorded.size} bytes`)]),
  ];
}

function readRecord({ files, found }: RootTarball): IntegrityRecord | BuildError {
  return orFailure(() => readIntegrity(textOf(files, INTEGRITY_FILE) ?? '', `${found.file}: ${INTEGRITY_FILE}`));
}

type Named = Readonly<Record<string, unknown>>;

function namedPlatforms({ manifest }: RootTarball): Named {
  const { optionalDependencies } = manifest;
  return typeof optionalDependencies === 'object' && optionalDependencies !== null ? { ...optionalDependencies } : {};
}
