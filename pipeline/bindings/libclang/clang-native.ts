import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';
import { type Clang, MAIN_FILE, type ParserFor, RECORD_FLAGS } from './clang.ts';
import { CLANG_FUNCTIONS, type ClangApi, type ValueKind } from './clang-functions.ts';
import type { UnitRequest } from './request.ts';

type Koffi = typeof koffiModule;
type Call = (...values: readonly unknown[]) => unknown;

/** Binds a function of the library, named without `clang_`. */
type Bind = (
  name: string,
  result: koffiModule.TypeObject | string,
  ...takes: (koffiModule.TypeObject | string)[]
) => Call;

interface Binding {
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
 * @throws when the library cannot be loaded or is too old to have all functions that are needed.
 */
export function startNative(from: string, library: string, fileSystem: string): Clang {
  const binding = openLibrary(createRequire(from)('koffi') as Koffi, library);
  const printed: string[] = [];
  return {
    api: nativeApi(binding),
    version: binding.bindText('getClangVersion')() ?? '',
    printed,
    nested: new Map(),
    withFiles: unitParser(binding, printed, fileSystem),
    stop: () => undefined,
  };
}

/** Structures of clang-c/Index.h; pointers in them are only passed back, so they are numbers here. */
function openLibrary(koffi: Koffi, path: string): Binding {
  const library = koffi.load(path);
  const pointers = (count: number) => koffi.array('uint64', count, 'Typed');
  const string = koffi.struct({ data: 'uint64', flags: 'uint32' });
  const kinds = {
    cursor: koffi.struct({ kind: 'int', xdata: 'int', data: pointers(3) }),
    type: koffi.struct({ kind: 'int', data: pointers(2) }),
    location: koffi.struct({ data: pointers(2), offset: 'uint32' }),
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
  return {
    ...Object.fromEntries(plain),
    getCursorLinkage: (cursor: unknown) => ({ value: linkage(cursor) }),
    // From clang-c/Index.h, where these numbers are part of the stable interface.
    CXLinkageKind: { External: { value: 4 } },
    CXChildVisitResult: { Continue: 1 },
    getCursorKindSpelling: remembered(bindText('getCursorKindSpelling', 'int')),
    getTypeKindSpelling: remembered(bindText('getTypeKindSpelling', 'int')),
    getFileName: bindText('getFileName', 'void *'),
    isNullPointer: (pointer: unknown) => pointer === null || pointer === 0n,
    visitChildren: childVisitor(binding),
    getExpansionLocation: locator(binding, 'getExpansionLocation'),
    // What getSpellingLocation answers before version 19, from which on it leads into the definition of a macro.
    getSpellingLocation: locator(binding, 'getFileLocation'),
  } as ClangApi;
}

function remembered(ask: (key: unknown) => string | null): (key: unknown) => string | null {
  const answers = new Map<unknown, string | null>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(key);
    answers.set(key, answer);
    return answer;
  };
}

function childVisitor({ koffi, kinds, bind }: Binding) {
  const visitor = koffi.pointer(koffi.proto('int', [kinds.cursor, kinds.cursor, 'void *']));
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

function unitParser(binding: Binding, printed: string[], fileSystem: string): Clang['withFiles'] {
  const { koffi, bind } = binding;
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
  return (request: UnitRequest, use) => {
    const given = request.files.map(({ path, content }) => unsavedFile(path, content));
    const options = [...request.arguments, '-ivfsoverlay', fileSystem];
    const index = createIndex(0, 0);
    const parserFor: ParserFor = (record) => (text, read) => {
      const files = [...given, unsavedFile(MAIN_FILE, text)];
      const result = new BigUint64Array(1);
      const flags = RECORD_FLAGS[record];
      const code = parse(index, MAIN_FILE, options, options.length, files, files.length, flags, result);
      if (code !== 0) throw new Error(`libclang returned error ${code} and no translation unit`);
      const unit = result[0];
      try {
        printed.push(...collect(unit));
        return read(unit as never);
      } finally {
        dispose(unit);
      }
    };
    try {
      return use(parserFor);
    } finally {
      disposeIndex(index);
    }
  };
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
