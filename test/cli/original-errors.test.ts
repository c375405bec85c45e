import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installHint } from '../../pipeline/effects/toolchain.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFirmware, startServer, writeProject } from '../helpers/firmware.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

// The four errors that users of the build script before this one met: each still has a message, a cause and a fix for
// the system at hand where it cannot be helped, and is avoided where it can.
let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('original-errors');
  writeFileSync(join(folder.path, 'package.json'), '{"name":"project"}');
});
afterEach(() => folder.remove());

const cli = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(['--reporter', 'plain', ...args], {
    cwd: folder.path,
    env: { A3S_CACHE_DIR: join(folder.path, 'store'), ...env },
  });
const tree = (): void => writeTree(join(folder.path, 'vendor/libkrun'));
/** This system's own line, such as `sudo apt-get install lld`. */
const install = (tool: 'lld' | 'libclang'): string => installHint([tool]).join('; ');

describe('lld that is not installed', () => {
  /** A PATH with the programs that the build needs, and no lld. */
  function pathWithoutLld(more: Readonly<Record<string, string>> = {}): string {
    const bin = join(folder.path, 'bin');
    mkdirSync(bin);
    for (const name of ['cargo', 'rustc', 'cc', 'as', 'ld', 'sh']) {
      const found = (process.env['PATH'] ?? '').split(delimiter).find((entry) => existsSync(join(entry, name)));
      if (found !== undefined && !(name in more)) symlinkSync(join(found, name), join(bin, name));
    }
    for (const [name, text] of Object.entries(more)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }

  it('is not needed', async () => {
    tree();
    expect(await cli(['--only', 'init'], { PATH: pathWithoutLld() })).toMatchObject({ code: 0 });
  });

  it('is taken from the Rust toolchain where the compiler is told to link with it', async () => {
    tree();
    const result = await cli(['--only', 'init'], { PATH: pathWithoutLld(), CC_LINUX: 'cc -fuse-ld=lld' });
    expect(result.stderr).toContain('static x86_64 executable');
    expect(result.code).toBe(0);
  });

  it("is named, with this system's install line, where the toolchain has none either", async () => {
    tree();
    const PATH = pathWithoutLld({ rustc: 'case "$1" in --print) echo /nowhere;; *) echo release: 1.90.0;; esac' });
    const result = await cli(['--only', 'init'], { PATH, CC_LINUX: 'cc -fuse-ld=lld' });
    expect(result.code).toBe(1);
    for (const text of ['A3S1203', 'told to link with lld', install('lld'), 'CC_LINUX']) {
      expect(result.stderr).toContain(text);
    }
  });

  it('is known by the words of clang as well', async () => {
    tree();
    const words = 'echo "clang: error: invalid linker name in argument \'-fuse-ld=lld\'" >&2; exit 1';
    const clang = `case "$*" in *--version) echo clang 16;; *-print-file-name=*) echo /bin/sh;; *) ${words};; esac`;
    const PATH = pathWithoutLld({ clang, rustc: 'echo /nowhere' });
    const result = await cli(['--only', 'init'], { PATH, CC_LINUX: 'clang -fuse-ld=lld' });
    for (const text of ['A3S1203', "invalid linker name in argument '-fuse-ld=lld'", install('lld')]) {
      expect(result.stderr).toContain(text);
    }
  });
});

describe('libclang that is not there', () => {
  it("is named, with this system's install line and the embedded one, where LIBCLANG_PATH asks for it", async () => {
    tree();
    const result = await cli(['--only', 'bindings'], { LIBCLANG_PATH: join(folder.path, 'no-llvm') });
    expect(result.code).toBe(72);
    for (const text of ['A3S3004', 'no-llvm', install('libclang'), 'llvm-config --libdir', 'embedded']) {
      expect(result.stderr).toContain(text);
    }
  });
});

describe('vendored sources that were not fetched', () => {
  it('are named, with the submodule command; without the empty folder the pinned crate is taken', async () => {
    mkdirSync(join(folder.path, 'vendor/libkrun'), { recursive: true });
    const result = await cli([]);
    expect(result.code).toBe(78);
    for (const text of ['A3S1301', 'is empty', 'git submodule update --init --recursive', 'pinned crate']) {
      expect(result.stderr).toContain(text);
    }
    const other = makeFolder('original-errors-other');
    const plan = await runCli(['plan', '--json'], {
      cwd: other.path,
      env: { A3S_CACHE_DIR: join(other.path, 'store') },
    });
    other.remove();
    const source = JSON.parse(plan.stdout).steps.find(({ id }: { id: string }) => id === 'source');
    expect(source.inputs).toContain('pin');
  });
});

describe('libkrunfw that cannot be downloaded', () => {
  it("names the other provider, the mirror and the offline option when GitHub's limit is reached", async () => {
    const server = await startServer((_request, response) => response.writeHead(403).end('rate limit exceeded'));
    writeProject(folder.path, await makeFirmware(join(folder.path, 'made')));
    const github = await cli(['--only', 'firmware', '--firmware', 'github'], { A3S_GITHUB_MIRROR: server.url });
    await server.close();
    expect(github.code).toBe(69);
    for (const text of ['A3S2005', 'libkrunfw', '403', 'A3S_GITHUB_MIRROR', '--firmware npm']) {
      expect(github.stderr).toContain(text);
    }
  });
});

it('maps the messages of the original to our codes in the README', () => {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const rows = [
    ["invalid linker name in argument '-fuse-ld=lld'", 'A3S1203'],
    ['Unable to find libclang', 'A3S3004'],
    ['Vendored sources not found', 'A3S1301'],
    ['Failed to download libkrunfw', 'A3S2002'],
  ];
  for (const [message, code] of rows) expect(readme).toMatch(new RegExp(`^\\| \`${message}\` \\| ${code}`, 'm'));
});
