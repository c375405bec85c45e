import { BANNER, typeWriterFor } from './emit-sys.ts';
import type { FunctionItem, HeaderIr, Skipped } from './ir.ts';
import { ffiImports, functionHead } from './rust-functions.ts';
import type { RustPart } from './rust-targets.ts';
import { cStringLiteral, LINE_WIDTH, returnType, rustDocs, rustIdentifier } from './rust-text.ts';

const HEADER = `//
// Functions that the headers declare and the library was built without. A program that links with one of them cannot be
// loaded, so each is looked up when it is called, and gives -ENOSYS where there is none. To be included beside
// \`pub use bindings::*\`: what is defined here goes before the declarations of sys.rs.
`;

const LOOK_UP = `
/// Looks in everything that the process has loaded; libkrun is, since the program is linked with it.
mod look_up {
    use core::ffi::{c_char, c_void};
    use core::ptr::NonNull;

    const APPLE: bool = cfg!(target_vendor = "apple");

    /// What the C library calls RTLD_DEFAULT.
    const EVERYWHERE: *mut c_void = core::ptr::without_provenance_mut(if APPLE { usize::MAX - 1 } else { 0 });

    pub const ENOSYS: i32 = if APPLE { 78 } else { 38 };

    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
    }

    pub fn symbol(name: &core::ffi::CStr) -> Option<NonNull<c_void>> {
        NonNull::new(unsafe { dlsym(EVERYWHERE, name.as_ptr()) })
    }
}
`;

/**
 * Writes a Rust definition for every function of the headers that the library does not export.
 * @param options `missing`: the names of those functions; one that the headers do not declare is nobody's business here.
 */
export function emitMissing(
  ir: HeaderIr,
  options: { readonly docs: boolean; readonly missing: readonly string[] },
): RustPart {
  const types = typeWriterFor(ir);
  const missing = new Set(options.missing);
  const absent = ir.items.filter((item) => item.kind === 'function').filter(({ name }) => missing.has(name));
  const bodies = absent.filter(canSayNo).map((item) => lookedUp(item));
  const parts = [BANNER + HEADER, ffiImports(types.used), ...bodies].filter((part) => part !== '');
  const content = parts.join('\n') + (bodies.length === 0 ? '' : LOOK_UP);
  return {
    file: { path: 'missing.rs', content },
    skipped: absent.filter((item) => !canSayNo(item)).map(notDefined),
    defines: absent.filter(canSayNo).map(({ name }) => rustIdentifier(name)),
  };

  function lookedUp(item: FunctionItem): string {
    const docs = options.docs ? rustDocs(item.docs, '') : '';
    const head = functionHead(item, types.write, { lead: 'pub unsafe extern "C" fn', end: ' {' });
    const list = item.parameters.map(({ type }) => types.write(type));
    const names = item.parameters.map(({ name }) => rustIdentifier(name));
    return [
      `${docs}${head}`,
      functionType(list, returnType(item.returns, types.write)),
      `    let Some(symbol) = look_up::symbol(${cStringLiteral(item.name)}) else {\n`,
      '        return -look_up::ENOSYS;\n',
      '    };\n',
      '    let function: Function = unsafe { core::mem::transmute(symbol) };\n',
      call(names),
      '}\n',
    ].join('');
  }
}

function functionType(types: readonly string[], returns: string): string {
  const lead = '    type Function = unsafe extern "C" fn(';
  const line = `${lead}${types.join(', ')})${returns};\n`;
  if (line.length <= LINE_WIDTH + 1) return line;
  return `${lead}\n${types.map((type) => `        ${type},\n`).join('')}    )${returns};\n`;
}

function call(names: readonly string[]): string {
  const line = `    unsafe { function(${names.join(', ')}) }\n`;
  // rustfmt sets a call with longer arguments than this in lines of its own.
  if (names.join(', ').length <= (LINE_WIDTH * 6) / 10) return line;
  return `    unsafe {\n        function(\n${names.map((name) => `            ${name},\n`).join('')}        )\n    }\n`;
}

/** A negative errno has a place only in a plain integer. */
function canSayNo({ returns, variadic }: FunctionItem): boolean {
  return !variadic && returns.kind === 'integer' && returns.signed && returns.bits === 32;
}

function notDefined({ name, place }: FunctionItem): Skipped {
  return { name, place, output: 'rust', reason: 'not exported by the library, and it could not return -ENOSYS' };
}
