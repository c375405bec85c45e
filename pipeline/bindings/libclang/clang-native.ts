import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';
import { type LoadedClang, MAIN_FILE, type ParserFor, RECORD_FLAGS, remembered } from './clang.ts';
import { CLANG_FUNCTIONS, type ClangApi, type ValueKind } from './clang-functions.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { SOURCE_ROOT, type UnitRequest } from './request.ts';

type Koffi = typeof koffiModule;
/** `async` calls on another thread, and the callback on this one. */
type Call = ((...values: readonly unknown[]) => unknown) & { readonly async: (...values: readonly unknown[]) => void };

/** Binds a function of the library, named without `clang_`. */
type Bind = (
  name: string,
  result: koffiModule.TypeObject | string,
  ...takes: (koffiModule.TypeObject | string)[]
) => Call;

interface Binding {
  /** Names of files by their handles, which are those of one unit. */
  readonly fileNames: Map<unknown, string | null>;
  readonly koffi: Koffi;
  readonly kinds: Readonly<Record<Exclude<ValueKind, 'text'> | 'string', koffiModule.TypeObject | string>>;
  readonly bind: Bind;
  /** Binds a function that returns a CXString. */
  readonly bindText: (
    name: string,
    ...takes: (koffiModule.TypeObject | string)[]
  ) => (...values: readonly unknown[]) => string | null;
}

/**
 * Loads a libclang of the system. It gets the files of a request as unsaved ones, and sees none on the disk.
 * @param from module URL from which koffi is resolved.
 * @param library path of the shared library.
 * @param fileSystem path of a file that describes an empty file system, for `-ivfsoverlay`.
 * @throws when the library cannot be loaded; so does `api` for one that is too old to have all functions that are needed.
 */
export function startNative(from: string, library: string, fileSystem: string): LoadedClang {
  const binding = openLibrary(createRequire(from)('koffi') as Koffi, library);
  let api: ClangApi | undefined;
  return {
    // Not before it is asked for: a first header can be parsed on another thread while it is made.
    get api() {
      api ??= nativeApi(binding);
      return api;
    },
    version: binding.bindText('getClangVersion')() ?? '',
    withFiles: unitParser(binding, fileSystem),
  };
}

/** Whether the package that calls shared libraries can be loaded; it then is. */
export function isCallable(from: string): boolean {
  try {
    createRequire(from)('koffi');
    return true;
  } catch {
    return false;
  }
}

/** Both of glibc and macOS: symbols are looked up when they are first used. */
const RTLD_LAZY = 1;

/**
 * Maps a library into this process on another thread, which takes as long as parsing a header; {@link startNative} then
 * finds it there. A library that cannot be loaded is left to it, too.
 */
export function preloadLibrary(from: string, library: string): void {
  try {
    const koffi = createRequire(from)('koffi') as Koffi;
    koffi
      .load(null)
      .func('dlopen', 'void *', ['str', 'int'])
      .async(library, RTLD_LAZY, () => undefined);
  } catch {
    // No such function in this process: the library is loaded when it is needed.
  }
}

/** The system's own way to end a process, which waits for no thread. */
export function immediateExit(from: string): (code: number) => void {
  const koffi = createRequire(from)('koffi') as Koffi;
  return koffi.load(null).func('_exit', 'void', ['int']);
}

/** How many 32-bit words the structures of clang-c/Index.h have where pointers have 64 bits. */
const WORDS = { cursor: 8, type: 6, location: 6, string: 4 };

/** A structure of the library, as it lies in memory. */
interface Words {
  readonly words: Int32Array;
}

/**
 * Structures of clang-c/Index.h. They are only passed back, but for a kind at their start, so none of their members is
 * taken apart: a single array is what koffi converts fastest. A calling convention tells such structures from others by
 * their size and by whether they hold integers, which is the same either way.
 */
