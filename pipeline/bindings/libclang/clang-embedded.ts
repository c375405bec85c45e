import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type CXCursor, type CXType, type LoadedClang, MAIN_FILE, RECORD_FLAGS, remembered } from './clang.ts';
import type { ClangApi, EmbeddedApi } from './clang-functions.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { startWithOneThread, type WasmModule } from './one-thread.ts';
import { SOURCE_ROOT } from './request.ts';

/** The libclang inside libclangjs 0.5.1, which has no function that tells it. */
const EMBEDDED_VERSION = 'clang version 15';

type Init = (options: Record<string, unknown>) => Promise<EmbeddedApi & WasmModule>;

/** Devices that the WebAssembly file system offers and that an `#include` could otherwise read without end. */
const DEVICES = ['stdin', 'tty', 'tty1', 'random', 'urandom'];

/**
 * Starts the embedded libclang. Only the `node.js` entry is loaded: the package's other entries expect a browser.
 * @param from module URL from which the package is resolved.
 */
export async function startEmbedded(from: string): Promise<LoadedClang> {
  const printed: string[] = [];
  const require = createRequire(from);
  const loaded = require('libclangjs/node.js') as Init | { default: Init };
  const init = typeof loaded === 'function' ? loaded : loaded.default;
  const collect = (line: string) => printed.push(line);
  const program = join(dirname(require.resolve('libclangjs/node.js')), 'libclang.wasm');
  const module = await startWithOneThread(init, program, { print: collect, printErr: collect, stdin: () => null });
  const api = Object.assign(Object.create(module) as typeof module, ownFunctions(module));
  for (const device of DEVICES) api.FS.unlink(`/dev/${device}`);
  return {
    api,
    version: EMBEDDED_VERSION,
    withFiles: async (request, use) => {
      const given = request.files.map(({ path, content }) => ({ filename: path, contents: content }));
      const index = api.createIndex(0, 1);
      const result = await use((record) => async (text, read) => {
        printed.length = 0;
        const files = [...given, { filename: MAIN_FILE, contents: text }];
        const unit = api.parseTranslationUnit(index, MAIN_FILE, [...request.arguments], files, RECORD_FLAGS[record]);
        if (api.isNullPointer(unit)) throw new Error('libclang returned no translation unit');
        try {
          return read(unit, () => parseDiagnostics(printed, SOURCE_ROOT));
        } finally {
          api.disposeTranslationUnit(unit);
        }
      });
      api.disposeIndex(index);
      return result;
    },
  };
}

function ownFunctions(module: EmbeddedApi): Pick<ClangApi, 'cursorKind' | 'typeKind' | 'typeKey' | 'printed'> {
  const cursorKind = remembered((kind: CXCursor['kind']) => module.getCursorKindSpelling(kind));
  const typeKind = remembered((kind: CXType['kind']) => module.getTypeKindSpelling(kind));
  return {
    cursorKind: (cursor) => cursorKind(cursor.kind),
    typeKind: (type) => typeKind(type.kind),
    printed: (cursor) => {
      const policy = module.getCursorPrintingPolicy(cursor);
      const text = module.getCursorPrettyPrinted(cursor, policy) ?? '';
      module.PrintingPolicy_dispose(policy);
      return text;
    },
    // No address is to be had; in C, what is spelled alike at file level is the same type.
    typeKey: (type) => `${typeKind(type.kind)} ${module.getTypeSpelling(type)}`,
  };
}
