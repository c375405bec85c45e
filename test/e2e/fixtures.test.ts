import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { generateTypeDef } from '@napi-rs/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitDts } from '../../pipeline/bindings/emit-dts.ts';
import { emitNapi } from '../../pipeline/bindings/emit-napi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import type { EmittedFile, HeaderIr } from '../../pipeline/bindings/ir.ts';
import { compareDeclarations } from '../bindings/compare-declarations.ts';
import { HEADER_NAMES, parseFixtureHeaders } from '../helpers/fixture-headers.ts';
import { REPOSITORY } from '../helpers/session.ts';

const run = promisify(execFile);

let folder = '';
let irs: ReadonlyMap<string, HeaderIr> = new Map();
const crateOf = (name: string): string => `krun-napi-${name}`;
const irOf = (name: string): HeaderIr => irs.get(name) ?? expect.unreachable(`${name}.h was not parsed`);

/** One workspace of the crates emitted for all headers: what they depend on is compiled once. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'a3s-fixtures-'));
  irs = await parseFixtureHeaders();
  const lock = await readFile(join(REPOSITORY, 'native/Cargo.lock'), 'utf8');
  for (const name of HEADER_NAMES) {
    const ir = irOf(name);
    const { files } = emitNapi(ir, { docs: true, runtimePath: join(REPOSITORY, 'native/node'), lock });
    await writeAll(join(folder, name), [emitSys(ir, { docs: true }), ...files.map((file) => asMember(name, file))]);
  }
  const members = HEADER_NAMES.map((name) => `${name}/napi`);
  await writeFile(join(folder, 'Cargo.toml'), `[workspace]\nresolver = "2"\nmembers = ${JSON.stringify(members)}\n`);
  await writeFile(join(folder, 'Cargo.lock'), lock);
  await mkdir(join(folder, 'types'));
  const env = { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: join(folder, 'types'), RUSTFLAGS: '-D warnings' };
  const target = ['--target-dir', join(folder, 'target')];
  await run('cargo', ['build', '--workspace', '--features', 'type-def', ...target], { cwd: folder, env });
}, 600_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeAll(root: string, files: readonly EmittedFile[]): Promise<void> {
  for (const { path, content } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** The emitted crate is a workspace of its own; here it is one of many, under a name of its own. */
function asMember(name: string, file: EmittedFile): EmittedFile {
  if (file.path !== 'napi/Cargo.toml') return file;
  const [own = '', workspace] = file.content.split('# A workspace of its own');
  expect(workspace).toContain('[workspace]');
  return { ...file, content: own.replace('name = "krun-napi"', `name = "${crateOf(name)}"`) };
}

describe.each(HEADER_NAMES)('the declarations for %s', (name) => {
  it('pass the strict compiler and mean what the napi tool derives from the compiled Rust', async () => {
    const typeDefDir = join(folder, name, 'types');
    await mkdir(typeDefDir);
    await cp(join(folder, 'types', crateOf(name)), join(typeDefDir, crateOf(name)));
    const { dts } = await generateTypeDef({ typeDefDir, cwd: folder, noDtsHeader: true });
    const ours = await emitDts(irOf(name), { docs: true });
    expect(dts).toContain('loadLibrary');
    expect(compareDeclarations(ours.content, dts)).toEqual({ differ: [], errors: [] });
  });
});

it('the raw bindings of all headers need no newer Rust than the crates state', async () => {
  const crate = join(folder, 'sys');
  const manifest = await readFile(join(REPOSITORY, 'native/Cargo.toml'), 'utf8');
  const version = /^rust-version = "[\d.]+"$/m.exec(manifest)?.[0] ?? expect.unreachable('no rust-version');
  const modules = HEADER_NAMES.map((name, index) => `#[path = "../../${name}/sys.rs"]\npub mod module_${index};\n`);
  await writeAll(crate, [
    {
      path: 'Cargo.toml',
      content: `[package]\nname = "sys"\nversion = "0.0.0"\nedition = "2021"\n${version}\n[workspace]\n`,
    },
    { path: 'src/lib.rs', content: modules.join('') },
  ]);
  const lints = ['-D', 'warnings', '-A', 'clippy::all', '-D', 'clippy::incompatible_msrv'];
  await run('cargo', ['clippy', '--target-dir', join(folder, 'target'), '--', ...lints], { cwd: crate });
});

describe('an addon and a library made for it', () => {
  type Addon = Readonly<Record<string, (...values: unknown[]) => unknown>>;

  /** The compiled addon of a header, with the test's library loaded. */
  async function open(name: string): Promise<Addon> {
    const library = join(folder, 'lib');
    await mkdir(library, { recursive: true });
    const source = join(REPOSITORY, 'test/fixtures/behaviour/library.c');
    await run('cc', ['-shared', '-fPIC', '-o', join(library, 'libkrun.so.1'), source]);
    await run('cc', ['-shared', '-o', join(library, 'libkrunfw.so.5'), '-x', 'c', '/dev/null']);
    const file = join(folder, `${name}.node`);
    await cp(join(folder, 'target/debug', `lib${crateOf(name).replaceAll('-', '_')}.so`), file);
    const addon: Addon = createRequire(import.meta.url)(file);
    addon['loadLibrary']?.(library);
    return addon;
  }

  it('return what C writes through pointers, and throw what it returns', async () => {
    const { outOpen, outLook, outCount, outBytes, outPlace } = await open('out-parameters');
    expect(outOpen?.('here')).toBe(2 ** 32 - 1);
    expect(() => outOpen?.('missing')).toThrowError(expect.objectContaining({ code: 'ENOENT', syscall: 'out_open' }));
    expect(outLook?.(1)).toEqual({ type: 4, size: 2n ** 64n - 1n, age: -(2n ** 63n), ready: true, ratio: 0.5 });
    expect(() => outLook?.(0)).toThrowError(expect.objectContaining({ code: 'EINVAL', errno: -22 }));
    expect(outCount?.()).toEqual({ result: 7, rest: 65_535 });
    expect(outBytes?.()).toEqual(Uint8Array.of(1, 0, 255));
    expect(() => outPlace?.()).toThrowError(expect.objectContaining({ code: 'ENOSYS', syscall: 'out_place' }));
  });

  it('hand typed arrays over with their length, and refuse others', async () => {
    const { bufferSum16, bufferSum64, bufferMean, bufferLargest, bufferHash } = await open('typed-buffers');
    expect(bufferSum16?.(Uint16Array.of(65_535, 1))).toBe(65_536n);
    expect(bufferSum16?.(new Uint16Array(0))).toBe(0n);
    expect(bufferSum16?.(new Uint16Array(255).fill(2))).toBe(510n);
    // A uint8_t counts them.
    const invalid = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(() => bufferSum16?.(new Uint16Array(256))).toThrowError(invalid);
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    for (const value of [new Uint8Array(2), new Int16Array(2), [1, 2], null]) {
      expect(() => bufferSum16?.(value)).toThrowError(wrong);
    }
    expect(bufferSum64?.(BigInt64Array.of(5n, -2n))).toBe(3n);
    expect(bufferSum64?.(null)).toBe(4096n);
    expect(bufferMean?.(Float64Array.of(1, 2))).toBe(1.5);
    expect(bufferLargest?.(BigUint64Array.of(1n, 2n ** 64n - 1n))).toBe(2n ** 64n - 1n);
    expect(bufferHash?.(new TextEncoder().encode('foobar'))).toBe(0xbf9cf968);
  });
});
