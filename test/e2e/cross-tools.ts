import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

/** Folder that `ci/install-cross.sh` fills. */
const CROSS = process.env['A3S_CROSS'] ?? join(tmpdir(), 'a3s-cross');

/**
 * Variables with which the Rust toolchain for other targets is used, and zig found.
 * @throws Where the tools are not installed: what needs them must not pass unseen.
 */
export function crossVariables(): Record<string, string> {
  const bin = join(CROSS, 'bin');
  if (!existsSync(join(bin, 'rustc'))) throw new Error(`run ci/install-cross.sh: there is no ${join(bin, 'rustc')}`);
  return {
    PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
    CARGO: join(bin, 'cargo'),
    RUSTC: join(bin, 'rustc'),
  };
}

/** A folder, to be all of PATH, with every program that is on PATH now but those whose names match. */
export function pathWithout(folder: string, unwanted: RegExp): string {
  mkdirSync(folder, { recursive: true });
  for (const from of (process.env['PATH'] ?? '').split(delimiter).filter((entry) => existsSync(entry))) {
    for (const name of readdirSync(from)) {
      const link = join(folder, name);
      if (!unwanted.test(name) && !existsSync(link)) trySymlink(join(from, name), link);
    }
  }
  return folder;
}

function trySymlink(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    throw new Error(`${basename(link)} cannot be linked: ${(error as Error).message}`);
  }
}
