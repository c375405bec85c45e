import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { generateBindings } from '../../pipeline/bindings/generate.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { parseWithBestParser } from '../../pipeline/bindings/libclang/best-parser.ts';
import { type ParseRequest, parseHeaders } from '../../pipeline/bindings/libclang/embedded.ts';
import type { RawUnit } from '../../pipeline/bindings/libclang/raw.ts';
import { TESTED_VERSIONS } from '../../pipeline/bindings/libclang/versions.ts';
import { LIBKRUN_OVERRIDES } from '../../pipeline/bindings/overrides.ts';
import { BuildError, type Failure } from '../../pipeline/plan/errors.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleScript, bundleWorker } from '../helpers/bundle-worker.ts';
import { asOneWidth } from '../helpers/one-width.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { storedHeaders } from '../helpers/stored-headers.ts';

/** Folders that ci/install-libclang.sh fills. */
const FOLDERS: Readonly<Record<number, string>> = {
  14: '/usr/lib/llvm-14/lib',
  15: '/usr/lib/llvm-15/lib',
  16: '/usr/lib/llvm-16/lib',
  18: process.env['A3S_LIBCLANG_18'] ?? join(tmpdir(), 'a3s-libclang-18'),
  19: '/usr/lib/llvm-19/lib',
};

const namesIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.h'));
/** Headers that need no override. */
const PLAIN = join(REPOSITORY, 'test/fixtures/bindings');
/** A header for each feature. */
const FEATURES = join(REPOSITORY, 'test/fixtures/headers');
const lock = readFileSync(join(REPOSITORY, 'native/Cargo.lock'), 'utf8');
const libkrunHeaders = storedHeaders(inject('fullBuild').checkoutStore);

type Headers = ParseRequest['headers'];

const readHeader = (folder: string, name: string): Headers => [
  { name, content: readFileSync(join(folder, name), 'utf8') },
];

async function base(headers: Headers) {
  return { headers, target: TARGETS['linux-x64'], workerPath: await bundleWorker() };
}

const embeddedUnits = new Map<string, Promise<RawUnit>>();

/** Parses each header once, however many versions are compared with it. */
function withEmbedded(headers: Headers): Promise<RawUnit> {
  const key = JSON.stringify(headers);
  const unit = embeddedUnits.get(key) ?? base(headers).then(parseHeaders);
  embeddedUnits.set(key, unit);
  return unit;
}

/** Parses with the one version; fails when it is not installed, or warns of anything. */
async function withNative(version: number, headers: Headers, more: Partial<ParseRequest> = {}): Promise<RawUnit> {
  const warn = (message: string) => expect.unreachable(message);
  const search = { named: FOLDERS[version], platform: 'linux', toolchain: { ask: async () => undefined } };
  const request = { ...(await base(headers)), warn, ...more };
  const { units, parser } = await parseWithBestParser([request], request, search);
  expect(parser).toContain(FOLDERS[version]);
  return units[0] ?? expect.unreachable('nothing was parsed');
}

/** Everything that the tests know of headers, for all targets: in one process, or in one for each target. */
async function readForAllTargets(version: number, together: boolean): Promise<readonly RawUnit[]> {
  const own = ['libkrun.h', 'libkrun_display.h', 'libkrun_input.h'].map((name) => readHeader(libkrunHeaders, name));
  const written = [FEATURES, PLAIN].flatMap((folder) => namesIn(folder).map((name) => readHeader(folder, name)));
  const headers = [...own, ...written];
  const targets = Object.values(TARGETS);
  const groups = together ? [targets] : targets.map((target) => [target]);
  const search = { named: FOLDERS[version], platform: 'linux', toolchain: { ask: async () => undefined } };
  const options = { workerPath: await bundleWorker() };
  const read = await Promise.all(
    groups.map((group) => {
      const units = group.flatMap((target) => headers.map((each) => ({ headers: each, target })));
      return parseWithBestParser(units, options, search);
    }),
  );
  return read.flatMap(({ units }) => units);
}

