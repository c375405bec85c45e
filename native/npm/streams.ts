import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { RunOptions, VmStdio } from './api.ts';

/** What the launcher gets for its three standard streams; a stream of the caller's is fed through a pipe. */
export function stdioOf(options: RunOptions): [VmStdio, VmStdio, VmStdio] {
  const kind = (stream: VmStdio | Readable | Writable | undefined): VmStdio => {
    if (stream === undefined) return options.stdio ?? 'inherit';
    return typeof stream === 'string' ? stream : 'pipe';
  };
  return [kind(options.stdin), kind(options.stdout), kind(options.stderr)];
}

/** Connects the pipes of the launcher with the streams that the caller gave. */
export function connectStreams(child: ChildProcess, options: RunOptions): void {
  const { stdin, stdout, stderr } = options;
  if (typeof stdin === 'object' && child.stdin !== null) {
    // A guest that ends before it has read everything is no error.
    child.stdin.on('error', () => stdin.unpipe());
    stdin.pipe(child.stdin);
  }
  drain(child.stdout, stdout);
  drain(child.stderr, stderr);
}

function drain(from: Readable | null, to: VmStdio | Writable | undefined): void {
  if (typeof to !== 'object' || from === null) return;
  from.pipe(to, { end: false });
  // Where nobody takes the output any more, it is thrown away: a full pipe would stop the guest for ever.
  to.once('close', () => from.resume());
}