function openLibrary(koffi: Koffi, path: string): Binding {
  const library = koffi.load(path, { lazy: true });
  const structure = (count: number) => koffi.struct({ words: [8, koffi.array('int32', count, 'Typed')] });
  const string = structure(WORDS.string);
  const kinds = {
    cursor: structure(WORDS.cursor),
    type: structure(WORDS.type),
    location: structure(WORDS.location),
    unit: 'void *',
    number: 'int',
    string,
  };
  const bind: Bind = (name, result, ...takes) => {
    try {
      return library.func(`clang_${name}`, result, takes);
    } catch (error) {
      throw new Error(`it has no function clang_${name}: it is too old, or no libclang`, { cause: error });
    }
  };
  const read = bind('getCString', 'str', string);
  const dispose = bind('disposeString', 'void', string);
  return {
    koffi,
    fileNames: new Map(),
    kinds,
    bind,
    bindText: (name, ...takes) => {
      const call = bind(name, string, ...takes);
      return (...values) => {
        const answer = call(...values);
        const text = read(answer);
        dispose(answer);
        return typeof text === 'string' ? text : null;
      };
    },
  };
}

/** The same interface as the embedded parser's, so that one walk serves both. */
function nativeApi(binding: Binding): ClangApi {
  const { kinds, bind, bindText } = binding;
  const plain = Object.entries(CLANG_FUNCTIONS).map(
    ([name, [result, ...takes]]: [string, readonly [ValueKind, ...ValueKind[]]]) => {
      const parameters = takes.map((kind) => kinds[kind === 'text' ? 'string' : kind]);
      return [name, result === 'text' ? bindText(name, ...parameters) : bind(name, kinds[result], ...parameters)];
    },
  );
  const linkage = bind('getCursorLinkage', 'int', kinds.cursor);
  const print = bindText('getCursorPrettyPrinted', kinds.cursor, 'void *');
  return {
    ...Object.fromEntries(plain),
    getCursorLinkage: (cursor: unknown) => ({ value: linkage(cursor) }),
    // From clang-c/Index.h, where these numbers are part of the stable interface.
    CXLinkageKind: { External: { value: 4 } },
    CXChildVisitResult: { Continue: 1 },
    cursorKind: kindName(bindText('getCursorKindSpelling', 'int')),
    typeKind: kindName(bindText('getTypeKindSpelling', 'int')),
    typeKey,
    // Without a policy, by that of the unit.
    printed: (cursor: unknown) => print(cursor, null) ?? '',
    getFileName: fileNamer(binding),
    isNullPointer: (pointer: unknown) => pointer === null || pointer === 0n,
    visitChildren: childVisitor(binding),
    getExpansionLocation: locator(binding, 'getExpansionLocation'),
    // What getSpellingLocation answers before version 19, from which on it leads into the definition of a macro.
    getSpellingLocation: locator(binding, 'getFileLocation'),
  } as unknown as ClangApi;
}

/** Nearly all cursors of a unit stand in a handful of files. */
function fileNamer({ bindText, fileNames }: Binding): (file: unknown) => string | null {
  const ask = bindText('getFileName', 'void *');
  return (file) => {
    const known = fileNames.get(file);
    if (known !== undefined) return known;
    const name = ask(file);
    fileNames.set(file, name);
    return name;
  };
}

/** Every structure that has a kind begins with it. */
function kindName(spelling: (kind: number) => string | null): (of: Words) => string {
  const name = remembered(spelling);
  return ({ words }) => name(words[0] ?? 0);
}

/** The type's address in libclang, with its qualifiers in the lowest bits; null where a number cannot hold it. */
function typeKey({ words }: Words): number | null {
  const high = words[3] ?? 0;
  return high < 0 || high >= 2 ** 21 ? null : high * 2 ** 32 + ((words[2] ?? 0) >>> 0);
}

/** The visitor's other arguments, the parent and what is passed through, come after the first one and are not read. */
function childVisitor({ koffi, kinds, bind }: Binding) {
  const visitor = koffi.pointer(koffi.proto('int', [kinds.cursor]));
  const visit = bind('visitChildren', 'uint', kinds.cursor, visitor, 'void *');
  return (parent: unknown, receive: (child: unknown) => unknown) =>
    visit(parent, (child: unknown) => receive(child), null);
}

function locator({ kinds, bind }: Pick<Binding, 'kinds' | 'bind'>, name: string) {
  const locate = bind(name, 'void', kinds.location, 'void *', 'void *', 'void *', 'void *');
  const file = new BigUint64Array(1);
  const numbers = new Uint32Array(3);
  const [line, column, offset] = [0, 1, 2].map((index) => numbers.subarray(index, index + 1));
  return (location: unknown) => {
    locate(location, file, line, column, offset);
    return { file: file[0], line: numbers[0], column: numbers[1], offset: numbers[2] };
  };
}

