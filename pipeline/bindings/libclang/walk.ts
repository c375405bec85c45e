import {
  type Clang,
  type CXCursor,
  type CXTranslationUnit,
  childrenOf,
  cursorKind,
  positionOf,
  typeKind,
} from './clang.ts';
import { withoutRoot } from './diagnostics.ts';
import { macroBody, macroComment, significantBody } from './macro-text.ts';
import type { RawItem } from './raw.ts';
import { type Ask, integerOf, isAligned, nameNested, readRecord } from './records.ts';
import { SOURCE_ROOT, type UnitRequest } from './request.ts';
import { describeType, tagName } from './types.ts';

/** An item as far as the walk can tell; `finish` adds what had to be evaluated, when the unit is no longer there. */
export interface Found {
  /** File and byte, for the order of the result. */
  readonly path: string;
  readonly offset: number;
  readonly finish: () => RawItem;
}

interface Walk {
  readonly clang: Clang;
  readonly sources: ReadonlyMap<string, Buffer>;
  readonly wanted: ReadonlySet<string>;
  readonly ask: Ask;
  readonly found: Found[];
  /** Whether `#pragma pack` or `_Pragma("pack")` stands in a header: the parser does not tell where it applies. */
  readonly pragmas: boolean;
}

/**
 * Visits what the unit declares. Functions, variables and macros count only where the wanted headers declare them;
 * types count in every file of the request, since a function may use a type from a header that its own includes.
 */
