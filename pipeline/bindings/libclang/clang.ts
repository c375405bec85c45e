import type { ClangApi, EmbeddedApi } from './clang-functions.ts';
import type { RawDiagnostic, RawType } from './raw.ts';
import { SOURCE_ROOT, type UnitRequest } from './request.ts';

export type CXTranslationUnit = ReturnType<EmbeddedApi['parseTranslationUnit']>;
export type CXCursor = ReturnType<EmbeddedApi['getTranslationUnitCursor']>;
export type CXType = ReturnType<EmbeddedApi['getCursorType']>;

/** Parses a source text as one translation unit and disposes of it after `use`, which also gets what was diagnosed. */
export type ParseText = <T>(
  text: string,
  use: (unit: CXTranslationUnit, diagnostics: () => readonly RawDiagnostic[]) => T,
) => Promise<T>;

/** A libclang that was loaded, whichever it is. */
export interface LoadedClang {
  readonly api: ClangApi;
  /** As the library itself tells it (`Debian clang version 19.1.7`). */
  readonly version: string;
  /** Opens a request: its files, and nothing else, are there while `use` runs. */
  readonly withFiles: <T>(request: UnitRequest, use: (parse: ParserFor) => Promise<T>) => Promise<T>;
}

/** A libclang at work on one request. */
export interface Clang {
  readonly api: ClangApi;
  /** Records without a name of their own, by the place where they are declared. */
  readonly nested: Map<string, NestedRecord>;
  /** Types that were described before, by their key. */
  readonly described: Map<number | string, RawType>;
}

/** A record that is declared inside another one and has no name. */
export interface NestedRecord {
  /** Made from the names of the record and the member that hold it. */
  readonly name: string;
  /** C expression that names the type; of an anonymous member, that of the record around it. */
  readonly expression: string;
  readonly anonymous: boolean;
}

/** How to parse texts beside the files of a request: with the macros that they define, or only declarations. */
export type ParserFor = (record: 'macros' | 'declarations') => ParseText;

/** Name of the text that is parsed: within the request's folder, so that quotes find its headers. */
export const MAIN_FILE = `${SOURCE_ROOT}a3s-build-unit.c`;

/** libclang's own numbers for what to record (CXTranslationUnit_DetailedPreprocessingRecord is 1). */
export const RECORD_FLAGS = { macros: 1, declarations: 0 } as const;

/** See `ClangApi`. */
export function cursorKind({ api }: Clang, cursor: CXCursor): string {
  return api.cursorKind(cursor);
}

/** See `ClangApi`. */
export function typeKind({ api }: Clang, type: CXType): string {
  return api.typeKind(type);
}

interface Position {
  readonly path: string;
  readonly line: number;
  readonly offset: number;
}

/** Where a cursor stands; null for what the compiler itself declares. */
export function positionOf({ api }: Clang, cursor: CXCursor): Position | null {
  const { file, line, offset } = api.getExpansionLocation(api.getCursorLocation(cursor));
  if (api.isNullPointer(file)) return null;
  const path = api.getFileName(file);
  return path === null ? null : { path, line, offset };
}

/** The direct children of a cursor. */
export function childrenOf({ api }: Clang, cursor: CXCursor): readonly CXCursor[] {
  const children: CXCursor[] = [];
  api.visitChildren(cursor, (child) => {
    children.push(child);
    return api.CXChildVisitResult.Continue;
  });
  return children;
}

/** Asks for each key once. */
export function remembered<K>(ask: (key: K) => string | null): (key: K) => string {
  const answers = new Map<K, string>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(key) ?? '';
    answers.set(key, answer);
    return answer;
  };
}
