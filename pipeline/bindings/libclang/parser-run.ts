import { type BuildError, buildError } from '../../plan/errors.ts';
import type { RawUnit } from './raw.ts';
import { TESTED_VERSIONS } from './versions.ts';

/** Which libclang parses. They give the same result; a library of the system is several times as fast. */
export type Parser =
  | { readonly kind: 'embedded' }
  /** `library` is the path of the shared library. */
  | { readonly kind: 'native'; readonly library: string };

/** How the parser is run. */
export interface ParserOptions {
  /** The embedded one when left out. */
  readonly parser?: Parser;
  /** Is told when a library that nobody has tested is at work. */
  readonly warn?: (message: string) => void;
  /** The bundled worker (`dist/libclang-worker.js`). */
  readonly workerPath: string;
  /** The Node that runs it; this process's own when left out. */
  readonly nodePath?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds; a header that needs longer (macros that grow without end) is refused. */
  readonly timeLimit?: number;
  /**
   * Loads a library of the system into this process, which saves the start of another one. Only for a program that
   * does nothing else and ends itself afterwards: see `readInProcess`.
   */
  readonly inProcess?: boolean;
  /** Is given the first unit while a library in this process is at work on the others; it may turn out to be unsound. */
  readonly onFirst?: (unit: RawUnit) => void;
  /** A process of the embedded parser that was started beforehand; it is asked once. */
  readonly started?: Worker | undefined;
}

/** What a parser made of its requests, in order. */
export interface ParserRun {
  /** As the library tells it; null when it could not be loaded. */
  readonly version: string | null;
  /** Missing or null where the parser gave up. */
  readonly units: readonly (RawUnit | null | undefined)[];
  /** Why units may be missing. */
  readonly reason: string;
}

/** A parser's process that was started. */
export interface Worker {
  /** Sends the requests, once, as JSON. */
  readonly ask: (requests: string) => Promise<ParserRun>;
}

/** libkrun.h takes under a second with the embedded parser; slow machines get 60 times as much. */
export const TIME_LIMIT = 60_000;
/** The failure of a parser that did not come as far as its first unit. */
export function cannotStart({ parser }: ParserOptions, reason: string): BuildError {
  const fix = parserFix(parser);
  const library = parser?.kind === 'native' ? ` (${parser.library})` : '';
  return buildError('A3S3004', {
    message: `the header parser${library} could not be started: ${reason}`,
    ...(fix === undefined ? {} : { fix }),
  });
}

/** What to do about a parser that cannot be used; undefined where the error table says it. */
export function parserFix(parser: ParserOptions['parser'] = { kind: 'embedded' }): string | undefined {
  if (parser.kind === 'embedded') return undefined;
  return `Set LIBCLANG_PATH to a libclang of version ${TESTED_VERSIONS.join(', ')}, or unset it to use the embedded one.`;
}
