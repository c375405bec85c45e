import type { Clang, CXTranslationUnit, ParseText } from './clang.ts';
import { startEmbedded } from './clang-embedded.ts';
import { startNative } from './clang-native.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { evaluateAll } from './evaluate.ts';
import type { RawDiagnostic, RawItem, RawUnit, RawValue, RawWidths } from './raw.ts';
import { SOURCE_ROOT, type UnitRequest } from './request.ts';
import { walkUnit } from './walk.ts';

/**
 * The process that holds a libclang: units as JSON on stdin; on stdout a line with the library's version, then a line
 * of JSON for each unit. A process of its own, because a crash of the library ends it, and the WebAssembly build then
 * writes its whole source to stderr. With two arguments it loads the library that the first one names and reads the
 * second one as a description of the file system; without, it starts the embedded parser.
 */

const WIDTHS = { short: 'short', int: 'int', long: 'long', 'long long': 'long long', pointer: 'void *' } as const;

function readUnit(clang: Clang, request: UnitRequest): RawUnit {
  const includes = request.headers.map((name) => `#include "${name}"\n`).join('');
  return clang.withFiles(request, (parserFor) => {
    clang.printed.length = 0;
    clang.nested.clear();
    return parserFor('macros')(includes, (parsed) =>
      readItems(clang, parsed, request, parserFor('declarations'), includes),
    );
  });
}

function readItems(
  clang: Clang,
  unit: CXTranslationUnit,
  request: UnitRequest,
  parse: ParseText,
  includes: string,
): RawUnit {
  const { target, headers } = request;
  const diagnostics = parseDiagnostics(clang.printed, SOURCE_ROOT);
  if (diagnostics.length > 0) return { target, headers, widths: noWidths(), items: [], diagnostics };
  const questions = Object.values(WIDTHS).map((type) => `sizeof(${type})`);
  let answers: readonly RawValue[] = [];
  const found = walkUnit(clang, unit, request, (expression) => {
    const index = questions.push(expression) - 1;
    return () => answers[index] ?? { kind: 'none', reason: 'not evaluated' };
  });
  answers = evaluateAll(clang, parse, includes, questions);
  const items: readonly RawItem[] = found.map(({ finish }) => finish());
  return { target, headers, widths: widthsFrom(answers), items, diagnostics: [] satisfies RawDiagnostic[] };
}

function widthsFrom(answers: readonly RawValue[]): RawWidths {
  const entries = Object.keys(WIDTHS).map((name, index) => {
    const answer = answers[index];
    return [name, answer?.kind === 'integer' ? Number(answer.value) : 0];
  });
  return { ...noWidths(), ...Object.fromEntries(entries) };
}

function noWidths(): RawWidths {
  return { short: 0, int: 0, long: 0, 'long long': 0, pointer: 0 };
}

async function readInput(): Promise<readonly UnitRequest[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function main(): Promise<void> {
  const requests = await readInput();
  const [library, fileSystem] = process.argv.slice(2);
  const native = library !== undefined && fileSystem !== undefined;
  const clang = native ? startNative(import.meta.url, library, fileSystem) : await startEmbedded(import.meta.url);
  process.stdout.write(`${JSON.stringify(clang.version)}\n`);
  for (const request of requests) process.stdout.write(`${JSON.stringify(readUnit(clang, request))}\n`);
  clang.stop();
}

try {
  await main();
  process.stdout.write('', () => process.exit(0));
} catch (thrown) {
  // Uncaught, it would print the parser's whole source.
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`, () => process.exit(1));
}
