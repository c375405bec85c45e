import type { HeaderFile } from '../bindings/libclang/request.ts';
import { keyOf, resolveInputs } from '../run/inputs.ts';
import { plainView } from '../run/plain-view.ts';
import type { Paint } from '../run/terminal.ts';
import { readHeaders, readStoredHeaders } from '../steps/headers.ts';
import type { Session } from './session.ts';

/**
 * The headers that a session is about, and those that the user named. A tree of the user's is read where it lies. Of the
 * pinned source only the headers are looked at where the store has it, each held against its digest in the manifest;
 * where it is missing or damaged it is fetched and verified as for a build.
 * @param session Planned for the source step alone.
 * @throws BuildError as the source step does, and A3S3002 or A3S5002 for a header that cannot be read.
 */
export async function sourceHeaders(
  session: Session,
  signal: AbortSignal,
  write: (text: string) => unknown,
  paint: Paint,
): Promise<readonly HeaderFile[]> {
  const { source } = session.facts;
  const { headers: further } = session.config;
  if (source.kind === 'tree') return readHeaders(source.path, further);
  return (await storedHeaders(session)) ?? readHeaders(await fetchSource(session, signal, write, paint), further);
}

async function storedHeaders(session: Session): Promise<readonly HeaderFile[] | undefined> {
  const { plan, store, config } = session;
  const step = plan.steps.find(({ id }) => id === 'source');
  if (step === undefined) return undefined;
  const key = keyOf(step, await resolveInputs(step, { ...session, results: new Map() }));
  const manifest = store.readManifest(step.id, key);
  if (manifest === undefined) return undefined;
  const digests = new Map(manifest.outputs.map(({ path, sha256 }) => [path, sha256]));
  return readStoredHeaders(store.resultDir(step.id, key), digests, config.headers);
}

async function fetchSource(
  session: Session,
  signal: AbortSignal,
  write: (text: string) => unknown,
  paint: Paint,
): Promise<string> {
  const { runSteps } = await import('./build.ts');
  const outcomes = await runSteps(session, signal, plainView(write, paint));
  const key = outcomes.get('source')?.manifest.key;
  if (key === undefined) throw new Error('the source step left no result');
  return session.store.resultDir('source', key);
}