export function walkUnit(clang: Clang, unit: CXTranslationUnit, request: UnitRequest, ask: Ask): readonly Found[] {
  const walk: Walk = {
    clang,
    sources: new Map(request.files.map(({ path, content }) => [path, Buffer.from(content)])),
    wanted: new Set(request.headers.map((name) => SOURCE_ROOT + name)),
    ask,
    found: [],
    pragmas: request.files.some(({ content }) => /pragma[\s\\("L]*pack/i.test(content)),
  };
  for (const cursor of ownCursors(clang, clang.api.getTranslationUnitCursor(unit))) visit(walk, cursor);
  return inOrder(walk.found, request);
}

/**
 * The cursors of a unit without the macros that the compiler itself defines, some 350 that stand in no file. libclang
 * keeps macros in the order of the source, and those before everything else.
 */
function ownCursors(clang: Clang, unit: CXCursor): readonly CXCursor[] {
  const cursors = childrenOf(clang, unit);
  let [low, high] = [0, cursors.findIndex((cursor) => cursorKind(clang, cursor) !== MACRO)];
  if (high === -1) high = cursors.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const cursor = cursors[middle];
    if (cursor !== undefined && positionOf(clang, cursor) === null) low = middle + 1;
    else high = middle;
  }
  return cursors.slice(low);
}

function visitAll(walk: Walk, parent: CXCursor): void {
  for (const cursor of childrenOf(walk.clang, parent)) visit(walk, cursor);
}

function visit(walk: Walk, cursor: CXCursor): void {
  const position = positionOf(walk.clang, cursor);
  if (position === null || !position.path.startsWith(SOURCE_ROOT)) return;
  const kind = cursorKind(walk.clang, cursor);
  const read = READERS[kind];
  if (read === undefined || (WANTED_ONLY.has(kind) && !walk.wanted.has(position.path))) return;
  const { path, offset, line } = position;
  // A macro has none, and most of what is visited are macros.
  const children = kind === MACRO ? [] : childrenOf(walk.clang, cursor);
  const declaration = describeDeclaration(walk, cursor, children, { file: withoutRoot(path, SOURCE_ROOT), line });
  const finish = read(walk, cursor, declaration, { path, offset, children });
  if (finish !== null) walk.found.push({ path, offset, finish });
}

const MACRO = 'macro definition';
const WANTED_ONLY: ReadonlySet<string> = new Set(['FunctionDecl', 'VarDecl', MACRO]);

type Declaration = ReturnType<typeof describeDeclaration>;

function describeDeclaration(walk: Walk, cursor: CXCursor, children: readonly CXCursor[], place: RawItem['place']) {
  const { api } = walk.clang;
  const name = api.getCursorSpelling(cursor) ?? '';
  // A macro has no attributes, and its comment is read from the source.
  if (cursorKind(walk.clang, cursor) === MACRO) return { name, place, comment: null, deprecated: false };
  return {
    name,
    place,
    comment: api.Cursor_getRawCommentText(cursor) || null,
    deprecated: children.some((child) => isDeprecation(walk, child)),
  };
}

/** The embedded parser does not tell which attribute this is, so its first word is read from the source. */
function isDeprecation({ clang, sources }: Walk, cursor: CXCursor): boolean {
  if (cursorKind(clang, cursor) !== 'UnexposedAttr') return false;
  const { file, offset } = clang.api.getSpellingLocation(clang.api.getCursorLocation(cursor));
  const source = clang.api.isNullPointer(file) ? undefined : sources.get(clang.api.getFileName(file) ?? '');
  return /^_*deprecated/.test(source?.subarray(offset, offset + 16).toString('latin1') ?? '');
}

interface Around {
  readonly path: string;
  readonly offset: number;
  readonly children: readonly CXCursor[];
}

type Reader = (walk: Walk, cursor: CXCursor, declaration: Declaration, around: Around) => (() => RawItem) | null;

const READERS: Readonly<Record<string, Reader>> = {
  FunctionDecl: readFunction,
  StructDecl: visitRecord,
  UnionDecl: visitRecord,
  EnumDecl: readEnum,
  TypedefDecl: ({ clang, ask }, cursor, declaration) => {
    const type = describeType(clang, clang.api.getTypedefDeclUnderlyingType(cursor));
    const align = isAligned(clang, cursor) ? ask(`_Alignof(${declaration.name})`) : null;
    return () => ({ kind: 'typedef', ...declaration, type, align: align === null ? null : integerOf(align()) });
  },
  VarDecl: (_walk, _cursor, declaration) => () => ({ kind: 'variable', ...declaration }),
  [MACRO]: readMacro,
};

function readFunction(
  { clang }: Walk,
  cursor: CXCursor,
  declaration: Declaration,
  { children }: Around,
): () => RawItem {
  const { api } = clang;
  const type = api.getCursorType(cursor);
  const kind = typeKind(clang, type);
  const isFunction = kind === 'FunctionProto' || kind === 'FunctionNoProto';
  const parameters = children
    .filter((child) => cursorKind(clang, child) === 'ParmDecl')
    .map((child) => ({
      name: api.getCursorSpelling(child) ?? '',
      type: describeType(clang, api.getCursorType(child)),
    }));
  const item: RawItem = {
    kind: 'function',
    ...declaration,
    parameters,
    returns: isFunction ? describeType(clang, api.getResultType(type)) : { kind: 'other', spelling: 'unknown' },
    variadic: kind === 'FunctionProto' && api.isFunctionTypeVariadic(type) !== 0,
    prototyped: kind === 'FunctionProto',
    external: api.getCursorLinkage(cursor).value === api.CXLinkageKind.External.value,
    inline: api.Cursor_isFunctionInlined(cursor) !== 0,
    noReturn: /__attribute__\(\(noreturn\)\)/.test(api.getTypeSpelling(type) ?? ''),
  };
  return () => item;
}

/** Records inside a record are items of their own, in front of it. */
function visitRecord(walk: Walk, cursor: CXCursor, declaration: Declaration): (() => RawItem) | null {
  nameNested(walk.clang, cursor);
  visitAll(walk, cursor);
  return readRecord(walk.clang, walk.ask, cursor, declaration, walk.pragmas);
}

function readEnum(
  { clang, ask }: Walk,
  cursor: CXCursor,
  declaration: Declaration,
  { children }: Around,
): () => RawItem {
  const { api } = clang;
  const type = describeType(clang, api.getEnumDeclIntegerType(cursor));
  const values = children
    .filter((child) => cursorKind(clang, child) === 'EnumConstantDecl')
    .map((child) => api.getCursorSpelling(child) ?? '')
    .map((name) => ({ name, answer: ask(name) }));
  const name = tagName(clang, api.getCursorType(cursor)) ?? '';
  return () => ({
    kind: 'enum',
    ...declaration,
    name,
    type,
    values: values.map(({ name, answer }) => ({ name, value: integerOf(answer()) })),
  });
}

function readMacro(
  { clang, ask, sources }: Walk,
  cursor: CXCursor,
  declaration: Declaration,
  { path, offset }: Around,
): (() => RawItem) | null {
  const source = sources.get(path);
  if (source === undefined) return null;
  const comment = macroComment(source, offset);
  if (clang.api.Cursor_isMacroFunctionLike(cursor) !== 0) {
    return () => ({ kind: 'function-macro', ...declaration, comment });
  }
  const body = macroBody(source, offset, declaration.name);
  // A macro without a body (an include guard, a feature switch) holds no value that a binding could offer.
  if (significantBody(body) === '') return null;
  const answer = ask(declaration.name);
  return () => ({ kind: 'macro', ...declaration, comment, body, value: answer() });
}

function inOrder(found: readonly Found[], request: UnitRequest): readonly Found[] {
  const paths = request.files.map(({ path }) => path);
  const rank = new Map(paths.map((path, index) => [path, index]));
  return found.toSorted((a, b) => (rank.get(a.path) ?? 0) - (rank.get(b.path) ?? 0) || a.offset - b.offset);
}
