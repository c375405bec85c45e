import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLock } from '../../pipeline/bindings/abi.ts';
import { diffAbi } from '../../pipeline/bindings/abi-diff.ts';
import { LOCKED_FILES } from '../../pipeline/bindings/abi-files.ts';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { type Generated, generateBindings } from '../../pipeline/bindings/generate.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { parseUnits } from '../../pipeline/bindings/libclang/embedded.ts';
import type { RawUnit } from '../../pipeline/bindings/libclang/raw.ts';
import { groupByInterface, skippedOf } from '../../pipeline/bindings/target-groups.ts';
import { irAhead, irsOf } from '../../pipeline/bindings/target-irs.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { rawFunction, rawUnit, scalar } from './raw-unit.ts';

const FOLDER = new URL('../fixtures/targets/', import.meta.url).pathname;
const HEADER = readFileSync(join(FOLDER, 'gpu.h'), 'utf8');
const LOCK = readFileSync(join(REPOSITORY, 'native/Cargo.lock'), 'utf8');
const VERSIONS = { package: '1.0.0', tool: '1.0.0' };
const ALL = Object.keys(TARGETS);

const folder = mkdtempSync(join(tmpdir(), 'a3s-targets-'));
afterAll(() => rmSync(folder, { recursive: true }));

let irs: readonly HeaderIr[];
let made: Generated;
beforeAll(async () => {
  const headers = [{ name: 'gpu.h', content: HEADER }];
  const units = Object.values(TARGETS).map((target) => ({ headers, target }));
  irs = irsOf(await parseUnits(units, { workerPath: await bundleWorker() }), []);
  made = await generateBindings(irs, { docs: false, lock: LOCK, missing: [], versions: VERSIONS });
});

const contentOf = (path: string): string =>
  made.files.find((file) => file.path === path)?.content ?? expect.unreachable(`${path} was not made`);

/** What rustfmt would change. */
function formatted(content: string): string {
  const file = join(folder, 'formatted.rs');
  writeFileSync(file, content);
  const format = ['--check', '--edition', '2021', '--config', 'max_width=120', file];
  return execFileSync('rustfmt', format, { encoding: 'utf8' });
}

describe('a header that differs between targets', () => {
  it.each(['sys.rs', 'stub.rs', 'libkrun.d.ts', 'abi.json'])('gives exactly the committed %s', async (path) => {
    // How the files were made changes with their emitters, and is tested elsewhere.
    const content = contentOf(path).replace(/ {2}"made": \{[\s\S]*?\n {2}\},\n/, '');
    await expect(content).toMatchFileSnapshot(`${FOLDER}gpu.${path}`);
  });

  it('leaves out of Node, with the reason and the targets, what is not the same for all', async () => {
    const lines = made.skipped.map(({ name, output, reason }) => `${name}, ${output}: ${reason}\n`);
    await expect(lines.join('')).toMatchFileSnapshot(`${FOLDER}gpu.skipped.txt`);
    for (const name of ['gpu_resize', 'gpu_move', 'gpu_open', 'gpu_show_layer']) {
      expect(contentOf('napi/src/functions.rs')).not.toContain(`"${name}"`);
    }
  });

  it('makes every file that the lock names, and no other', () => {
    expect(made.files.map(({ path }) => path)).toEqual([...LOCKED_FILES, 'abi.json']);
  });

  it('has a lock that is read back, with each target in one group', () => {
    const { interfaces } = readAbi(contentOf('abi.json'));
    expect(interfaces.map(({ targets }) => targets)).toEqual(ALL.map((target) => [target]));
  });

  it('gives Rust that is formatted, also where some targets share a module', async () => {
    const [x64, arm64, darwin] = irs;
    const shared = [x64, { ...(x64 ?? expect.unreachable()), target: arm64?.target ?? '' }, darwin];
    const options = { docs: false, lock: LOCK, missing: [], versions: VERSIONS };
    const { files } = await generateBindings(
      shared.filter((ir) => ir !== undefined),
      options,
    );
    const content = files[0]?.content ?? '';
    expect(content).toContain('mod on_linux_x64_linux_arm64 {');
    expect([formatted(content), formatted(contentOf('sys.rs'))]).toEqual(['', '']);
  });
});

