import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Compiler {
  /** Compiles one C file and returns the bytes of the result. */
  compile(source: string, flags: readonly string[]): Buffer;
  /** Writes an input file of the linker and returns its path. */
  write(name: string, text: string): string;
  remove(): void;
}

/** Runs the system's C compiler in a fresh folder; the caller removes it. */
export function createCompiler(): Compiler {
  const folder = mkdtempSync(join(tmpdir(), 'elf-test-'));
  let runs = 0;
  return {
    compile: (source, flags) => {
      runs += 1;
      const input = join(folder, `${runs}.c`);
      const output = join(folder, `${runs}.out`);
      writeFileSync(input, source);
      execFileSync('cc', ['-O1', ...flags, '-o', output, input], { stdio: ['ignore', 'ignore', 'pipe'] });
      return readFileSync(output);
    },
    write: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
