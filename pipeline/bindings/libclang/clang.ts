import { createRequire } from 'node:module';
import type * as libclangjs from 'libclangjs/node.js';

type LibClang = Awaited<ReturnType<typeof libclangjs.default.default>>;
export type CXTranslationUnit = ReturnType<LibClang['parseTranslationUnit']>;
export type CXCursor = ReturnType<LibClang['getTranslationUnitCursor']>;
export type CXType = ReturnType<LibClang['getCursorType']>;

/** The parser and what is remembered about its tables. */
export interface Clang {
  readonly api: LibClang;
  /** Lines that the parser printed since they were last taken. */
  readonly printed: string[];
  /** Folders made in the parser's own file system so far. */
  readonly folders: Set<string>;
  /** Records without a name of their own, by the place where they are declared. */
  readonly nested: Map<string, NestedRecord>;
}

/** A record that is declared inside another one and has no name. */
export interface NestedRecord {
  /** Made from the names of the record and the member that hold it. */
  readonly name: string;
  /** C expression that names the type; of an anonymous member, that of the record around it. */
  readonly expression: string;
  readonly anonymous: boolean;
}

type Init = (options: Record<string, unknown>) => Promise<LibClang & { PThread: { terminateAllThreads(): void } }>;

/** Devices that the WebAssembly file system offers and that an `#include` could otherwise read without end. */
const DEVICES = ['stdin', 'tty', 'tty1', 'random', 'urandom'];

/**
 * Starts the embedded libclang. Only the `node.js` entry is loaded: the package's other entries expect a browser.
 * @param from module URL from which the package is resolved.
 */
export async function startClang(from: string): Promise<Clang & { readonly stop: () => void }> {
  const printed: string[] = [];
  const loaded = createRequire(from)('libclangjs/node.js') as Init | { default: Init };
  const init = typeof loaded === 'function' ? loaded : loaded.default;
  const collect = (line: string) => printed.push(line);
  const api = await init({ print: collect, printErr: collect, stdin: () => null });
  for (const device of DEVICES) api.FS.unlink(`/dev/${device}`);
  return { api, printed, folders: new Set(), nested: new Map(), stop: () => api.PThread.terminateAllThreads() };
}

/** Writes a file into the parser's own file system, with the folders that it needs. */
export function writeFile({ api, folders: made }: Clang, path: string, content: string): void {
  const folders = path.split('/').slice(1, -1);
  for (let depth = 1; depth <= folders.length; depth += 1) {
    const folder = `/${folders.slice(0, depth).join('/')}`;
    if (!made.has(folder)) api.FS.mkdir(folder);
    made.add(folder);
  }
  api.FS.writeFile(path, content);
}

/** Name of a cursor's kind (`StructDecl`): stable where the numbers are not. */
export function cursorKind({ api }: Clang, cursor: CXCursor): string {
  return api.getCursorKindSpelling(cursor.kind) ?? '';
}

/** Name of a type's kind (`UInt`): stable where the numbers are not. */
export function typeKind({ api }: Clang, type: CXType): string {
  return api.getTypeKindSpelling(type.kind) ?? '';
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
