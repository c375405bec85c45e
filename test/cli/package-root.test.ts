import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';
import { flipBit, packSet, setPins } from '../package/make-set.ts';
import { madeLock } from '../package/step-context.ts';

const ROOT = 'acme-libkrun-1.2.3.tgz';
const ARM64 = 'acme-libkrun-linux-arm64-gnu-1.2.3.tgz';

const folder = makeFolder('package-root');
const at = (...path: string[]) => join(folder.path, ...path);
/** The platforms' tarballs, as the jobs of three machines hand them on. */
const platforms = at('platforms');

beforeAll(async () => {
  mkdirSync(platforms);
  await packSet(platforms, ['linux-x64', 'linux-arm64', 'darwin-arm64']);
  rmSync(join(platforms, ROOT));
  const name = { name: '@acme/libkrun', version: '1.2.3' };
  writeFileSync(at('package.json'), JSON.stringify({ name: 'project', 'a3s-build': { package: name } }));
  writeTree(at('vendor/libkrun'));
  mkdirSync(at('generated'));
  writeFileSync(at('generated/abi.json'), madeLock(['krun_create_ctx', 'krun_free_ctx']));
  writeFileSync(at('vendor/libkrunfw.json'), await setPins());
}, 60_000);
afterAll(() => folder.remove());

const cli = (...args: string[]): Promise<CliResult> =>
  runCli(args, { cwd: folder.path, env: { A3S_CACHE_DIR: at('store') } });

function copyOf(name: string): string {
  cpSync(platforms, at(name), { recursive: true });
  return name;
}

describe('package --root --from', () => {
  it('makes a root package that names exactly the platforms in the folder, and verifies with them', async () => {
    const packages = copyOf('packages');
    const made = await cli('package', '--root', '--from', packages, '--out', packages);
    expect(made).toMatchObject({ code: 0 });
    const integrity = /sha512-\S+/.exec(made.stdout)?.[0] ?? '';
    expect(await cli('verify', packages, '--expect', integrity)).toMatchObject({ code: 0 });
    const first = readFileSync(at(packages, ROOT));
    // Once more, with the root package of before beside them.
    expect(await cli('package', '--root', '--from', packages, '--out', packages)).toMatchObject({ code: 0 });
    expect(readFileSync(at(packages, ROOT)).equals(first)).toBe(true);

    rmSync(at(packages, ARM64));
    expect(await cli('verify', packages)).toMatchObject({ code: 2, stderr: expect.stringContaining('missing: ') });
    expect(await cli('package', '--root', '--from', packages, '--out', packages)).toMatchObject({ code: 0 });
    expect(await cli('verify', packages)).toMatchObject({ code: 0 });
  });

  it('puts it where packages are put, unless told otherwise', async () => {
    expect(await cli('package', '--root', '--from', copyOf('elsewhere'))).toMatchObject({ code: 0 });
    expect(readdirSync(at('build/npm'))).toEqual([ROOT]);
    expect(readdirSync(at('elsewhere'))).not.toContain(ROOT);
  });

  it('refuses a damaged package, and makes none', async () => {
    const packages = copyOf('damaged');
    await flipBit(at(packages, ARM64));
    const result = await cli('package', '--root', '--from', packages, '--out', packages);
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('A3S4002');
    expect(readdirSync(at(packages))).not.toContain(ROOT);
  });

  it('refuses packages of another project or version', async () => {
    const packages = copyOf('other');
    await packSet(at(packages), ['linux-x64'], { version: '1.2.4' });
    for (const name of [ROOT.replace('1.2.3', '1.2.4'), 'acme-libkrun-linux-x64-gnu-1.2.3.tgz']) {
      rmSync(at(packages, name));
    }
    const result = await cli('package', '--root', '--from', packages, '--out', packages);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(
      /name: it is @acme\/libkrun-linux-x64-gnu 1\.2\.4; this project's would be .* 1\.2\.3/,
    );
  });

  it.each([
    ['a folder without packages', 'A3S4005', ['--root', '--from', 'vendor']],
    ['no folder', 'A3S1001', ['--root']],
    ['a folder for what is not the root', 'A3S1001', ['--from', 'platforms']],
  ])('exits 64 for %s', async (_name, code, args) => {
    const result = await cli('package', ...args);
    expect(result.code).toBe(64);
    expect(result.stderr).toContain(code);
  });
});