async function failureOf(parsing: Promise<unknown>): Promise<Failure> {
  return parsing.then(
    () => expect.unreachable('the header was accepted'),
    (error: unknown) => (error instanceof BuildError ? error.failure : expect.unreachable(String(error))),
  );
}

/** Everything that is emitted for a header that needs no override. */
function emitted(unit: RawUnit) {
  const ir = toIr(unit, []);
  return [emitAbi([ir]), emitSys(ir, { docs: false }), emitSys(ir, { docs: true })];
}

it('has a folder for every version that is called tested', () => {
  expect(Object.keys(FOLDERS).map(Number)).toEqual(TESTED_VERSIONS);
});

describe.each(TESTED_VERSIONS)('libclang %i, compared with the embedded one', (version) => {
  it.each(namesIn(FEATURES))('reads the same for %s', async (name) => {
    const headers = readHeader(FEATURES, name);
    expect(await withNative(version, headers)).toEqual(await withEmbedded(headers));
  });

  it('reads all headers for all targets together as it does for each', async () => {
    const together = await readForAllTargets(version, true);
    const apart = await readForAllTargets(version, false);
    expect(together.length).toBeGreaterThan(3 * 30);
    expect(asOneWidth(together)).toEqual(asOneWidth(apart));
  });

  it.each(namesIn(PLAIN))('reads the same, and leads to the same files, for %s', async (name) => {
    const headers = readHeader(PLAIN, name);
    const [native, embedded] = [await withNative(version, headers), await withEmbedded(headers)];
    expect(native).toEqual(embedded);
    expect(emitted(native)).toEqual(emitted(embedded));
  });

  it.each(['libkrun_display.h', 'libkrun_input.h'])('reads the same for %s of the real library', async (name) => {
    const headers = readHeader(libkrunHeaders, name);
    const native = await withNative(version, headers);
    expect(native.items.some(({ kind }) => kind === 'record')).toBe(true);
    expect(native).toEqual(await withEmbedded(headers));
  });

  it.each([false, true])('leads to the same bytes in every file for the real libkrun.h, docs: %s', async (docs) => {
    const headers = readHeader(libkrunHeaders, 'libkrun.h');
    const units = [await withNative(version, headers), await withEmbedded(headers)];
    const [native, embedded] = await Promise.all(
      units.map((unit) =>
        generateBindings([toIr(unit, LIBKRUN_OVERRIDES)], {
          docs,
          lock,
          missing: ['krun_set_tee_config_file'],
          versions: { package: '1.0.0', tool: '1.0.0' },
        }),
      ),
    );
    expect(native?.files.map(({ path }) => path)).toContain('libkrun.d.ts');
    expect(native).toEqual(embedded);
  });
});

