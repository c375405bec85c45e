import type { CType, FunctionItem } from './ir.ts';
import { LINE_WIDTH, returnType, rustIdentifier } from './rust-text.ts';

/** How a function is declared or defined. */
export interface FunctionForm {
  /** What stands before the name, indentation included: `    pub fn`. */
  readonly lead: string;
  /** What stands after the return type: `;`, or ` {`. */
  readonly end: string;
  /** The Rust name of a parameter; its C name where none is given. */
  readonly parameterName?: (name: string) => string;
}

/** The line, or lines, up to the body of a function, as rustfmt would break them. */
export function functionHead(item: FunctionItem, write: (type: CType) => string, form: FunctionForm): string {
  const nameOf = form.parameterName ?? rustIdentifier;
  const indent = /^ */.exec(form.lead)?.[0] ?? '';
  const parameters = item.parameters.map(({ name, type }) => `${nameOf(name)}: ${write(type)}`);
  if (item.variadic) parameters.push('...');
  const head = `${form.lead} ${rustIdentifier(item.name)}(`;
  const tail = `)${returnType(item.returns, write)}${form.end}\n`;
  const line = `${head}${parameters.join(', ')}${tail}`;
  if (line.length <= LINE_WIDTH + 1) return line;
  const list = parameters.map((parameter) => `${indent}    ${parameter}`).join(',\n');
  return `${head}\n${list}${item.variadic ? '' : ','}\n${indent}${tail}`;
}

/** `use` lines for the names of `core::ffi` that were written. */
export function ffiImports(used: ReadonlySet<string>): string {
  if (used.size === 0) return '';
  const names = [...used].toSorted();
  if (names.length === 1) return `use core::ffi::${names[0]};\n`;
  const line = `use core::ffi::{${names.join(', ')}};\n`;
  return line.length <= LINE_WIDTH ? line : `use core::ffi::{\n${fill(names)}};\n`;
}

/** Words with commas, as many to a line as fit. */
function fill(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    const longer = `${last} ${word},`;
    if (last === undefined || longer.length > LINE_WIDTH) lines.push(`    ${word},`);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => `${line}\n`).join('');
}
