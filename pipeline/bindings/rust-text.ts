import { plainText } from './comment-text.ts';
import type { CType, Docs } from './ir.ts';
import { isRustKeyword } from './napi-names.ts';

/** Width at which rustfmt breaks lines in this project. */
export const LINE_WIDTH = 120;

/** C spellings whose width is the platform's business, by the name that Rust has for them. */
const FFI_INTEGERS: Readonly<Record<string, string>> = {
  'signed char': 'c_schar',
  'unsigned char': 'c_uchar',
  short: 'c_short',
  'unsigned short': 'c_ushort',
  int: 'c_int',
  'unsigned int': 'c_uint',
  long: 'c_long',
  'unsigned long': 'c_ulong',
  'long long': 'c_longlong',
  'unsigned long long': 'c_ulonglong',
};

/** C types that Rust keeps apart from integers of a fixed width, and its names for them. */
export const POINTER_SIZED: Readonly<Record<string, string>> = {
  size_t: 'usize',
  uintptr_t: 'usize',
  ssize_t: 'isize',
  ptrdiff_t: 'isize',
  intptr_t: 'isize',
};

/** Words that cannot be escaped with `r#`. */
const UNESCAPABLE: ReadonlySet<string> = new Set(['_', 'self', 'Self', 'super', 'crate']);

/** A C identifier as a Rust one. */
export function rustIdentifier(name: string): string {
  if (UNESCAPABLE.has(name)) return `${name}_`;
  return isRustKeyword(name) ? `r#${name}` : name.replaceAll('$', '_dollar_');
}

/** Writes types and remembers which names of `core::ffi` they used. */
export interface TypeWriter {
  readonly used: ReadonlySet<string>;
  readonly write: (type: CType) => string;
}

/** @param isFunction whether a name stands for a function type: a pointer to it is Rust's function pointer itself. */
export function typeWriter(isFunction: (name: string) => boolean): TypeWriter {
  const used = new Set<string>();
  const ffi = (name: string) => {
    used.add(name);
    return name;
  };
  const write = (type: CType): string => {
    switch (type.kind) {
      case 'void':
        return ffi('c_void');
      case 'bool':
        return 'bool';
      case 'char':
        return ffi('c_char');
      case 'float':
        return `f${type.bits}`;
      case 'integer': {
        const name = FFI_INTEGERS[type.spelling];
        return name === undefined ? (POINTER_SIZED[type.spelling] ?? fixedInteger(type)) : ffi(name);
      }
      case 'array':
        return `[${write(type.element)}; ${type.length ?? 0}]`;
      case 'function':
        return functionType(type);
      case 'named':
        return rustIdentifier(type.name);
      case 'pointer':
        return pointer(type);
    }
  };
  const pointer = ({ pointee, const: constant }: CType & { readonly kind: 'pointer' }): string => {
    const callable = pointee.kind === 'function' || (pointee.kind === 'named' && isFunction(pointee.name));
    return callable ? `Option<${write(pointee)}>` : `*${constant ? 'const' : 'mut'} ${write(pointee)}`;
  };
  const functionType = ({ parameters, returns, variadic }: CType & { readonly kind: 'function' }): string => {
    const list = [...parameters.map(write), ...(variadic === true ? ['...'] : [])];
    return `unsafe extern "C" fn(${list.join(', ')})${returnType(returns, write)}`;
  };
  return { used, write };
}

function fixedInteger({ signed, bits }: CType & { readonly kind: 'integer' }): string {
  return `${signed ? 'i' : 'u'}${bits}`;
}

/** ` -> T`, or nothing for a function that returns nothing. */
export function returnType(type: CType, write: (type: CType) => string): string {
  return type.kind === 'void' ? '' : ` -> ${write(type)}`;
}

/** A C string literal of Rust. */
export function cStringLiteral(text: string): string {
  const escaped = [...text].map((char) => {
    if (char === '"' || char === '\\') return `\\${char}`;
    const code = char.codePointAt(0) ?? 0;
    return code >= 0x20 && code < 0x7f ? char : `\\u{${code.toString(16)}}`;
  });
  return `c"${escaped.join('')}"`;
}

/** A doc comment in rustdoc's form, each line with `indent` in front; empty when there is nothing to say. */
export function rustDocs(docs: Docs | null, indent: string): string {
  if (docs === null) return '';
  const parameters = Object.entries(docs.parameters).map(([name, text]) => `* \`${name}\`: ${markdown(text, '  ')}`);
  const sections = [
    markdown(docs.summary),
    docs.deprecated === null ? '' : `**Deprecated.** ${markdown(docs.deprecated)}`,
    markdown(docs.details),
    parameters.length === 0 ? '' : `# Arguments\n\n${parameters.join('\n')}`,
    docs.returns === '' ? '' : `# Returns\n\n${markdown(docs.returns)}`,
  ].filter((section) => section !== '');
  if (sections.length === 0) return '';
  const lines = sections.join('\n\n').split('\n');
  return lines.map((line) => `${indent}///${line === '' ? '' : ` ${line}`}\n`).join('');
}

/**
 * Header prose as Markdown that shows the same words: no indentation (it would make code blocks, which rustdoc runs as
 * tests), no links, tags or fences; code spans and lists stay. Characters that steer the display of text are removed.
 */
function markdown(text: string, continuation = ''): string {
  return plainText(text)
    .split('\n')
    .map((line) =>
      line
        .trim()
        .split(/(`[^`]+`)/)
        .map(escapeOutsideCode)
        .join(''),
    )
    .join(`\n${continuation}`);
}

function escapeOutsideCode(part: string, index: number): string {
  if (index % 2 === 1) return part;
  return part.replace(/[\\`*[\]<>#~|]/g, '\\$&');
}
