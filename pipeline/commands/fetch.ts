import { rm } from 'node:fs/promises';
import { requireTools } from '../effects/toolchain.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import { formatBytes, nameWidth } from '../run/lines.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { type Fetched, fetchLog, fetchParts } from './fetch-parts.ts';
import { type CommonOptions, openSession, type Streams, type Surroundings } from './session.ts';

/**
 * Fetches everything that a build needs from elsewhere, and nothing else: the guest kernel into the store, the crates
 * into cargo's home. A build without any network then makes everything, also where the store holds no result.
 * @throws BuildError A3S2003 naming all that is missing when offline; else as the steps do.
 */
export async function runFetch(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
): Promise<void> {
  const session = await openSession(options, surroundings);
  const { cargo, rustc } = session.config.environment;
  await requireTools({ cargo, rustc }, session.toolchain);
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  const view = plainView((text) => stderr.write(text), paint, Date.now, session.plan);
  const width = nameWidth(session.plan);
  const parts = fetchParts(session, signal, (event) => {
    if (event.kind === 'progress') view(event);
  });
  await rm(fetchLog(session), { force: true });
  const missing: string[] = [];
  /** Whether the part is here; offline, a missing one is noted and the others are looked at all the same. */
  const attempt = async (name: string, fetch: (() => Promise<Fetched>) | string): Promise<boolean> => {
    try {
      const line = typeof fetch === 'string' ? fetch : fetchedLine(await fetch());
      stdout.write(`${name.padEnd(width)} ${line}\n`);
      return true;
    } catch (error) {
      if (!(error instanceof BuildError) || error.code !== 'A3S2003') throw error;
      missing.push(`${name}: ${error.message}`);
      return false;
    }
  };
  try {
    let source = true;
    for (const { id, name, fetch } of parts) {
      if (id === 'libkrun' && !source && typeof fetch !== 'string') {
        missing.push(`${name}: which crates it needs is not known before the source is there`);
        continue;
      }
      const here = await attempt(name, fetch);
      if (id === 'source') source = here;
    }
  } finally {
    await session.digests.save();
  }
  if (missing.length > 0) {
    throw buildError('A3S2003', {
      message: ['a build would need what is not here:', ...missing].join('\n  '),
      fix: 'Run `a3s-build fetch` with network.',
    });
  }
  stderr.write('all that a build needs is here: a3s-build --offline makes everything without network\n');
}

function fetchedLine({ what, bytes, pieces, fetched }: Fetched): string {
  const how = fetched === 0 ? 'was here' : fetched === pieces ? 'fetched' : `${fetched} fetched, the rest was here`;
  return `${what.padEnd(32)} ${formatBytes(bytes).padStart(9)}  ${how}`;
}
