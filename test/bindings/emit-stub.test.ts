import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitMissing } from '../../pipeline/bindings/emit-missing.ts';
import { emitStub } from '../../pipeline/bindings/emit-stub.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { parseUnits } from '../helpers/parse-units.ts';

const FIXTURES = new URL('../fixtures/bindings/', import.meta.url).pathname;
/** One that takes much, one that takes nothing, one that returns no integer, one with open arguments, one unknown. */
const MISSING = ['thing_open_by_address', 'thing_is_open', 'thing_ratio', 'thing_log', 'thing_unknown'];

let ir: HeaderIr;
let folder: string;
beforeAll(async () => {
  const units = await parseUnits({ 'functions.h': readFileSync(join(FIXTURES, 'functions.h'), 'utf8') });
  ir = toIr(units.get('functions.h') ?? expect.unreachable('not parsed'), []);
  folder = mkdtempSync(join(tmpdir(), 'a3s-stub-'));
  cpSync(join(FIXTURES, 'functions.sys.rs'), join(folder, 'bindings.rs'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Compiles a program whose functions come from `file`, and runs it. */
function run(file: string, content: string, main: string): string {
  writeFileSync(join(folder, file), content);
  const uses = `mod bindings;\npub use bindings::*;\ninclude!("${file}");\n`;
  writeFileSync(join(folder, 'main.rs'), `#![allow(dead_code, unused_imports)]\n${uses}${main}`);
  const crate = ['--edition', '2021', '-D', 'warnings', '-o', join(folder, 'program'), join(folder, 'main.rs')];
  execFileSync('rustc', crate, { stdio: 'pipe' });
  return execFileSync(join(folder, 'program'), { stdio: 'pipe', encoding: 'utf8' });
}

function formatted(file: string): string {
  const format = ['--check', '--edition', '2021', '--config', 'max_width=120', file];
  return execFileSync('rustfmt', format, { stdio: 'pipe' }).toString();
}

describe('the stub', () => {
  it('is exactly the committed Rust, formatted as rustfmt would', async () => {
    const { file, skipped } = emitStub(ir, { docs: false });
    await expect(file.content).toMatchFileSnapshot(`${FIXTURES}functions.stub.rs`);
    expect(formatted(`${FIXTURES}functions.stub.rs`)).toBe('');
    expect(skipped.map(({ name, output }) => [name, output])).toEqual([['thing_log', 'rust']]);
  });

  it('links without a library, and its panics name function and variable and can be caught', () => {
    const main = `fn main() {
      let caught = std::panic::catch_unwind(|| unsafe { thing_handle(1) }).unwrap_err();
      print!("{}", caught.downcast_ref::<String>().unwrap());
    }`;
    const message = run('stub.rs', emitStub(ir, { docs: false }).file.content, main);
    expect(message).toMatch(/^thing_handle was called.*A3S_DEPS_STUB/);
  });

  it('carries the words of the header when asked to', () => {
    expect(emitStub(ir, { docs: true }).file.content).toContain('/// Opens a thing.');
    expect(emitStub(ir, { docs: false }).file.content).not.toContain('Opens a thing');
  });
});

describe('the functions that a library lacks', () => {
  it('are exactly the committed Rust, formatted as rustfmt would', async () => {
    const { file, skipped } = emitMissing(ir, { docs: false, missing: MISSING });
    await expect(file.content).toMatchFileSnapshot(`${FIXTURES}functions.missing.rs`);
    expect(formatted(`${FIXTURES}functions.missing.rs`)).toBe('');
    expect(skipped.map(({ name }) => name)).toEqual(['thing_log', 'thing_ratio']);
  });

  it('give -ENOSYS where they are not found, and are called where they are', () => {
    const { file } = emitMissing(ir, { docs: false, missing: MISSING });
    const main = `fn main() {
      let null = core::ptr::null();
      let told = unsafe { (thing_is_open(), thing_open_by_address(null, core::ptr::null(), null, 0, null as _, 0, false, 1, 2)) };
      print!("{told:?}");
    }`;
    expect(run('missing.rs', file.content, main)).toBe('(-38, -38)');
    // getpagesize is in every C library.
    const found = file.content.replaceAll('c"thing_is_open"', 'c"getpagesize"');
    expect(run('missing.rs', found, main)).toBe('(4096, -38)');
  });

  it('are none when nothing is missing', () => {
    const { file } = emitMissing(ir, { docs: true, missing: [] });
    expect(file.content.split('\n').filter((line) => !line.startsWith('//') && line !== '')).toEqual([]);
  });
});
