import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type AbiLock, describeMade, readAbi, sha256Of, toLock } from '../bindings/abi.ts';
import { generateBindings } from '../bindings/generate.ts';
import type { HeaderIr } from '../bindings/ir.ts';
import { readTextIfThere } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { ERROR_TABLE } from '../plan/error-table.ts';
import { plainView } from '../run/plain-view.ts';
import { type Paint, painter, terminalKind } from '../run/terminal.ts';
import { readHeader, readRuntimeLock } from '../steps/header.ts';
import { type Findings, findingLines, findings, findingsJson } from './bindings-report.ts';
import { runSession } from './build.ts';
import { type CommonOptions, openSession, type Session, type Streams, type Surroundings } from './session.ts';

export interface CheckForm {
  /** Make every file anew and compare bytes, instead of trusting the digests in the lock. */
  readonly full: boolean;
  readonly json: boolean;
}

/**
 * Says whether the project's `generated/` is what libkrun.h gives; writes nothing there.
 * @returns Whether it is.
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
  const lock = await readLock(session.config);
  const tree = await sourceTree(session, signal, (text) => stderr.write(text), paint);
  const warn = (message: string): void => void stderr.write(`! ${message}\n`);
  const { ir } = await readHeader(tree, { ...session, signal, warn });
  const missing = Object.keys(session.pins.libkrun.exports.missing);
  const found = await checkGenerated(lock, ir, { ...session.config, missing }, form.full);
  const fresh = found.reasons.length === 0;
  if (form.json) stdout.write(`${JSON.stringify({ fresh, ...findingsJson(found) }, null, 2)}\n`);
  else stderr.write(fresh ? 'generated/ is what libkrun.h gives\n' : staleText(found, paint));
  return fresh;
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

/** What `generated/` depends on besides the headers. */
interface CheckConfig extends Pick<Config, 'projectRoot' | 'toolRoot' | 'toolVersion' | 'package'> {
  /** Functions that the headers declare and the library does not export. */
  readonly missing: readonly string[];
}

/**
 * The committed lock, or undefined where there is none.
 * @throws BuildError A3S3001, with line and column, for one that cannot be read.
 */
export async function readLock(config: Pick<Config, 'projectRoot'>): Promise<AbiLock | undefined> {
  const text = await readTextIfThere(inGenerated(config, 'abi.json'));
  return text === undefined ? undefined : readAbi(text, 'generated/abi.json');
}

/** Compares `generated/` of the project with what `ir` gives. */
export async function checkGenerated(
  lock: AbiLock | undefined,
  ir: HeaderIr,
  config: CheckConfig,
  full: boolean,
): Promise<Findings> {
  const now = toLock(ir);
  if (lock === undefined) return findings(lock, now, config, ['abi.json is missing']);
  const reasons = full ? await differingFiles(ir, config) : await lockReasons(lock, now, config);
  return findings(lock, now, config, reasons);
}

function inGenerated({ projectRoot }: Pick<Config, 'projectRoot'>, path: string): string {
  return join(projectRoot, 'generated', path);
}

/** Why the lock, or a file that it names, is not of today. */
async function lockReasons(lock: AbiLock, now: AbiLock, config: CheckConfig): Promise<readonly string[]> {
  const { made, ...declared } = lock;
  const reasons: string[] = [];
  if (!isDeepStrictEqual(declared, now)) reasons.push('abi.json does not say what the header declares');
  if (lock.target !== now.target) reasons.push(`abi.json was made for ${lock.target}`);
  if (made === undefined) return [...reasons, 'abi.json does not say how the files beside it were made'];
  const { version } = config.package;
  const { generator } = describeMade(version, config.toolVersion, await readRuntimeLock(config), config.missing, []);
  if (made.generator !== generator) reasons.push("another version of a3s-build, or of the addon's runtime, made it");
  if (made.package !== version) reasons.push(`made for package version ${made.package}; it is ${version} now`);
  for (const { path, sha256 } of made.files) {
    const content = await readTextIfThere(inGenerated(config, path));
    if (content === undefined) reasons.push(`${path} is missing`);
    else if (sha256Of(content) !== sha256) reasons.push(`${path} is not as it was made`);
  }
  return reasons;
}

/** Files whose bytes differ from what the generator makes now. */
async function differingFiles(ir: HeaderIr, config: CheckConfig): Promise<readonly string[]> {
  const versions = { package: config.package.version, tool: config.toolVersion };
  const { files } = await generateBindings(ir, {
    docs: false,
    lock: await readRuntimeLock(config),
    missing: config.missing,
    versions,
  });
  const reasons: string[] = [];
  for (const { path, content } of files) {
    const there = await readTextIfThere(inGenerated(config, path));
    if (there === undefined) reasons.push(`${path} is missing`);
    else if (there !== content) reasons.push(`${path} differs from what the header gives`);
  }
  return reasons;
}

function staleText(found: Findings, paint: Paint): string {
  const { fix } = ERROR_TABLE.A3S3001;
  const lines = [...findingLines(found), `Fix: ${fix}`].map((line) => `  ${line}\n`);
  return `${paint('red', '✗')} bindings are stale  ${paint('dim', 'A3S3001')}\n${lines.join('')}`;
}