/** The targets as rustc knows them: their libraries are not installed here, so they become conditions of our own. */
const CONDITIONS = {
  'linux-x64': 'linux_x86_64',
  'linux-arm64': 'linux_aarch64',
  'darwin-arm64': 'macos_aarch64',
} as const;

function compile(content: string, ...conditions: readonly string[]) {
  const file = join(folder, 'sys.rs');
  writeFileSync(file, content);
  const known = `cfg(${Object.values(CONDITIONS).join(', ')})`;
  const crate = [
    '--edition',
    '2021',
    '--crate-name',
    'sys',
    '--crate-type',
    'lib',
    '-D',
    'warnings',
    '--emit=metadata',
  ];
  const options = [...conditions.flatMap((one) => ['--cfg', one]), '--check-cfg', known, '--out-dir', folder, file];
  return spawnSync('rustc', [...crate, ...options], { encoding: 'utf8' });
}

describe('the Rust of a header that differs between targets', () => {
  const conditional = () =>
    contentOf('sys.rs').replaceAll(/all\(target_os = "(\w+)", target_arch = "(\w+)"\)/g, '$1_$2');

  it('compiles without a warning on this machine', () => {
    expect(compile(contentOf('sys.rs'))).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['linux-x64', 'fn(u32, core::ffi::c_int) -> i32', 'gpu_open', 8],
    ['linux-arm64', 'fn(u32, core::ffi::c_int) -> i32', 'gpu_open', 8],
    ['darwin-arm64', 'fn(u32, *const core::ffi::c_char) -> i32', 'gpu_show_layer', 16],
  ] as const)('is for %s what the header says there', (target, type, name, bytes) => {
    const size = target === 'darwin-arm64' ? bytes : 4;
    const use = `pub const USE: unsafe extern "C" ${type} = ${name};\nconst _: () = assert!(size_of::<gpu_state>() == ${size});\n`;
    expect(compile(conditional() + use, CONDITIONS[target])).toMatchObject({ status: 0, stderr: '' });
    const others = Object.values(CONDITIONS).filter((one) => one !== CONDITIONS[target]);
    expect(others.map((one) => compile(conditional() + use, one).status === 0)).toEqual(
      others.map((one) => target !== 'darwin-arm64' && one !== CONDITIONS['darwin-arm64']),
    );
  });

  it('has a stub whose functions go before the declarations, on every target', () => {
    const [types, stub] = ['sys.rs', 'stub.rs'].map((path) =>
      contentOf(path).replaceAll(/all\(target_os = "(\w+)", target_arch = "(\w+)"\)/g, '$1_$2'),
    );
    const use = 'pub const USE: unsafe extern "C-unwind" fn() -> i32 = gpu_create;\n';
    for (const condition of Object.values(CONDITIONS)) {
      const crate = `#[allow(dead_code)]\nmod bindings {\n${types}}\npub use bindings::*;\n${stub}${use}`;
      expect(compile(crate, condition)).toMatchObject({ status: 0, stderr: '' });
    }
  });

  it('is refused, with the targets that there are, for any other', () => {
    const { status, stderr } = compile(conditional());
    expect(status).toBe(1);
    expect(stderr).toContain(`these bindings are for ${ALL.join(', ')}`);
  });
});

