import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type HeaderFile, unitRequest } from '../../pipeline/bindings/libclang/request.ts';
import type { Target } from '../../pipeline/plan/targets.ts';

/** Where ci/install-bindgen.sh puts it. */
const BINDGEN = join(process.env['A3S_BINDGEN'] ?? join(tmpdir(), 'a3s-bindgen'), 'bin/bindgen');
/** One of the versions that ci/install-libclang.sh installs: both sides are to read with the same one. */
const LIBCLANG = '/usr/lib/llvm-19/lib';

/** The bindings that rust-bindgen makes of headers, given the very files and arguments that our own parser gets. */
export function runBindgen(target: Target, headers: readonly HeaderFile[]): string {
  if (!existsSync(BINDGEN)) throw new Error(`${BINDGEN} is missing: run ci/install-bindgen.sh`);
  const folder = mkdtempSync(join(tmpdir(), 'a3s-bindgen-'));
  try {
    const { files, arguments: given } = unitRequest(target, headers);
    for (const { path, content } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const main = join(folder, 'main.h');
    writeFileSync(main, headers.map(({ name }) => `#include "${name}"\n`).join(''));
    const options = ['--no-doc-comments', '--no-prepend-enum-name', '--rust-edition', '2021'];
    const own = ['--allowlist-file', `${folder}/src/.*`];
    const moved = given.map((argument) => argument.replace(/^(-I|)(\/(?:src|standard))$/, `$1${folder}$2`));
    return execFileSync(BINDGEN, [...options, ...own, main, '--', ...moved], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LIBCLANG_PATH: LIBCLANG },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