function unitParser(binding: Binding, fileSystem: string): LoadedClang['withFiles'] {
  const { koffi, bind, fileNames } = binding;
  const unsaved = koffi.struct({ name: 'str', content: 'void *', length: 'ulong' });
  const createIndex = bind('createIndex', 'void *', 'int', 'int');
  const disposeIndex = bind('disposeIndex', 'void', 'void *');
  const parse = bind(
    'parseTranslationUnit2',
    'int',
    ...['void *', 'str', koffi.pointer('str'), 'int'],
    ...[koffi.pointer(unsaved), 'uint', 'uint', 'void *'],
  );
  const dispose = bind('disposeTranslationUnit', 'void', 'void *');
  const collect = diagnosticReader(binding);
  return async (request: UnitRequest, use) => {
    const given = request.files.map(({ path, content }) => unsavedFile(path, content));
    const options = [...request.arguments, '-ivfsoverlay', fileSystem];
    const index = createIndex(0, 0);
    const disposals: Promise<unknown>[] = [];
    const parserFor: ParserFor = (record) => async (text, read) => {
      const files = [...given, unsavedFile(MAIN_FILE, text)];
      const result = new BigUint64Array(1);
      const flags = RECORD_FLAGS[record];
      const values = [index, MAIN_FILE, options, options.length, files, files.length, flags, result];
      const code = await onThread(parse, values);
      if (code !== 0) throw new Error(`libclang returned error ${code} and no translation unit`);
      const unit = result[0];
      fileNames.clear();
      try {
        return read(unit as never, () => parseDiagnostics(collect(unit), SOURCE_ROOT));
      } finally {
        disposals.push(onThread(dispose, [unit]));
      }
    };
    try {
      return await use(parserFor);
    } finally {
      await Promise.all(disposals);
      disposeIndex(index);
    }
  };
}

/** Calls on another thread, so that this one can end a call that takes too long, or go on with other work. */
function onThread(call: Call, values: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.async(...values, (error: unknown, result: unknown) => (error === null ? resolve(result) : reject(error)));
  });
}

const SEVERITIES: readonly string[] = ['ignored', 'note', 'warning', 'error', 'fatal error'];

/**
 * Puts diagnostics the way libclang prints them. Its own formatting is not used: from version 19 on it names the place
 * where a macro is defined, not where it is used.
 */
function diagnosticReader({ bind, bindText, kinds }: Binding): (unit: unknown) => readonly string[] {
  const count = bind('getNumDiagnostics', 'uint', 'void *');
  const get = bind('getDiagnostic', 'void *', 'void *', 'uint');
  const dispose = bind('disposeDiagnostic', 'void', 'void *');
  const severity = bind('getDiagnosticSeverity', 'int', 'void *');
  const location = bind('getDiagnosticLocation', kinds.location, 'void *');
  const text = bindText('getDiagnosticSpelling', 'void *');
  const locate = locator({ bind, kinds }, 'getFileLocation');
  const fileName = bindText('getFileName', 'void *');
  const notesOf = bind('getChildDiagnostics', 'void *', 'void *');
  const countIn = bind('getNumDiagnosticsInSet', 'uint', 'void *');
  const getIn = bind('getDiagnosticInSet', 'void *', 'void *', 'uint');
  const tell = (diagnostic: unknown) => {
    const { file, line, column } = locate(location(diagnostic));
    const place = file === 0n ? '' : `${fileName(file)}:${line}:${column}: `;
    return `${place}${SEVERITIES[Number(severity(diagnostic))]}: ${text(diagnostic)}`;
  };
  // Diagnostics are released one by one; a set of notes belongs to the diagnostic that it was taken from.
  const tellOnce = (diagnostic: unknown) => {
    const told = tell(diagnostic);
    dispose(diagnostic);
    return told;
  };
  return (unit) =>
    Array.from({ length: Number(count(unit)) }, (_, index) => {
      const diagnostic = get(unit, index);
      const set = notesOf(diagnostic);
      const notes = Array.from({ length: Number(countIn(set)) }, (_note, at) => tellOnce(getIn(set, at)));
      return [tellOnce(diagnostic), ...notes];
    }).flat();
}

function unsavedFile(name: string, content: string) {
  const bytes = Buffer.from(content);
  return { name, content: bytes, length: bytes.length };
}
