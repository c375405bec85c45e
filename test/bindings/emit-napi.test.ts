import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emitNapi, NAPI_CRATE, napiManifest } from '../../pipeline/bindings/emit-napi.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { closureLock } from '../../pipeline/bindings/napi-lock.ts';
import { rustString } from '../../pipeline/bindings/napi-model.ts';

const fixture = (name: string): URL => new URL(`../fixtures/napi/${name}`, import.meta.url);
const ir: HeaderIr = JSON.parse(readFileSync(fixture('sample.ir.json'), 'utf8'));
const lock = readFileSync(fixture('workspace.lock'), 'utf8');
const options = { runtimePath: '../../native/node', lock };

describe('the emitted crate', () => {
  it.each([
    ['plain', false],
    ['docs', true],
  ])('equals its golden files (%s)', async (name, docs) => {
    const { files } = emitNapi(ir, { ...options, docs });
    expect(files.map(({ path }) => path)).toEqual([
      'napi/Cargo.lock',
      'napi/Cargo.toml',
      'napi/build.rs',
      'napi/src/constants.rs',
      'napi/src/functions.rs',
      'napi/src/lib.rs',
    ]);
    for (const file of files) {
      await expect(file.content).toMatchFileSnapshot(fixture(`expected/${name}/${file.path}`).pathname);
    }
  });

  it('can be told to find its runtime inside its own folder', () => {
    const { content } = napiManifest({ runtimePath: 'native/node', lock });
    expect(content).toContain('krun-node = { path = "native/node" }');
    expect(content).toContain('exclude = ["native"]');
    expect(content).toContain('napi = { version = "=3.5.0"');
  });

  it('holds none of the prose of the header when docs are off', () => {
    const text = emitNapi(ir, { ...options, docs: false }).files.map(({ content }) => content);
    expect(text.join('')).not.toMatch(/Makes a context|Closes|Second paragraph/);
  });

  it('takes no integer without a check', () => {
    const { files } = emitNapi(ir, { ...options, docs: false });
    const functions = files.find(({ path }) => path.endsWith('functions.rs'))?.content ?? '';
    const signatures = functions.match(/^pub fn .*$/gm) ?? [];
    expect(signatures.length).toBeGreaterThan(10);
    for (const signature of signatures) expect(signature).toMatch(/\(node: Env(, \w+: Argument)*\) -> Result<.*> \{$/);
  });

  it('never lets a comment of the header begin a line of its own', () => {
    const { files } = emitNapi(ir, { ...options, docs: true });
    for (const { content } of files) expect(content).not.toMatch(/[\r\u202e\u2028]/);
  });

  it('tells by name and reason what Node cannot offer', () => {
    const { skipped } = emitNapi(ir, { ...options, docs: false });
    expect(skipped.map(({ name, output }) => [name, output])).toEqual([
      ['krun_set_display_backend', 'node'],
      ['krun_log', 'node'],
      ['krun_get_name', 'node'],
      ['krun_read', 'node'],
      ['krun_createCtx', 'node'],
      ['delete', 'node'],
      ['raw', 'node'],
    ]);
    expect(skipped.map(({ reason }) => reason)).toContain('parameter out: a pointer whose use is not known');
    expect(new Set(skipped.map(({ reason }) => reason)).has('')).toBe(false);
  });
});

describe('the lock file of the emitted crate', () => {
  const crate = { name: NAPI_CRATE, version: '0.0.0', dependencies: ['krun-node', 'napi', 'napi-build'] };

  it('leaves out what only other members of the workspace need', () => {
    expect(lock).toContain('name = "launcher-only"');
    expect(closureLock(lock, crate)).not.toContain('launcher-only');
  });

  it('names a dependency by version only while there are several versions of it', () => {
    expect(lock).toContain(' "syn 2.0.0",');
    expect(closureLock(lock, crate)).toContain(' "syn",');
    expect(closureLock(lock, crate)).toContain(' "libloading 0.8.0",');
  });

  it.each([
    ['another format', lock.replace('version = 4', 'version = 3')],
    ['a missing package', lock.replace('name = "napi-build"', 'name = "other-build"')],
    ['a dependency that it does not hold', lock.replace(' "bitflags",', ' "bitflogs",')],
    ['a package without version', lock.replace('name = "bitflags"\nversion = "2.0.0"', 'name = "bitflags"')],
  ])('refuses a lock with %s', (_, text) => {
    expect(text).not.toBe(lock);
    expect(() => closureLock(text, crate)).toThrowError(expect.objectContaining({ code: 'A3S9001' }));
  });
});

describe('a Rust string literal', () => {
  it('escapes everything that could end it or hide in it', () => {
    expect(rustString('a"#\\\n\u202e\u{1F600}z')).toBe('"a\\u{22}#\\u{5c}\\u{a}\\u{202e}\\u{1f600}z"');
  });
});
