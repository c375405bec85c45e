import { createRequire } from 'node:module';
import { type CXCursor, type CXType, type LoadedClang, MAIN_FILE, RECORD_FLAGS, remembered } from './clang.ts';
import type { ClangApi, EmbeddedApi } from './clang-functions.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { SOURCE_ROOT } from './request.ts';

/** The libclang inside libclangjs 0.5.1, which has no function that tells it. */
const EMBEDDED_VERSION = 'clang version 15';

type Init = (options: Record<string, unknown>) => Promise<EmbeddedApi & { PThread: { terminateAllThreads(): void } }>;

/** Devices that the WebAssembly file system offers and that an `#include` could otherwise read without end. */
const DEVICES = ['stdin', 'tty', 'tty1', 'random', 'urandom'];

/**
 * Starts the embedded libclang. Only the `node.js` entry is loaded: the package's other entries expect a browser.
 * @param from module URL from which the package is resolved.
 */
export async function startEmbedded(from: string): Promise<LoadedClang> {
  const printed: string[] = [];
  const loaded = createRequire(from)('libclangjs/node.js') as Init | { default: Init };
  const init = typeof loaded === 'function' ? loaded : loaded.default;
  const collect = (line: string) => printed.push(line);
  const module = await init({ print: collect, printErr: collect, stdin: () => null });
  const api = Object.assign(Object.create(module) as typeof module, ownFunctions(module));
  for (const device of DEVICES) api.FS.unlink(`/dev/${device}`);
  const folders = new Set<string>();
  return {
    api,
    version: EMBEDDED_VERSION,
    withFiles: async (request, use) => {
      for (const { path, content } of request.files) writeFile(api, folders, path, content);
      const index = api.createIndex(0, 1);
      const result = await use((record) => async (text, read) => {
        printed.length = 0;
        api.FS.writeFile(MAIN_FILE, text);
        const unit = api.parseTranslationUnit(index, MAIN_FILE, [...request.arguments], null, RECORD_FLAGS[record]);
        if (api.isNullPointer(unit)) throw new Error('libclang returned no translation unit');
        try {
          return read(unit, () => parseDiagnostics(printed, SOURCE_ROOT));
        } finally {
          api.disposeTranslationUnit(unit);
        }
      });
      api.disposeIndex(index);
      for (const { path } of request.files) api.FS.unlink(path);
      return result;
    },
    stop: () => module.PThread.terminateAllThreads(),
  };
}

function ownFunctions(module: EmbeddedApi): Pick<ClangApi, 'cursorKind' | 'typeKind' | 'typeKey'> {
  const cursorKind = remembered((kind: CXCursor['kind']) => module.getCursorKindSpelling(kind));
  const typeKind = remembered((kind: CXType['kind']) => module.getTypeKindSpelling(kind));
  return {
    cursorKind: (cursor) => cursorKind(cursor.kind),
    typeKind: (type) => typeKind(type.kind),
    typeKey: () => null,
  };
}

/** Writes a file into the parser's own file system, with the folders that it needs and that are not made yet. */
function writeFile(api: EmbeddedApi, made: Set<string>, path: string, content: string): void {
  const folders = path.split('/').slice(1, -1);
  for (let depth = 1; depth <= folders.length; depth += 1) {
    const folder = `/${folders.slice(0, depth).join('/')}`;
    if (!made.has(folder)) api.FS.mkdir(folder);
    made.add(folder);
  }
  api.FS.writeFile(path, content);
}
