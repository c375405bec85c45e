import { type Clang, type CXTranslationUnit, startClang, writeFile } from './clang.ts';
import { parseDiagnostic } from './diagnostics.ts';
import { evaluateAll, type ParseText } from './evaluate.ts';
import type { RawDiagnostic, RawItem, RawUnit, RawValue, RawWidths } from './raw.ts';
import { SOURCE_ROOT, type UnitRequest } from './request.ts';
import { walkUnit } from './walk.ts';

/**
 * The process that holds the embedded libclang: units as JSON on stdin, one line of JSON for each on stdout. A process
 * of its own, because the WebAssembly build ends the process on a crash and writes its whole source to stderr then.
 */

const MAIN_FILE = `${SOURCE_ROOT}a3s-build-unit.c`;
const WIDTHS = { short: 'short', int: 'int', long: 'long', 'long long': 'long long', pointer: 'void *' } as const;

function readUnit(clang: Clang, request: UnitRequest): RawUnit {
  for (const { path, content } of request.files) writeFile(clang, path, content);
  const includes = request.headers.map((name) => `#include "${name}"\n`).join('');
  const index = clang.api.createIndex(0, 1);
  const parse =
    (options: number): ParseText =>
    (text, use) => {
      clang.api.FS.writeFile(MAIN_FILE, text);
      const unit = clang.api.parseTranslationUnit(index, MAIN_FILE, [...request.arguments], null, options);
      if (clang.api.isNullPointer(unit)) throw new Error('libclang returned no translation unit');
      try {
        return use(unit);
      } finally {
        clang.api.disposeTranslationUnit(unit);
      }
    };
  clang.printed.length = 0;
  clang.nested.clear();
  const preprocessing = clang.api.CXTranslationUnit_Flags.DetailedPreprocessingRecord.value;
  const unit = parse(preprocessing)(includes, (parsed) => readItems(clang, parsed, request, parse(0), includes));
  clang.api.disposeIndex(index);
  for (const { path } of request.files) clang.api.FS.unlink(path);
  return unit;
}

function readItems(
  clang: Clang,
  unit: CXTranslationUnit,
  request: UnitRequest,
  parse: ParseText,
  includes: string,
): RawUnit {
  const { target, headers } = request;
  const diagnostics = clang.printed.map((line) => parseDiagnostic(line, SOURCE_ROOT)).filter((found) => found !== null);
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
  const clang = await startClang(import.meta.url);
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
