import { join } from 'node:path';
import { readAbi } from '../bindings/abi.ts';
import { type AbiChange, diffAbi } from '../bindings/abi-diff.ts';
import { listTree, readTextIfThere, writeFileWhole } from '../effects/files.ts';
import { buildError } from '../plan/errors.ts';
import { renderFailure } from '../run/failure-text.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { COMMITTED } from '../steps/bindings.ts';
import { build } from './build.ts';
import type { CommonOptions, Session, Streams, Surroundings } from './session.ts';

/**
 * Writes the project's `generated/` from libkrun.h, or with `check` says whether it is what the header gives.
 * @returns False when `check` found a difference.
 */
export async function runBindingsCommand(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stderr }: Streams,
  check: boolean,
): Promise<boolean> {
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  let session: Session | undefined;
  const report = await build({ ...options, only: ['bindings'] }, surroundings, signal, (opened) => {
    session = opened;
    return plainView((text) => stderr.write(text), paint);
  });
  const key = report.manifest.steps.find((step) => step.id === 'bindings')?.key;
  if (session === undefined || key === undefined) throw new Error('the bindings step left no result');
  const made = join(session.store.resultDir('bindings', key), COMMITTED);
  const generated = join(session.config.projectRoot, 'generated');
  const stale = await differingFiles(made, generated);
  if (stale.length === 0) {
    stderr.write('generated/ is what libkrun.h gives\n');
    return true;
  }
  const changes = await abiChanges(join(generated, 'abi.json'), join(made, 'abi.json'));
  if (check) {
    const message = [`bindings are stale: ${stale.join(', ')}`, ...changes.map((change) => `  ${change}`)].join('\n');
    stderr.write(renderFailure(buildError('A3S3001', { message }).failure, paint));
    return false;
  }
  for (const path of stale) {
    const text = await readTextIfThere(join(made, path));
    if (text !== undefined) await writeFileWhole(join(generated, path), text);
  }
  stderr.write([...changes, `wrote ${stale.map((path) => `generated/${path}`).join(', ')}`, ''].join('\n'));
  return true;
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

/** What changed between two locks, a line each; nothing where there was no lock yet. */
async function abiChanges(before: string, after: string): Promise<string[]> {
  const [old, now] = [await readTextIfThere(before), await readTextIfThere(after)];
  if (old === undefined || now === undefined) return [];
  return diffAbi(readAbi(old), readAbi(now)).map(changeLine);
}

const SIGNS = { added: '+ added  ', removed: '- removed', changed: '~ changed' } as const;

function changeLine({ kind, name, details }: AbiChange): string {
  return `${SIGNS[kind]} ${name}${details.length === 0 ? '' : `: ${details.join(', ')}`}`;
}
