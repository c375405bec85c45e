#!/usr/bin/env node
import { useKeptCode } from './effects/code-cache.ts';
import { leave } from './effects/leave.ts';
import { signalAllGroups } from './effects/process-groups.ts';

/** Exit codes of a program that a signal ended: 128 and the signal's number. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const stop = new AbortController();
let exitBySignal: number | undefined;

for (const [signal, code] of Object.entries(SIGNAL_EXITS)) {
  process.on(signal, () => {
    if (exitBySignal !== undefined) {
      // The second Ctrl-C: the person does not want to wait for a clean end.
      signalAllGroups('SIGKILL');
      process.exit(exitBySignal);
    }
    exitBySignal = code;
    stop.abort(new Error(`ended by ${signal}`));
  });
}

// A reader that goes away (`| head`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function run(): Promise<void> {
  const keepCode = useKeptCode(import.meta.dirname, process.env);
  const surroundings = { cwd: process.cwd(), variables: process.env };
  const argv = process.argv.slice(2);
  const plainCheck = argv.join(' ') === 'bindings --check';
  const { main } = plainCheck ? await import('./commands/plain-check.ts') : await import('./commands/main.ts');
  const code = await main(argv, surroundings, stop.signal, {
    stdout: process.stdout,
    stderr: process.stderr,
  });
  keepCode();
  // Not by itself: a header that libclang cannot finish leaves a thread at work, and Node would wait for it.
  leave(exitBySignal ?? code);
}

run();
