import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type AbiLock, type AbiMade, describeMade, lockText, sha256Of, toLock } from '../bindings/abi.ts';
import { LOCK_PATH, LOCKED_FILES } from '../bindings/abi-files.ts';
import type { HeaderIr } from '../bindings/ir.ts';
import { readTextIfThere } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { readRuntimeLock } from '../steps/header.ts';
import type { BuiltLibrary } from './bindings-exports.ts';
import { type Findings, findings } from './bindings-findings.ts';

/** What `generated/` depends on besides the headers. */
export interface CheckConfig extends Pick<Config, 'projectRoot' | 'toolRoot' | 'toolVersion' | 'package'> {
  /** Functions that the headers declare and the library does not export. */
  readonly missing: readonly string[];
}

/** What lies in `generated/`. */
export interface Committed {
  /** Text of the lock. */
  readonly lock: string | undefined;
  readonly files: readonly LockedFile[];
  /** What the lock says of the files when they are as they were made, and made as they would be now. */
  readonly made: AbiMade;
}

/** Reads `generated/` beside its lock, and the digest of each file. */
export async function readCommitted(lock: string | undefined, config: CheckConfig): Promise<Committed> {
  const [runtimeLock, ...files] = await Promise.all([readRuntimeLock(config), ...LOCKED_FILES.map(readLocked)]);
  const { toolVersion, missing } = config;
  const made = describeMade(config.package.version, toolVersion, runtimeLock, missing, present(files));
  return { lock, files, made };

  async function readLocked(path: string): Promise<LockedFile> {
    return { path, content: await readTextIfThere(inGenerated(config, path)) };
  }
}

/**
 * Compares `generated/` of the project with what the headers give.
 * @param irs for every target
 * @throws BuildError A3S3001, with line and column, for a lock that cannot be read.
 */
export async function checkGenerated(
  { lock: text, files, made }: Committed,
  irs: readonly HeaderIr[],
  config: CheckConfig,
  full: boolean,
  library?: BuiltLibrary,
): Promise<Findings> {
  const now = toLock(irs);
  if (text === undefined) return findings(undefined, now, config, ['abi.json is missing'], library);
  const fresh = { ...now, made };
  if (!full && text === lockText(fresh) && present(files).length === files.length) {
    return findings(fresh, now, config, [], library);
  }
  // What reads a lock takes longer to load than everything else here, and a fresh one need not be read.
  const { readAbi } = await import('../bindings/abi-schema.ts');
  const lock = readAbi(text, LOCK_PATH);
  const reasons = full ? await differingFiles(irs, config) : lockReasons(lock, now, made, files);
  return findings(lock, now, config, reasons, library);
}

function inGenerated({ projectRoot }: CheckConfig, path: string): string {
  return join(projectRoot, 'generated', path);
}

interface LockedFile {
  readonly path: string;
  readonly content: string | undefined;
}

function present(files: readonly LockedFile[]) {
  return files.flatMap(({ path, content }) => (content === undefined ? [] : [{ path, content }]));
}

/** Why the lock, or a file that it names, is not of today. */
function lockReasons(lock: AbiLock, now: AbiLock, expected: AbiMade, files: readonly LockedFile[]): readonly string[] {
  const { made, ...declared } = lock;
  const reasons: string[] = [];
  if (!isDeepStrictEqual(declared, now)) reasons.push('abi.json does not say what the header declares');
  const known = new Set(lock.interfaces.flatMap(({ targets }) => targets));
  const missing = now.interfaces.flatMap(({ targets }) => targets).filter((target) => !known.has(target));
  if (missing.length > 0) reasons.push(`abi.json was not made for ${missing.join(', ')}`);
  if (made === undefined) return [...reasons, 'abi.json does not say how the files beside it were made'];
  if (made.generator !== expected.generator) {
    reasons.push("another version of a3s-build, or of the addon's runtime, made it");
  }
  if (made.package !== expected.package) {
    reasons.push(`made for package version ${made.package}; it is ${expected.package} now`);
  }
  reasons.push(...fileReasons(made, files));
  return reasons.length > 0 ? reasons : ['abi.json is not written as it would be now'];
}

function fileReasons(made: AbiMade, files: readonly LockedFile[]): readonly string[] {
  const digests = new Map(made.files.map(({ path, sha256 }) => [path, sha256]));
  return files.flatMap(({ path, content }) => {
    const sha256 = digests.get(path);
    if (content === undefined) return [`${path} is missing`];
    if (sha256 === undefined) return [`abi.json does not name ${path}`];
    return sha256Of(content) === sha256 ? [] : [`${path} is not as it was made`];
  });
}

/** Files whose bytes differ from what the generator makes now. */
async function differingFiles(irs: readonly HeaderIr[], config: CheckConfig): Promise<readonly string[]> {
  const versions = { package: config.package.version, tool: config.toolVersion };
  const { generateBindings } = await import('../bindings/generate.ts');
  const lock = await readRuntimeLock(config);
  const { files } = await generateBindings(irs, { docs: false, lock, missing: config.missing, versions });
  const reasons: string[] = [];
  for (const { path, content } of files) {
    const there = await readTextIfThere(inGenerated(config, path));
    if (there === undefined) reasons.push(`${path} is missing`);
    else if (there !== content) reasons.push(`${path} differs from what the header gives`);
  }
  return reasons;
}
