import { join, resolve } from 'node:path';
import type { AbiLock } from '../bindings/abi.ts';
import { LOCK_FORM, LOCK_PATH } from '../bindings/abi-files.ts';
import type { PreloadedParser } from '../bindings/libclang/best-parser.ts';
import { readTextIfThere } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { parseLibkrunHeaders } from '../steps/header.ts';
import type { CheckConfig } from './bindings-compare.ts';
import { readBuiltLibrary } from './bindings-exports.ts';
import { preloadParser } from './preload-parser.ts';
import { type CommonOptions, openSession, refuseStub, type Streams, type Surroundings } from './session.ts';
import { sourceHeaders } from './source-headers.ts';

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
 * @param preloading the parser, where it was looked for already
 * @returns Whether it is, and the library named, if any, exports what was reviewed.
 * @throws BuildError A3S3001, with line and column, for a lock that cannot be read.
 */
export async function runBindingsCheck(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
  form: CheckForm,
  preloading: Promise<PreloadedParser> = preloadParser(surroundings, signal),
): Promise<boolean> {
  refuseStub('bindings --check', surroundings);
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  const session = await openSession({ ...options, only: ['source'] }, surroundings);
  const config = { ...session.config, missing: Object.keys(session.pins.libkrun.exports.missing) };
  const preloaded = await preloading;
  // A damaged lock is told before anything is fetched.
  const lock = await readLockText(session.config);
  const headers = await sourceHeaders(session, signal, (text) => stderr.write(text), paint);
  const warn = (message: string): void => void stderr.write(`! ${message}\n`);
  const named = form.library === undefined ? undefined : resolve(surroundings.cwd, form.library);
  // The parser has threads or a process of its own: everything else is loaded and read meanwhile.
  const [{ irs }, { checkGenerated, findings, committed }, library] = await Promise.all([
    parseLibkrunHeaders(headers, { ...session, signal, warn, preloaded }),
    loadComparison(lock, config),
    readBuiltLibrary(session, named, warn),
  ]);
  const found = await checkGenerated(committed, irs, config, form.full, library);
  const fresh = findings.isFresh(found);
  if (form.json || !fresh || found.changes.length > 0) {
    const { checkJson, checkText } = await import('./bindings-report.ts');
    if (form.json) stdout.write(`${JSON.stringify(checkJson(found), null, 2)}\n`);
    else stderr.write(checkText(found, paint));
  } else {
    // What words differences is not loaded where there are none.
    stderr.write([findings.FRESH, ...findings.exportFindingLines(found), ''].join('\n'));
  }
  return fresh && (named === undefined || findings.isReviewed(found));
}

async function loadComparison(lock: string | undefined, config: CheckConfig) {
  const { checkGenerated, readCommitted } = await import('./bindings-compare.ts');
  const { exportFindingLines, FRESH, isFresh, isReviewed } = await import('./bindings-findings.ts');
  const findings = { exportFindingLines, FRESH, isFresh, isReviewed };
  return { checkGenerated, findings, committed: await readCommitted(lock, config) };
}

/**
 * Text of the committed lock, or undefined where there is none. What a glance shows to be wrong is told at once;
 * whatever else may be wrong only when the lock is not what would be written now.
 * @throws BuildError A3S3001, with line and column, for one that cannot be read.
 */
export async function readLockText(config: Pick<Config, 'projectRoot'>): Promise<string | undefined> {
  const text = await readTextIfThere(join(config.projectRoot, LOCK_PATH));
  if (text !== undefined && !looksSound(text)) {
    const { readAbi } = await import('../bindings/abi-schema.ts');
    readAbi(text, LOCK_PATH);
  }
  return text;
}

function looksSound(text: string): boolean {
  try {
    return (JSON.parse(text) as Partial<AbiLock> | null)?.form === LOCK_FORM;
  } catch {
    return false;
  }
}
