import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Compiles files as modules of one crate, warnings denied; rustc then also compares what they declare twice.
 * @throws Error with rustc's messages.
 */
export function compileAsOneCrate(files: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'a3s-crate-'));
  try {
    const modules = files.map((file, index) => `#[path = ${JSON.stringify(file)}]\npub mod module_${index};\n`);
    writeFileSync(join(folder, 'lib.rs'), modules.join(''));
    const crate = ['--edition', '2021', '--crate-name', 'sys', '--crate-type', 'lib', '-D', 'warnings'];
    const output = ['--emit=metadata', '--out-dir', folder, join(folder, 'lib.rs')];
    execFileSync('rustc', [...crate, ...output], { stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
