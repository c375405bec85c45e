import { createReadStream } from 'node:fs';
import type { ProcessResult } from '../effects/process.ts';
import { installHint } from '../effects/toolchain.ts';
import { type BuildError, buildError } from '../plan/errors.ts';

/** What compilers and linkers print, the error first that says most. */
const ERROR_LINES: readonly RegExp[] = [
  /^error(\[E\d+\])?: (?!could not compile|aborting)/,
  /: (fatal )?error: /,
  /undefined reference/,
  /cannot find -l/,
  /^error/,
];

/** Known first errors, with what helps. */
const CAUSES: readonly { readonly pattern: RegExp; readonly cause: string; readonly fix: string }[] = [
  {
    pattern: /cannot find -lc\b/,
    cause: 'The static C library is missing on this system.',
    fix: 'Install it: libc6-dev (Debian, Ubuntu), glibc-static (Fedora).',
  },
  {
    // clang's words, then gcc's; both only where somebody asked for lld.
    pattern: /invalid linker name in (argument )?'-fuse-ld=lld'|collect2: fatal error: cannot find 'ld'/,
    cause: 'The compiler was told to link with lld, which is neither on PATH nor part of the Rust toolchain in use.',
    fix: `${installHint(['lld']).join('; ')} — or leave -fuse-ld=lld out of CC_LINUX and CC: this build does not need it.`,
  },
  {
    pattern: /linker `?\S+`? not found/,
    cause: 'rustc found no linker.',
    fix: 'Install a C compiler: gcc.',
  },
  {
    pattern: /lock file .* needs to be updated|--locked/,
    cause: 'The source tree and its Cargo.lock do not agree.',
    fix: 'Use a clean checkout of the source tree.',
  },
];

/** The failure of a compiler or cargo run: the first error it printed, with its place where it names one. */
export async function compileError(command: string, result: ProcessResult, log: string): Promise<BuildError> {
  if (result.signal !== null) {
    return buildError('A3S1204', { message: `${command} was killed by ${result.signal}`, log, where: { file: log } });
  }
  const lines = await firstLines(log);
  const full = lines.find((line) => DISK_FULL.test(line));
  if (full !== undefined) return buildError('A3S5001', { message: `${command}: ${full}`, where: { file: log }, log });
  const first = firstError(lines.length > 0 ? lines : result.tail);
  const known = CAUSES.find(({ pattern }) => pattern.test(first));
  const where = placeOf(lines, first) ?? { file: log };
  return buildError('A3S1203', {
    message: `${command} failed with exit code ${result.code}: ${first}`,
    ...(known === undefined ? {} : { cause: known.cause, fix: known.fix }),
    where,
    log,
  });
}

/** How compilers, linkers and cargo say that the disk is full: the system's own words. */
const DISK_FULL = /No space left on device|Disk quota exceeded/;

/** Bytes of a log that are searched for the first error. */
const LOG_LIMIT = 16 * 1024 * 1024;

/** The first error may have scrolled far up by the time a build ends: it is looked for from the log's start. */
async function firstLines(log: string): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(log, { end: LOG_LIMIT }) as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // Without its log the failure is told from the last lines, which are in memory.
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .split(/[\r\n]+/)
    .filter((line) => line !== '');
}

function firstError(lines: readonly string[]): string {
  for (const pattern of ERROR_LINES) {
    const line = lines.find((text) => pattern.test(text));
    if (line !== undefined) return line;
  }
  return lines.findLast((line) => line !== '') ?? 'it printed nothing';
}

/** gcc and clang write `file:line:column: error:`; rustc writes ` --> file:line:column` on the line after. */
function placeOf(lines: readonly string[], first: string): { file: string; line: number; column: number } | undefined {
  const next = lines[lines.indexOf(first) + 1] ?? '';
  const match = /^(\S+?):(\d+):(\d+): /.exec(first) ?? /^\s*--> (\S+?):(\d+):(\d+)/.exec(next);
  if (match === null) return undefined;
  return { file: match[1] ?? '', line: Number(match[2]), column: Number(match[3]) };
}
