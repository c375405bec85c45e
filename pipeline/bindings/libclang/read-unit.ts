import type { Clang, CXTranslationUnit, LoadedClang, ParseText } from './clang.ts';
import { evaluateAll } from './evaluate.ts';
import type { RawDiagnostic, RawUnit, RawValue, RawWidths } from './raw.ts';
import type { UnitRequest } from './request.ts';
import { walkUnit } from './walk.ts';

const WIDTHS = { short: 'short', int: 'int', long: 'long', 'long long': 'long long', pointer: 'void *' } as const;

/** Reads one translation unit with a libclang, of the system or embedded. */
export function readUnit({ api, withFiles }: LoadedClang, request: UnitRequest): Promise<RawUnit> {
  const clang: Clang = { api, nested: new Map(), described: new Map() };
  const includes = request.headers.map((name) => `#include "${name}"\n`).join('');
  return withFiles(request, async (parserFor) => {
    const parse = parserFor('declarations');
    const walked = await parserFor('macros')(includes, (unit, diagnosticsOf) => {
      const diagnostics = diagnosticsOf();
      return diagnostics.length > 0 ? refused(request, diagnostics) : walkItems(clang, unit, request, parse, includes);
    });
    return walked();
  });
}

/** What is left to do once the unit with the macros is disposed of. */
type Rest = () => RawUnit | Promise<RawUnit>;

function refused({ target, headers }: UnitRequest, diagnostics: readonly RawDiagnostic[]): Rest {
  return () => ({ target, headers, widths: noWidths(), items: [], diagnostics });
}

function walkItems(
  clang: Clang,
  unit: CXTranslationUnit,
  request: UnitRequest,
  parse: ParseText,
  includes: string,
): Rest {
  const { target, headers } = request;
  const questions = Object.values(WIDTHS).map((type) => `sizeof(${type})`);
  let answers: readonly RawValue[] = [];
  const found = walkUnit(clang, unit, request, (expression) => {
    const index = questions.push(expression) - 1;
    return () => answers[index] ?? { kind: 'none', reason: 'not evaluated' };
  });
  return async () => {
    answers = await evaluateAll(clang, parse, includes, questions);
    const items = found.map(({ finish }) => finish());
    return { target, headers, widths: widthsFrom(answers), items, diagnostics: [] };
  };
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