describe('targets', () => {
  const unit = (target: string, ...items: Parameters<typeof rawUnit>[0]): RawUnit => rawUnit(items, { target });
  const line = (number: number) => ({ place: { file: 'test.h', line: number } });

  it('are one group where only the lines differ', () => {
    const same = irsOf([unit('a', rawFunction('f', {})), unit('b', rawFunction('f', {}, line(7)))], []);
    expect(groupByInterface(same).map(({ targets }) => targets)).toEqual([['a', 'b']]);
    expect(toLock(same).interfaces.map(({ targets }) => targets)).toEqual([['a', 'b']]);
  });

  it('leave the files as they are for one where the interface is the same', async () => {
    const one = TARGETS['linux-x64'].id;
    const items = [rawFunction('f', { a: scalar('int') })];
    const options = { docs: true, lock: LOCK, missing: [], versions: VERSIONS };
    const all = await generateBindings(
      irsOf(
        ALL.map((id) => unit(id, ...items)),
        [],
      ),
      options,
    );
    const single = await generateBindings(irsOf([unit(one, ...items)], []), options);
    const emitted = ({ files }: Generated) => files.filter(({ path }) => path !== 'abi.json');
    expect(emitted(all)).toEqual(emitted(single));
  });

  it('do not make an override stale that names something of one of them', () => {
    const units = [
      unit('a', rawFunction('f', {})),
      unit('b', rawFunction('f', { x: scalar('int') }), rawFunction('g', {})),
    ];
    const reason = 'It was read.';
    const known = [
      { function: 'g', returns: 'plain', reason } as const,
      { function: 'f', parameters: { x: { nullable: true } }, reason },
    ];
    expect(irsOf(units, known)).toHaveLength(2);
    const stale = [
      { function: 'h', reason },
      { function: 'f', parameters: { y: {} }, reason },
    ];
    for (const one of stale) expect(() => irsOf(units, [one])).toThrow(BuildError);
  });

  it('take what was made ahead of the first one only where the parser found them alike', () => {
    const reason = 'It was read.';
    const items = rawUnit([rawFunction('f', {})]).items;
    const alike = ['a', 'b'].map((target) => ({ ...rawUnit([], { target }), items }));
    const ahead = irAhead(alike[0] as RawUnit, []);
    const irs = irsOf(alike, [], { ahead });
    expect(irs).toEqual(irsOf(alike, []));
    expect(irs[0]).toBe(ahead);
    // Another one may know what the first one does not.
    const apart = [unit('a', rawFunction('f', {})), unit('b', rawFunction('f', { x: scalar('int') }))];
    expect(irsOf(apart, [], { ahead })).toEqual(irsOf(apart, []));
    expect(irAhead(apart[0] as RawUnit, [{ function: 'f', parameters: { x: {} }, reason }])).toBeUndefined();
  });

  it('are named where something is left out for some of them only', () => {
    const inline = rawFunction('only', {}, { external: false });
    const one = irsOf([unit('a', rawFunction('f', {})), unit('b', rawFunction('f', {}), inline)], []);
    expect(skippedOf(one).map(({ reason }) => reason)).toEqual([expect.stringMatching(/^static function.* \(b\)$/)]);
    const both = irsOf([unit('a', rawFunction('f', {}), inline), unit('b', rawFunction('f', {}), inline)], []);
    expect(skippedOf(both).map(({ reason }) => reason)).toEqual([expect.not.stringContaining('(')]);
  });

  it('are compared each with itself, and a change that several share is told once', () => {
    const lock = (x64: string, arm64: string) =>
      toLock(irsOf([unit('x64', rawFunction(x64, {})), unit('arm64', rawFunction(arm64, {}))], []));
    const changes = diffAbi(lock('f', 'f'), lock('g', 'f'));
    expect(changes.map(({ kind, name, targets }) => [kind, name, targets])).toEqual([
      ['function-removed', 'f', ['x64']],
      ['function-added', 'g', ['x64']],
      // Node offered it for both, and offers nothing that only one has.
      ['node-withdrawn', 'f', ['arm64']],
    ]);
    expect(diffAbi(lock('f', 'h'), lock('g', 'g')).map(({ name, targets }) => [name, targets])).toEqual([
      ['f', ['x64']],
      ['g', ['x64', 'arm64']],
      ['h', ['arm64']],
    ]);
  });
});
