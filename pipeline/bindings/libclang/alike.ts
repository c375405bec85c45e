import { SOURCE_ROOT, type UnitRequest } from './request.ts';
import { STANDARD_HEADERS } from './standard-headers.ts';

/**
 * For each request after the first one for the same texts, that first one; where the compiler can read these only one
 * way: no condition but include guards and `__cplusplus`, no include that a macro names, no type that is written as an
 * expression. Macros and comments are then the same for every target, and what is declared can be compared by how the
 * parser prints it.
 */
export function modelsOf(requests: readonly UnitRequest[]): ReadonlyMap<UnitRequest, UnitRequest> {
  const models = new Map<UnitRequest, UnitRequest>();
  for (const [index, request] of requests.entries()) {
    const model = requests.slice(0, index).find((other) => !models.has(other) && isSameText(other, request));
    if (model !== undefined) models.set(request, model);
  }
  const readOneWay = [...new Set(models.values())].filter((model) => own(model).every(hasOneReading));
  return new Map([...models].filter(([, model]) => readOneWay.includes(model)));
}

function isSameText(a: UnitRequest, b: UnitRequest): boolean {
  return (
    String(a.headers) === String(b.headers) &&
    a.files.length === b.files.length &&
    a.files.every(({ path, content }, index) => path === b.files[index]?.path && content === b.files[index]?.content)
  );
}

/** The files that are not of this program. */
function own({ files }: UnitRequest) {
  return files.filter(({ path }) => path.startsWith(SOURCE_ROOT));
}

const COMMENT_OR_LITERAL = /\/\*[\s\S]*?(?:\*\/|$)|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
const DIRECTIVE = /^[ \t]*(?:#|%:)[ \t]*(.*)$/gm;

/** Those that have the same effect for every target. No compiler defines a name that ends as a guard does. */
const PLAIN_DIRECTIVES = [
  /^define\b/,
  /^include\s*(?:"[^"\n]+"|<[^>\n]+>)\s*$/,
  /^ifdef\s+__cplusplus\s*$/,
  /^ifndef\s+\w+_[Hh]_*\s*$/,
  /^else\s*$/,
  /^endif\s*$/,
  /^pragma\s+once\s*$/,
  /^$/,
];

/** `va_list` is another kind of type on each target; the others are printed as they are written. */
const READ_BY_TARGET = /\b(?:_Pragma|__auto_type|(?:__)?typeof(?:__|_unqual)?|(?:__builtin_)?va_list)\b/;

function hasOneReading({ content }: { readonly content: string }): boolean {
  const code = content
    .replace(/\\\r?\n/g, '')
    .replace(COMMENT_OR_LITERAL, (found) => (found.startsWith('/') ? ' ' : found));
  const directives = [...code.matchAll(DIRECTIVE)].map(([, directive = '']) => directive.trim());
  return (
    !READ_BY_TARGET.test(code) &&
    directives.every((directive) => PLAIN_DIRECTIVES.some((plain) => plain.test(directive)))
  );
}

const TYPEDEF = /^typedef (.+) (\w+)$/;

const STANDARD_NAMES: ReadonlySet<string> = new Set(
  Object.values(STANDARD_HEADERS)
    .flatMap((content) => [...content.matchAll(/^typedef .+ (\w+);$/gm)])
    .map(([, name = '']) => name),
);

/**
 * Whether declarations, printed in order, say the same for two targets. A standard type of 64 bits may be `long` for one
 * and `long long` for the other, which are as wide; what else is behind a standard type may differ where the headers do
 * not use it.
 */
export function areAlike(a: readonly string[], b: readonly string[], request: UnitRequest): boolean {
  return a.length === b.length && a.every((declaration, index) => isAlike(declaration, b[index] ?? '', request));
}

function isAlike(a: string, b: string, request: UnitRequest): boolean {
  if (sameBool(a) === sameBool(b)) return true;
  const [[, typeOfA = '', name = ''], [, typeOfB = '', nameOfB]] = [TYPEDEF.exec(a) ?? [], TYPEDEF.exec(b) ?? []];
  if (name !== nameOfB || !STANDARD_NAMES.has(name)) return false;
  const word = new RegExp(`\\b${name}\\b`);
  return short(typeOfA) === short(typeOfB) || !own(request).some(({ content }) => word.test(content));
}

/** Which of its two names is printed depends on what the compiler was asked before. */
function sameBool(declaration: string): string {
  return declaration.replace(/\b_Bool\b/g, 'bool');
}

function short(type: string): string {
  return type.replace('long long', 'long');
}