/** Parses inside a process of the test's own, with the one version: several in one process could disturb each other. */
async function inProcess(version: number, headers: readonly Headers[], more: Partial<ParseRequest> = {}) {
  const folder = FOLDERS[version] ?? '';
  const name = readdirSync(folder).find((entry) => /^libclang(-\d+)?\.so/.test(entry)) ?? '';
  const { workerPath, target } = await base([]);
  const parser = { kind: 'native', library: join(folder, name) };
  const units = headers.map((one) => ({ headers: one, target }));
  const options = { parser, workerPath, inProcess: true, ...more };
  const { stdout, signal } = spawnSync(process.execPath, [await bundleScript('test/helpers/in-process-script.ts')], {
    input: JSON.stringify({ units, options }),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  expect(signal).toBeNull();
  return JSON.parse(stdout) as { units?: readonly RawUnit[]; failure?: Failure };
}

describe.each(TESTED_VERSIONS)('libclang %i inside the process that asks', (version) => {
  it('reads the same as in a process of its own, many units side by side', async () => {
    const headers = namesIn(FEATURES).map((name) => readHeader(FEATURES, name));
    const { units } = await inProcess(version, headers);
    expect(units).toEqual(await Promise.all(headers.map((one) => withNative(version, one))));
  });

  it('fails alike for a bad header', async () => {
    const headers = [{ name: 'bad.h', content: 'int fine(void);\nint broken(;\n' }];
    const { failure } = await inProcess(version, [headers]);
    expect(failure).toEqual(await failureOf(withNative(version, headers)));
  });

  it('is left alone when it runs beyond its time', async () => {
    const { failure } = await inProcess(version, [BOMB], { timeLimit: 2_000 });
    expect(failure?.code).toBe('A3S3002');
    expect(failure?.message).toContain('2000 ms');
  });
});

/** A header that no parser finishes. */
const BOMB: Headers = [
  {
    name: 'bomb.h',
    content: `#define X0 1 +\n${Array.from({ length: 40 }, (_, level) => `#define X${level + 1} X${level} X${level}\n`).join('')}int a[X40 1];\n`,
  },
];

/** Headers with an error, most of which an older libclang would let pass or read from the disk. */
const BAD_HEADERS: readonly (readonly [string, string])[] = [
  ['a syntax error', 'int fine(void);\nint broken(;\n'],
  ['an unknown type', 'no_such_type broken(void);\n'],
  ['a missing include', 'int first(nothing);\n#include <not-there.h>\n'],
  ['an include by absolute path', '#include "/etc/passwd"\nint call(void);\n'],
  ['an include by a relative path to the root', '#include "../../../../etc/passwd"\nint call(void);\n'],
  ['an include of a device without end', '#include "/dev/urandom"\nint call(void);\n'],
  ['an include of a system header', '#include <stdio.h>\nint call(void);\n'],
  ['an include made by a macro', '#define PLACE "/etc/passwd"\n#include PLACE\nint call(void);\n'],
  ['a type left out', 'int fine(void);\nbroken(void);\n'],
  ['a function declared in two ways', 'int twice(int a);\nint twice(long a);\n'],
  ['a record defined twice', 'struct twice { int a; };\nint fine(void);\nstruct twice { long a; };\n'],
  ['a call of nothing that is declared', 'static inline int f(void) { return missing(); }\n'],
];

describe.each(TESTED_VERSIONS)('libclang %i, given a bad header', (version) => {
  it.each(BAD_HEADERS)('fails like the embedded one for %s', async (_what, content) => {
    const headers = [{ name: 'bad.h', content }];
    const [native, embedded] = [await failureOf(withNative(version, headers)), await failureOf(withEmbedded(headers))];
    expect(native.code).toBe('A3S3002');
    // The wording of a message is each version's own.
    expect({ ...native, message: '' }).toEqual({ ...embedded, message: '' });
  });

  it('finds the same declarations deprecated, with the attribute in place and behind a macro', async () => {
    const attribute = '__attribute__((deprecated("why")))';
    const content = `#define OLD ${attribute}\n${attribute} int old(void);\nOLD int older(void);\nint kept(void) OLD;\n`;
    const headers = [{ name: 'old.h', content }];
    const native = await withNative(version, headers);
    expect(native.items.find(({ name }) => name === 'old')?.deprecated).toBe(true);
    expect(native).toEqual(await withEmbedded(headers));
  });

  it('sees no file of the disk, not even whether there is one', async () => {
    const content =
      '#if __has_include("/etc/passwd") || __has_include(<stdio.h>)\n#error seen\n#endif\nint call(void);\n';
    const { items } = await withNative(version, [{ name: 'look.h', content }]);
    expect(items.map(({ name }) => name)).toEqual(['call']);
  });

  it('is stopped when it runs beyond its time', async () => {
    const failure = await failureOf(withNative(version, BOMB, { timeLimit: 3_000 }));
    expect(failure.code).toBe('A3S3002');
    expect(failure.message).toContain('bomb.h');
  });
});
