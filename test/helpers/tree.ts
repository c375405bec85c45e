import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A source tree shaped like libkrun's, small enough to be compiled in a second. */
export function writeTree(folder: string, changes: Readonly<Record<string, string>> = {}): void {
  for (const [path, text] of Object.entries({ ...FILES, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const FILES: Readonly<Record<string, string>> = {
  'Cargo.toml': '[workspace]\nmembers = ["src/libkrun"]\nresolver = "2"\n',
  'Cargo.lock': 'version = 4\n\n[[package]]\nname = "libkrun"\nversion = "1.17.5"\n',
  LICENSE: 'licence\n',
  'init/init.c': 'int main(void) { return 0; }\n',
  'include/libkrun.h': [
    '#include <stdint.h>',
    '/**',
    ' * Creates a context.',
    ' *',
    ' * Returns:',
    ' *  The context ID on success or a negative error number on failure.',
    ' */',
    'int32_t krun_create_ctx(void);',
    '',
  ].join('\n'),
  'src/libkrun/Cargo.toml': [
    '[package]',
    'name = "libkrun"',
    'version = "1.17.5"',
    'edition = "2021"',
    '[features]',
    'net = []',
    'blk = []',
    '[lib]',
    'name = "krun"',
    'crate-type = ["cdylib"]',
    '',
  ].join('\n'),
  'src/libkrun/build.rs': 'fn main() { println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkrun.so.1"); }\n',
  'src/libkrun/src/lib.rs': [
    'static INIT: &[u8] = include_bytes!("../../../init/init");',
    '#[no_mangle]',
    'pub extern "C" fn krun_create_ctx() -> i32 {',
    '    INIT.len() as i32',
    '}',
    '',
  ].join('\n'),
};
