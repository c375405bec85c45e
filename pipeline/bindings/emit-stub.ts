import { BANNER, typeWriterFor } from './emit-sys.ts';
import type { FunctionItem, HeaderIr, Skipped } from './ir.ts';
import { ffiImports, functionHead } from './rust-functions.ts';
import type { RustPart } from './rust-targets.ts';
import { rustDocs, rustIdentifier } from './rust-text.ts';

const HEADER = `//
// Stands in for the library: every function panics, naming itself. Unwinding is allowed, so that a test can expect the
// panic. To be included beside \`pub use bindings::*\`: what is defined here goes before the declarations of sys.rs.
`;

const CALLED = `
#[cold]
#[inline(never)]
fn called_in_stub_mode(function: &str) -> ! {
    panic!("{function} was called, but this program was built with A3S_DEPS_STUB and holds no libkrun")
}
`;

/** Writes a Rust function that panics for every function of the headers; none of them needs anything to link with. */
export function emitStub(ir: HeaderIr, options: { readonly docs: boolean }): RustPart {
  const types = typeWriterFor(ir);
  const functions = ir.items.filter((item) => item.kind === 'function');
  const stubbed = functions.filter(({ variadic }) => !variadic);
  const bodies = stubbed.map((item) => panicking(item));
  const parts = [BANNER + HEADER, ffiImports(types.used), ...bodies].filter((part) => part !== '');
  const content = parts.join('\n') + (bodies.length === 0 ? '' : CALLED);
  return {
    file: { path: 'stub.rs', content },
    skipped: functions.filter(({ variadic }) => variadic).map(notStubbed),
    defines: stubbed.map(({ name }) => rustIdentifier(name)),
  };

  function panicking(item: FunctionItem): string {
    const lead = 'pub unsafe extern "C-unwind" fn';
    const head = functionHead(item, types.write, { lead, end: ' {', parameterName: unusedName });
    const docs = options.docs ? rustDocs(item.docs, '') : '';
    return `${docs}${head}    called_in_stub_mode("${item.name}")\n}\n`;
  }
}

/** Rust warns of parameters that are not used unless their names say so. */
function unusedName(name: string): string {
  return `_${rustIdentifier(name).replace(/^r#/, '')}`;
}

function notStubbed({ name, place }: FunctionItem): Skipped {
  return { name, place, output: 'rust', reason: 'not in stub mode: Rust cannot define a function with open arguments' };
}
