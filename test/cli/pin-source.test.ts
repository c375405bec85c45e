import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packTarball } from '../../pipeline/effects/archive.ts';
import { hashFile, listTree } from '../../pipeline/effects/files.ts';
import { parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const NAME = 'a3s-libkrun-sys';

let folder: ReturnType<typeof makeFolder>;
let at: (path: string) => string;
beforeEach(async () => {
  folder = makeFolder('pin-source');
  at = (path) => join(folder.path, path);
  writeFileSync(at('package.json'), '{"name":"project"}');
  mkdirSync(at('.cargo'));
  // A folder of crates in place of cargo's registry, set up as a mirror is.
  const config = '[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "registry"\n';
  writeFileSync(at('.cargo/config.toml'), config);
  const archive = await publish('1.0.0', '1.17.0');
  await writePins('1.0.0', archive);
});
afterEach(() => folder.remove());

const HEADER = '#include <stdint.h>\nint32_t krun_old(uint32_t id);\n';

/** Puts a crate that carries a source tree into the registry; `change` may leave parts out. */
async function publish(
  version: string,
  library: string,
  change: { header?: string; makefile?: string; archive?: boolean } = {},
): Promise<string> {
  const tree = at(`tree-${version}`);
  const makefile = change.makefile ?? `ABI_VERSION=1\nFULL_VERSION=${library}\n`;
  writeTree(tree, { 'include/libkrun.h': change.header ?? HEADER, Makefile: makefile });
  const crate = at(`registry/${NAME}-${version}`);
  mkdirSync(join(crate, 'src'), { recursive: true });
  mkdirSync(join(crate, 'vendor'));
  const manifest = `[package]\nname = "${NAME}"\nversion = "${version}"\nedition = "2021"\nlicense = "MIT"\n`;
  writeFileSync(join(crate, 'Cargo.toml'), manifest);
  writeFileSync(join(crate, 'src/lib.rs'), '');
  const checksum = version.replaceAll('.', '').padEnd(64, '0');
  writeFileSync(join(crate, '.cargo-checksum.json'), JSON.stringify({ files: {}, package: checksum }));
  const archive = join(crate, 'vendor/libkrun-source.tar');
  const entries = listTree(tree).map(({ path }) => ({
    path: `libkrun/${path}`,
    file: join(tree, path),
    mode: 0o644 as const,
  }));
  await packTarball(entries, archive, 0);
  if (change.archive === false) rmSync(archive);
  return archive;
}

async function writePins(version: string, archive: string): Promise<void> {
  const crate = at('vendor/source-crate');
  mkdirSync(join(crate, 'src'), { recursive: true });
  const manifest = readFileSync(join(REPOSITORY, 'vendor/source-crate/Cargo.toml'), 'utf8');
  writeFileSync(join(crate, 'Cargo.toml'), manifest.replace(/"=[^"]*"/, `"=${version}"`));
  writeFileSync(join(crate, 'src/lib.rs'), '// code\n');
  execFileSync('cargo', ['generate-lockfile', '--manifest-path', join(crate, 'Cargo.toml')], {
    cwd: folder.path,
    stdio: 'pipe',
  });
  const pins = JSON.parse(readFileSync(join(REPOSITORY, 'vendor/libkrun.json'), 'utf8'));
  pins.crate = { name: NAME, version, checksum: version.replaceAll('.', '').padEnd(64, '0') };
  Object.assign(pins.archive, { size: readFileSync(archive).length, sha256: await hashFile(archive) });
  writeFileSync(at('vendor/libkrun.json'), JSON.stringify(pins, null, 2));
}

const cli = (args: readonly string[]) =>
  runCli(args, { cwd: folder.path, env: { A3S_CACHE_DIR: at('store'), CARGO_HOME: at('cargo-home') } });
const pin = (version: string, ...more: string[]) => cli(['pin', 'source', version, ...more]);

const vendor = (): Record<string, string> =>
  Object.fromEntries(listTree(at('vendor')).map(({ path }) => [path, readFileSync(at(`vendor/${path}`), 'utf8')]));

it('writes pins, manifest and lock, and says what the new header means', async () => {
  const archive = await publish('1.1.0', '1.18.0', { header: `${HEADER}int32_t krun_new(uint32_t id);\n` });
  const result = await pin('1.1.0');
  expect(result).toMatchObject({ code: 0 });
  for (const line of [
    /^crate +a3s-libkrun-sys 1\.0\.0 → a3s-libkrun-sys 1\.1\.0$/m,
    /^libkrun +1\.17\.0 → 1\.18\.0$/m,
    /^ABI +1 · unchanged$/m,
    /^licence +Apache-2\.0 · unchanged$/m,
    /^\+ added +krun_new\(u32\) -> i32$/m,
    /^semver: minor$/m,
    /^note: the 2 reviewed exceptions/m,
  ]) {
    expect(result.stdout).toMatch(line);
  }
  const after = vendor();
  const pins = parseLibkrunPins(after['libkrun.json'] ?? '', 'pins');
  expect(pins).toMatchObject({
    crate: { name: NAME, version: '1.1.0', checksum: '110'.padEnd(64, '0') },
    archive: {
      member: 'vendor/libkrun-source.tar',
      size: readFileSync(archive).length,
      sha256: await hashFile(archive),
    },
    library: { version: '1.18.0', abi: 1 },
  });
  expect(after['source-crate/Cargo.toml']).toContain(`${NAME} = "=1.1.0"`);
  expect(after['source-crate/Cargo.lock']).toContain('110'.padEnd(64, '0'));

  // A build takes what was pinned, and changes none of it.
  const built = await cli(['--only', 'source']);
  expect(built).toMatchObject({ code: 0 });
  expect(built.stderr).toContain('a3s-libkrun-sys 1.1.0, verified');
  expect(vendor()).toEqual(after);
});

it('changes nothing for the version that is pinned, and writes nothing with --dry-run', async () => {
  const before = vendor();
  expect((await pin('1.0.0')).stderr).toContain('nothing to write');
  await publish('1.1.0', '1.18.0');
  expect(await pin('1.1.0', '--dry-run')).toMatchObject({ code: 0 });
  expect(vendor()).toEqual(before);
});

it('calls a removed function breaking', async () => {
  await publish('1.1.0', '1.18.0', { header: HEADER.replace('krun_old', 'krun_other') });
  const { stdout } = await pin('1.1.0', '--dry-run');
  expect(stdout).toMatch(/^- BREAKING removed +krun_old/m);
  expect(stdout).toMatch(/^semver: major$/m);
});

it('says that it could not compare where the pinned version is gone', async () => {
  await publish('1.1.0', '1.18.0');
  rmSync(at(`registry/${NAME}-1.0.0`), { recursive: true });
  const result = await pin('1.1.0', '--dry-run');
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(/^note: the interface was not compared: .*1\.0\.0/m);
});

describe('a version is refused, and nothing is written,', () => {
  let before: Record<string, string>;
  beforeEach(() => {
    before = vendor();
  });
  afterEach(() => {
    expect(vendor()).toEqual(before);
    expect(readdirSync(at('store/v1/tmp'))).toEqual([]);
  });

  it('when there is none', async () => {
    const result = await pin('2.0.0');
    expect(result).toMatchObject({ code: 69 });
    for (const text of ['A3S1611', `${NAME} 2.0.0`]) expect(result.stderr).toContain(text);
  });

  it('when it carries no source, or one without its version', async () => {
    await publish('1.1.0', '1.18.0', { archive: false });
    expect((await pin('1.1.0')).stderr).toContain('holds no vendor/libkrun-source.tar');
    await publish('1.2.0', '1.18.0', { makefile: 'ABI_VERSION=1\n' });
    const result = await pin('1.2.0');
    expect(result).toMatchObject({ code: 65 });
    for (const text of ['A3S1612', 'FULL_VERSION']) expect(result.stderr).toContain(text);
  });

  it('when its header cannot be parsed', async () => {
    await publish('1.1.0', '1.18.0', { header: 'int krun_broken(;\n' });
    expect((await pin('1.1.0')).stderr).toContain('A3S3002');
  });
});

it('refuses an older version before it asks anybody', async () => {
  const result = await pin('0.9.0');
  expect(result).toMatchObject({ code: 64 });
  expect(result.stderr).toContain('A3S1613');
});

it('says how to make pins and manifest agree again', async () => {
  const text = readFileSync(at('vendor/libkrun.json'), 'utf8');
  writeFileSync(at('vendor/libkrun.json'), text.replace('"version": "1.0.0"', '"version": "1.0.1"'));
  const result = await cli(['--only', 'source']);
  expect(result).toMatchObject({ code: 78 });
  for (const part of ['A3S1102', 'a3s-build pin source 1.0.1']) expect(result.stderr).toContain(part);
});
