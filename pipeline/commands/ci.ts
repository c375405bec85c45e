import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import { pinnedByTag } from '../plan/ci/emit.ts';
import { ciFiles } from '../plan/ci/files.ts';
import { MAC_CHECK } from '../plan/ci/packages-workflow.ts';
import { type CiPins, parseCiPins } from '../plan/ci/pins.ts';
import type { CiProject } from '../plan/ci/workflow.ts';
import type { Config } from '../plan/config.ts';
import { buildError } from '../plan/errors.ts';
import { TARGETS } from '../plan/targets.ts';
import { platformPackageName, tarballName } from '../steps/package/names.ts';
import { type CommonOptions, openSession, refuseStub, type Streams, type Surroundings } from './session.ts';

/**
 * Writes the project's GitHub workflows: those files whose content changes, and no other.
 * @throws BuildError A3S4021 for a project that the workflows could not set up, A3S1102 for pins that cannot be read.
 */
export async function runCi(options: CommonOptions, surroundings: Surroundings, streams: Streams): Promise<void> {
  const { root, files } = await settle(options, surroundings, streams);
  const stale = await staleFiles(root, files);
  for (const path of stale) await writeFileWhole(join(root, path), files[path] ?? '');
  streams.stderr.write(stale.length === 0 ? 'the workflows are current\n' : `wrote ${stale.join(', ')}\n`);
}

/**
 * Holds the project's workflows against what {@link runCi} would write; writes nothing.
 * @throws BuildError A3S4020 when they differ; else as {@link runCi} does.
 */
export async function runCiCheck(options: CommonOptions, surroundings: Surroundings, streams: Streams): Promise<void> {
  const { root, files } = await settle(options, surroundings, streams);
  const stale = await staleFiles(root, files);
  if (stale.length > 0)
    throw buildError('A3S4020', { message: `not what \`a3s-build ci\` writes: ${stale.join(', ')}` });
  streams.stderr.write('the workflows are current\n');
}

interface Settled {
  readonly root: string;
  readonly files: Readonly<Record<string, string>>;
}

async function settle(options: CommonOptions, surroundings: Surroundings, { stderr }: Streams): Promise<Settled> {
  refuseStub('ci', surroundings);
  const { config } = await openSession({ ...options, only: ['source'] }, surroundings);
  const pins = await readCiPins(config);
  const root = config.projectRoot;
  if (!existsSync(join(root, 'package-lock.json'))) {
    throw buildError('A3S4021', {
      message: 'there is no package-lock.json beside the configuration, and the workflows install with `npm ci`',
    });
  }
  if (!existsSync(join(root, '.git')))
    stderr.write(`! GitHub reads workflows at the root of a repository only, and ${root} is none\n`);
  for (const action of pinnedByTag(pins))
    stderr.write(`! ${action} is pinned by its version only, which its owner can move\n`);
  if (config.package.repository === undefined)
    stderr.write('! "package.repository" is not configured, and npm refuses a proof of provenance without it\n');
  return { root, files: ciFiles(ciProject(config), pins, await ownFile(config, MAC_CHECK)) };
}

async function ownFile({ toolRoot }: Config, path: string): Promise<string> {
  const text = await readTextIfThere(join(toolRoot, path));
  if (text === undefined) throw buildError('A3S9001', { message: `the ${path} of a3s-build is missing` });
  return text;
}

/** The project's own `vendor/ci.json` where it has one, else the one that comes with a3s-build. */
async function readCiPins({ projectRoot, toolRoot }: Config): Promise<CiPins> {
  for (const root of [projectRoot, toolRoot]) {
    const path = join(root, 'vendor', 'ci.json');
    const text = await readTextIfThere(path);
    if (text !== undefined) return parseCiPins(text, path);
  }
  throw buildError('A3S9001', { message: 'the vendor/ci.json of a3s-build is missing' });
}

/** @throws BuildError A3S4021 for an output folder that a workflow cannot name. */
function ciProject({ package: root, projectRoot, outDir }: Config): CiProject {
  const out = relative(projectRoot, outDir).split(sep).join('/');
  // It becomes part of a pattern in YAML, and of one in a shell.
  if (isAbsolute(out) || !/^\w[\w./-]*$/.test(out) || out.split('/').includes('..')) {
    throw buildError('A3S4021', {
      message: `the output folder ${outDir} cannot be named in a workflow`,
      fix: 'Set "out" to a folder inside the project, of letters, digits, dots, hyphens and underscores.',
    });
  }
  const stem = (name: string): string => tarballName(name, '').replace(/-\.tgz$/, '');
  const platforms = Object.values(TARGETS).map((target) => [target.id, stem(platformPackageName(root.name, target))]);
  return {
    out,
    root: stem(root.name),
    platforms: Object.fromEntries(platforms),
    distTag: root.version.includes('-') ? 'next' : 'latest',
  };
}

async function staleFiles(root: string, files: Settled['files']): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    // Git may have put the line ends of another system.
    const present = (await readTextIfThere(join(root, path)))?.replaceAll('\r\n', '\n');
    if (present !== text) stale.push(path);
  }
  return stale;
}
