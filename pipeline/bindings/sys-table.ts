import type { CType, FunctionItem, HeaderIr } from './ir.ts';
import { cStringLiteral, LINE_WIDTH, returnType, rustIdentifier } from './rust-text.ts';

/**
 * The headers' functions as a table that is filled at run time, from a library that may lack some of them: linking
 * against one missing symbol would make the whole program unloadable. Empty when there are no functions.
 */
export function functionTable(ir: HeaderIr, write: (type: CType) => string): string {
  const functions = ir.items.filter((item) => item.kind === 'function');
  if (functions.length === 0) return '';
  const table = tableName(ir);
  const fields = functions.map((item) => tableField(item, write)).join('');
  const loads = functions.map(({ name }) => tableEntry(name)).join('');
  return `/// The functions of a library that is opened at run time; \`None\` for those that it does not export.
#[derive(Clone, Copy)]
pub struct ${table} {
${fields}}

impl ${table} {
    /// Looks every function up by its name.
    ///
    /// # Safety
    ///
    /// What \`resolve\` returns must be the C function of that name, as declared in the header, and must stay loaded
    /// for as long as the table or a copy of it is used.
    pub unsafe fn load(
        mut resolve: impl FnMut(&core::ffi::CStr) -> Option<core::ptr::NonNull<core::ffi::c_void>>,
    ) -> Self {
        unsafe fn typed<F: Copy>(symbol: core::ptr::NonNull<core::ffi::c_void>) -> F {
            const { assert!(size_of::<F>() == size_of::<*const ()>()) };
            unsafe { core::mem::transmute_copy(&symbol) }
        }
        Self {
${loads}        }
    }
}
`;
}

/** Name of the table's type: one that no type of the headers has. */
export function tableName({ items }: HeaderIr): string {
  return items.some(({ name }) => name === 'Functions') ? 'FunctionTable' : 'Functions';
}

function tableField({ name, parameters, variadic, returns }: FunctionItem, write: (type: CType) => string): string {
  const types = [...parameters.map(({ type }) => write(type)), ...(variadic ? ['...'] : [])];
  const tail = `)${returnType(returns, write)}`;
  const field = `    pub ${rustIdentifier(name)}: Option<`;
  const line = `${field}unsafe extern "C" fn(${types.join(', ')}${tail}>,\n`;
  if (fits(line)) return line;
  const next = `        Option<unsafe extern "C" fn(${types.join(', ')}${tail}>,\n`;
  if (fits(next)) return `    pub ${rustIdentifier(name)}:\n${next}`;
  const inner = `        unsafe extern "C" fn(${types.join(', ')}${tail},\n`;
  if (fits(inner)) return `${field}\n${inner}    >,\n`;
  const comma = variadic ? '' : ',';
  const list = types.map((type) => `            ${type}`).join(',\n');
  return `${field}\n        unsafe extern "C" fn(\n${list}${comma}\n        ${tail},\n    >,\n`;
}

function tableEntry(name: string): string {
  const resolve = `            ${rustIdentifier(name)}: resolve(`;
  const symbol = cStringLiteral(name);
  const typed = '.map(|symbol| unsafe { typed(symbol) }),\n';
  const line = `${resolve}${symbol})${typed}`;
  if (fits(line)) return line;
  const first = `${resolve}${symbol})\n`;
  if (fits(first)) return `${first}                ${typed}`;
  return `${resolve}\n                ${symbol},\n            )\n            ${typed}`;
}

function fits(line: string): boolean {
  return line.length <= LINE_WIDTH + 1;
}
