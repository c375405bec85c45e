import { join } from 'node:path';
import { type AbiLock, readAbi } from '../bindings/abi-schema.ts';
import { listTree, readTextIfThere, writeFileWhole } from '../effects/files.ts';
import { BuildError, orFailure } from '../plan/errors.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { COMMITTED } from '../steps/bindings.ts';
import { FRESH, findings } from './bindings-findings.ts';
import { findingLines, findingsJson } from './bindings-report.ts';
import { runSession } from './build.ts';
import {
  type CommonOptions,
  openSession,
  refuseStub,
  type Session,
  type Streams,
  type Surroundings,
} from './session.ts';

/** Writes the project's `generated/` from libkrun.h: the files whose content changes, and no other. */
export async function runBindingsCommand(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  streams: Streams,
  form: { readonly json: boolean },
): Promise<void> {
  refuseStub('bindings', surroundings);
  const session = await openSession({ ...options, only: ['bindings'] }, surroundings);
  await writeBindings(session, surroundings, signal, streams, form);
}

/** Does what {@link runBindingsCommand} does, in a session that was opened for the `bindings` step. */
export async function writeBindings(
  session: Session,
  { variables }: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
  { json }: { readonly json: boolean },
): Promise<void> {
  const paint = painter(terminalKind(stderr, variables).color);
  const view = plainView((text) => stderr.write(text), paint);
  const { outcomes } = await runSession(session, signal, view);
  const key = outcomes.find(({ manifest }) => manifest.step === 'bindings')?.manifest.key;
  if (key === undefined) throw new Error('the bindings step left no result');
  const made = join(session.store.resultDir('bindings', key), COMMITTED);
  const generated = join(session.config.projectRoot, 'generated');
  const stale = await differingFiles(made, generated);
  const after = readAbi((await readTextIfThere(join(made, 'abi.json'))) ?? '');
  const found = await findings(await readLockIfSound(join(generated, 'abi.json')), after, session.config, []);
  for (const path of stale) {
    const text = await readTextIfThere(join(made, path));
    if (text !== undefined) await writeFileWhole(join(generated, path), text);
  }
  if (json) stdout.write(`${JSON.stringify({ wrote: stale, ...findingsJson(found) }, null, 2)}\n`);
  else if (stale.length === 0) stderr.write(`${FRESH}\n`);
  else {
    const wrote = `wrote ${stale.map((path) => `generated/${path}`).join(', ')}`;
    stderr.write([...findingLines(found), wrote, ''].join('\n'));
  }
}

/** Files that the generator makes and that differ from, or are missing in, the project's folder. */
async function differingFiles(made: string, generated: string): Promise<string[]> {
  const differing: string[] = [];
  for (const { path } of listTree(made)) {
    if ((await readTextIfThere(join(made, path))) !== (await readTextIfThere(join(generated, path))))
      differing.push(path);
  }
  return differing;
}

/** The lock that is about to be replaced; a damaged one has nothing to compare with, and must not stop its repair. */
async function readLockIfSound(path: string): Promise<AbiLock | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const lock = orFailure(() => readAbi(text));
  return lock instanceof BuildError ? undefined : lock;
}
