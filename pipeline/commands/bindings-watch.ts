import { join, relative } from 'node:path';
import { statIfThere } from '../effects/files.ts';
import { contentsOf, openWatch } from '../effects/watch.ts';
import { buildError, toFailure } from '../plan/errors.ts';
import { renderFailure } from '../run/failure-text.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { OWN_HEADERS } from '../steps/headers.ts';
import { writeBindings } from './bindings.ts';
import {
  type CommonOptions,
  openSession,
  refuseStub,
  type Session,
  type Streams,
  type Surroundings,
} from './session.ts';

/**
 * Writes `generated/` now, and again whenever a header or the configuration changes, until `signal` is aborted. An error
 * in a header is printed, and the next change waited for.
 * @throws BuildError A3S1001 when nothing of what is read can change; for options and a configuration that cannot be used
 *   at the start.
 */
export async function runBindingsWatch(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  streams: Streams,
): Promise<void> {
  refuseStub('bindings --watch', surroundings);
  const { stderr } = streams;
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  const all = { ...options, only: ['bindings'] };
  const shown = (path: string) => relative(surroundings.cwd, path) || path;
  let paths = watchedFiles(await openSession(all, surroundings));
  let told = '';
  const watch = await openWatch();
  try {
    while (!signal.aborted) {
      let seen = await contentsOf(paths);
      try {
        const session = await openSession(all, surroundings);
        paths = watchedFiles(session);
        seen = await contentsOf(paths);
        await writeBindings(session, surroundings, signal, streams, { json: false });
      } catch (error) {
        if (signal.aborted) return;
        stderr.write(renderFailure(toFailure(error), paint));
      }
      const list = `watching ${paths.map(shown).join(', ')}`;
      if (list !== told) stderr.write(`${list}; Ctrl-C ends\n`);
      told = list;
      const changed = await watch.changed(seen, signal);
      if (changed !== null) stderr.write(`\n${changed.map(shown).join(', ')} changed\n`);
    }
  } finally {
    await watch.close();
  }
}

/** The user's files that decide what is generated. */
function watchedFiles({ config, facts }: Session): readonly string[] {
  const further = config.headers.map(({ path }) => path);
  const { source } = facts;
  if (source.kind === 'crate' && further.length === 0) {
    throw buildError('A3S1001', {
      message: 'nothing to watch: libkrun.h is that of the pinned crate, which does not change',
      cause: '--watch follows files of yours: a source tree of libkrun, or further headers.',
      fix: 'Name a source tree with --libkrun-dir, or headers with --header.',
    });
  }
  const own = source.kind === 'crate' ? [] : ownHeaders(source.path);
  return [...own, ...further, config.configFile];
}

/** libkrun.h itself even where it is missing: it may come back. */
function ownHeaders(tree: string): readonly string[] {
  return OWN_HEADERS.map(({ name, required }) => ({ path: join(tree, 'include', name), required }))
    .filter(({ path, required }) => required || statIfThere(path) !== undefined)
    .map(({ path }) => path);
}
