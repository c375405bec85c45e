import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type AbiLock,
  type AbiMade,
  describeMade,
  emitAbi,
  LOCK_FORM,
  LOCKED_FILES,
  sha256Of,
  toLock,
} from '../bindings/abi.ts';
import type { HeaderIr } from '../bindings/ir.ts';
import { readTextIfThere } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { ERROR_TABLE } from '../plan/error-table.ts';
import { plainView } from '../run/plain-view.ts';
import { type Paint, painter, terminalKind } from '../run/terminal.ts';
import { readHeader, readRuntimeLock } from '../steps/header.ts';
import { type BuiltLibrary, readBuiltLibrary } from './bindings-exports.ts';
import {
  exportFindingLines,
  type Findings,
  findingLines,
  findings,
  findingsJson,
  notReviewed,
} from './bindings-report.ts';
import { runSession } from './build.ts';
import { type CommonOptions, openSession, type Session, type Streams, type Surroundings } from './session.ts';

export interface CheckForm {
  /** Make every file anew and compare bytes, instead of trusting the digests in the lock. */
  readonly full: boolean;
  readonly json: boolean;
  /** Library to compare with the headers, instead of one that was built; its exports must be those reviewed. */
  readonly library: string | undefined;
}

/**
 * Says whether the project's `generated/` is what libkrun.h gives; writes nothing there. Header and library are compared
 * beside it.
 * @returns Whether it is, and the library named, if any, exports what was reviewed.
 * @throws BuildError A3S3001, with line and column, for a lock that cannot be read.
 */
export async function runBindingsCheck(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
  form: CheckForm,
): Promise<boolean> {
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  const session = await openSession({ ...options, only: ['source'] }, surroundings);
  // A damaged lock is told before anything is fetched.
  const lock = await readLockText(session.config);
  const tree = await sourceTree(session, signal, (text) => stderr.write(text), paint);
  const warn = (message: string): void => void stderr.write(`! ${message}\n`);
  const named = form.library === undefined ? undefined : resolve(surroundings.cwd, form.library);
  const [{ irs }, library] = await Promise.all([
    readHeader(tree, { ...session, signal, warn }),
    readBuiltLibrary(session, named, warn),
  ]);
  const found = await checkGenerated(lock, irs, session.config, form.full, library);
  const fresh = found.reasons.length === 0;
  const agrees = named === undefined || found.exports === null || notReviewed(found.exports).length === 0;
  if (form.json) stdout.write(`${JSON.stringify({ fresh, ...findingsJson(found) }, null, 2)}\n`);
  else stderr.write(fresh ? freshText(found) : staleText(found, paint));
  return fresh && agrees;
}

/** A tree of the user's is read where it lies; the pinned one is fetched and verified first. */
async function sourceTree(
  session: Session,
  signal: AbortSignal,
  write: (text: string) => unknown,
  paint: Paint,
): Promise<string> {
  const { source } = session.facts;
  if (source.kind === 'tree') return source.path;
  const { manifest } = await runSession(session, signal, plainView(write, paint));
  const key = manifest.steps.find((step) => step.id === 'source')?.key;
  if (key === undefined) throw new Error('the source step left no result');
  return session.store.resultDir('source', key);
}

type CheckConfig = Pick<Config, 'projectRoot' | 'toolRoot' | 'toolVersion' | 'package'>;

/**
 * Text of the committed lock, or undefined where there is none. What a glance shows to be wrong is told at once;
 * whatever else may be wrong only when the lock is not what would be written now.
 * @throws BuildError A3S3001, with line and column, for one that cannot be read.
 */
export async function readLockText(config: CheckConfig): Promise<string | undefined> {
  const text = await readTextIfThere(inGenerated(config, 'abi.json'));
  if (text !== undefined && !looksSound(text)) await parseLock(text);
  return text;
}

function looksSound(text: string): boolean {
  try {
    return (JSON.parse(text) as Partial<AbiLock> | null)?.form === LOCK_FORM;
  } catch {
    return false;
  }
}

/** What reads a lock takes longer to load than everything else here, and a fresh one need not be read. */
async function parseLock(text: string): Promise<AbiLock> {
  const { readAbi } = await import('../bindings/abi-schema.ts');
  return readAbi(text, 'generated/abi.json');
}

/**
 * Compares `generated/` of the project with what the headers give.
 * @param text of the committed lock
 * @param irs for every target
 * @throws BuildError A3S3001, with line and column, for a lock that cannot be read.
 */
export async function checkGenerated(
  text: string | undefined,
  irs: readonly HeaderIr[],
  config: CheckConfig,
  full: boolean,
  library?: BuiltLibrary,
): Promise<Findings> {
  const now = toLock(irs);
  if (text === undefined) return findings(undefined, now, config, ['abi.json is missing'], library);
  const files = await readLocked(config);
  const made = describeMade(config.package.version, config.toolVersion, await readRuntimeLock(config), present(files));
  if (!full && text === emitAbi(irs, made).content && present(files).length === files.length) {
    return findings({ ...now, made }, now, config, [], library);
  }
  const lock = await parseLock(text);
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

function readLocked(config: CheckConfig): Promise<readonly LockedFile[]> {
  return Promise.all(
    LOCKED_FILES.map(async (path) => ({ path, content: await readTextIfThere(inGenerated(config, path)) })),
  );
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
  const { files } = await generateBindings(irs, { docs: false, lock: await readRuntimeLock(config), versions });
  const reasons: string[] = [];
  for (const { path, content } of files) {
    const there = await readTextIfThere(inGenerated(config, path));
    if (there === undefined) reasons.push(`${path} is missing`);
    else if (there !== content) reasons.push(`${path} differs from what the header gives`);
  }
  return reasons;
}

function freshText(found: Findings): string {
  const lines = ['generated/ is what libkrun.h gives', ...exportFindingLines(found), ...findingLines(found)];
  return lines.map((line) => `${line}\n`).join('');
}

function staleText(found: Findings, paint: Paint): string {
  const { fix } = ERROR_TABLE.A3S3001;
  const lines = [...findingLines(found), ...exportFindingLines(found), `Fix: ${fix}`].map((line) => `  ${line}\n`);
  return `${paint('red', '✗')} bindings are stale  ${paint('dim', 'A3S3001')}\n${lines.join('')}`;
}
