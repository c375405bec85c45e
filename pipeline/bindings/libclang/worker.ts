import { startEmbedded } from './clang-embedded.ts';
import { startNative } from './clang-native.ts';
import { unitReader } from './read-unit.ts';
import type { UnitRequest } from './request.ts';

/**
 * The process that holds a libclang: units as JSON on stdin; on stdout a line with the library's version, then a line
 * of JSON for each unit. A process of its own, because a crash of the library ends it, and the WebAssembly build then
 * writes its whole source to stderr. With two arguments it loads the library that the first one names and reads the
 * second one as a description of the file system; without, it starts the embedded parser.
 */

async function readInput(): Promise<readonly UnitRequest[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function main(): Promise<void> {
  const [library, fileSystem] = process.argv.slice(2);
  const native = library !== undefined && fileSystem !== undefined;
  // The embedded parser gets ready before it is known what to parse.
  const starting = native ? startNative(import.meta.url, library, fileSystem) : startEmbedded(import.meta.url);
  const [requests, clang] = await Promise.all([readInput(), starting]);
  // A library that is too old throws here, before it counts as started.
  void clang.api;
  process.stdout.write(`${JSON.stringify(clang.version)}\n`);
  const read = unitReader(clang, requests);
  for (const request of requests) process.stdout.write(`${JSON.stringify(await read(request))}\n`);
}

try {
  await main();
  process.stdout.write('', () => process.exit(0));
} catch (thrown) {
  // Uncaught, it would print the parser's whole source.
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`, () => process.exit(1));
}
