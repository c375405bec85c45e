import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { copyFileWhole } from '../effects/files.ts';
import { layoutOf } from '../plan/layout.ts';
import { TARGETS } from '../plan/targets.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { platformPackageName, tarballName } from '../steps/package/names.ts';
import { type Packed, packedSize } from '../steps/package/pack.ts';
import { readSet } from '../steps/package/read-set.ts';
import { type PackedPlatform, packRoot } from '../steps/package/root-package-step.ts';
import { assertSet, auditSet } from '../steps/package/set.ts';
import type { SetFinding, VerifiedPackage } from '../steps/package/set-types.ts';
import { runSteps } from './build.ts';
import {
  type CommonOptions,
  openSession,
  refuseStub,
  type Session,
  type Streams,
  type Surroundings,
} from './session.ts';
import { projectExpectation } from './verify.ts';

export interface PackageRootOptions extends CommonOptions {
  /** Folder that holds the tarballs of the platform packages. */
  readonly from: string;
}

/**
 * Makes the root package for the platform packages in a folder, as they were built on other machines: verifies them,
 * names exactly them, and records their digests.
 * @throws BuildError A3S4002 or A3S4003 listing what is wrong with the platform packages, A3S4005 where there are none.
 */
export async function runPackageRoot(
  options: PackageRootOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
): Promise<void> {
  refuseStub('package', surroundings);
  const session = await openSession({ ...options, only: ['bindings'] }, surroundings);
  const { config } = session;
  const folder = resolve(surroundings.cwd, options.from);
  const platforms = await verifiedPlatforms(session, folder, options.from);
  const view = plainView(
    (text) => stderr.write(text),
    painter(terminalKind(stderr, surroundings.variables).color),
    Date.now,
    session.plan,
  );
  const outcomes = await runSteps(session, signal, view);
  const bindings = outcomes.get('bindings')?.manifest.key ?? '';
  const to = options.out === undefined ? layoutOf(config).npm : config.outDir;
  const packed = await packInto(session, session.store.resultDir('bindings', bindings), platforms, to);
  stdout.write(`${packed.name} ${packed.version}  ${packedSize(packed)}  ${packed.integrity}\n`);
  stderr.write(`names ${platforms.map(({ target }) => target.id).join(', ')}; written to ${to}\n`);
}

async function verifiedPlatforms(session: Session, folder: string, shown: string): Promise<PackedPlatform[]> {
  const { name, version } = session.config.package;
  // The root package of an earlier run may lie there too; it is made anew.
  const found = (await readSet(folder)).filter(({ file }) => file !== tarballName(name, version));
  const expected = { ...(await projectExpectation(session.config)), root: false, publish: false };
  const { packages, findings } = auditSet(found, expected);
  assertSet([...findings, ...packages.flatMap((one) => ofProject(one, session))], shown);
  return packages.flatMap(({ target, name, version, integrity, size }) =>
    target === null ? [] : { target: TARGETS[target], packed: { name, version, integrity, packed: size } },
  );
}

/** The root package can only name packages of its own name and version. */
function ofProject({ file, name, version, target }: VerifiedPackage, { config }: Session): SetFinding[] {
  if (target === null) return [];
  const wanted = `${platformPackageName(config.package.name, TARGETS[target])} ${config.package.version}`;
  if (`${name} ${version}` === wanted) return [];
  return [{ where: file, check: 'name', message: `it is ${name} ${version}; this project's would be ${wanted}` }];
}

async function packInto(
  { config, store }: Session,
  bindings: string,
  platforms: readonly PackedPlatform[],
  to: string,
): Promise<Packed> {
  const work = await store.temporary('root-package');
  try {
    const context = { config, out: join(work, 'out'), temporary: join(work, 'temporary') };
    const packed = await packRoot(context, { bindings, hidden: [] }, platforms);
    await mkdir(to, { recursive: true });
    await copyFileWhole(join(context.out, packed.file), join(to, basename(packed.file)), 0o644);
    return packed;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
