import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../pipeline/plan/error-table.ts';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const HEADER = 'vendor/libkrun/include/libkrun.h';
const DISPLAY = 'vendor/libkrun/include/libkrun_display.h';
const GOOD = `#include <stdint.h>
/**
 * Creates a context.
 *
 * Returns:
 *  The context ID on success or a negative error number on failure.
 */
int32_t krun_create_ctx(void);
`;

/** A project whose generated/ is fresh; each test works on a copy. */
const fresh = makeFolder('bad-headers');
let place: ReturnType<typeof makeFolder>;
let before: unknown;

beforeAll(async () => {
  writeFileSync(join(fresh.path, 'package.json'), '{"name":"project"}');
  writeTree(join(fresh.path, 'vendor/libkrun'), { 'include/libkrun.h': GOOD });
  expect(await runCli(['bindings'], { cwd: fresh.path, env: store() })).toMatchObject({ code: 0 });
});
afterAll(() => fresh.remove());
beforeEach(() => {
  place = makeFolder('bad-header');
  mkdirSync(at(''));
  for (const name of ['package.json', 'vendor', 'generated'])
    cpSync(join(fresh.path, name), at(name), { recursive: true });
  before = generated();
});
afterEach(() => place.remove());

const at = (path: string) => join(place.path, 'project', path);
const store = () => ({ A3S_CACHE_DIR: join(fresh.path, 'store') });
const write = (path: string, text: string | Buffer) => writeFileSync(at(path), text);
const configure = (bindings: object) => write('a3s-build.config.json', JSON.stringify({ bindings }));

/** Names, content and times of all generated files. */
function generated() {
  const names = readdirSync(at('generated'), { recursive: true, encoding: 'utf8' }).sort();
  return names
    .filter((name) => statSync(at(`generated/${name}`)).isFile())
    .map((name) => [name, readFileSync(at(`generated/${name}`), 'utf8'), statSync(at(`generated/${name}`)).mtimeMs]);
}

/** Runs `bindings`, which must fail, and leave all generated files as they are. */
async function refused(args: readonly string[] = [], env: Record<string, string> = {}): Promise<CliResult> {
  const result = await runCli(['bindings', ...args], { cwd: at(''), env: { ...store(), ...env } });
  expect(generated()).toEqual(before);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/root:|daemon:/);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  return result;
}

const at65 = (code: string) => ({ code: 65, stderr: expect.stringContaining(code) });

describe('an error in a header', () => {
  it.each([
    ['a syntax error', 'int32_t krun_stop(;\n', 9, 19, 'int32_t krun_stop(;'],
    ['an unknown type', '\tmissing_t krun_stop(void);\n', 9, 2, 'missing_t krun_stop(void);'],
    ['a missing include', '#include <linux/kvm.h>\n', 9, 10, '#include <linux/kvm.h>'],
    ['an include of a file of the machine', '#include "/etc/passwd"\n', 9, 10, '#include "/etc/passwd"'],
    [
      'one by a relative path',
      '#include "../../../../../../etc/passwd"\n',
      9,
      10,
      '#include "../../../../../../etc/passwd"',
    ],
    ['one by a macro', '#define P "/etc/passwd"\n#include P\n', 10, 10, '#include P'],
    ['an include of an endless device', '#include "/dev/zero"\n', 9, 10, '#include "/dev/zero"'],
  ])('is shown with file, line, column and the line: %s', async (_what, text, line, column, source) => {
    write(HEADER, GOOD + text);
    const result = await refused();
    expect(result).toMatchObject(at65('A3S3002'));
    const [, number = '', shown = '', caret = ''] =
      /At: {3}libkrun\.h:(\d+:\d+)\n +\d+ \| (.*)\n +\| ( *)\^\n/.exec(result.stderr) ?? [];
    expect({ number, shown }).toEqual({ number: `${line}:${column}`, shown: source });
    expect(text.split('\n')[line - 9]?.slice(column - 1)).toBe(source.slice(caret.length));
  });

  it('is told of a header without functions', async () => {
    write(HEADER, '#define KRUN_LEVEL 1\n');
    const result = await refused();
    expect(result).toMatchObject(at65('A3S3002'));
    expect(result.stderr).toContain('libkrun.h declares no function');
    expect(result.stderr).toContain('At:   libkrun.h');
  });
});

describe('two headers that disagree', () => {
  it.each([
    ['a function', 'int32_t krun_create_ctx(int a);', 'int32_t krun_create_ctx(void);', '2:9', '8:9'],
    ['a macro', '#define KRUN_LEVEL 2', '#define KRUN_LEVEL 1', '2:9', '9:9'],
  ])('about %s are refused with both places', async (_what, second, first, where, also) => {
    write(HEADER, `${GOOD}#define KRUN_LEVEL 1\n`);
    write('more.h', `#include <stdint.h>\n${second}\n`);
    const result = await refused(['--header', 'more.h']);
    expect(result).toMatchObject(at65('A3S3002'));
    const [text = ''] = /At:[\s\S]*(?=\n {2}More:)/.exec(result.stderr) ?? [];
    expect(text.split('\n').map((row) => row.trim())).toEqual([
      `At:   ${at('more.h')}:${where}`,
      `2 | ${second}`,
      `|         ^`,
      `And:  libkrun.h:${also}`,
      `${also[0]} | ${first}`,
      `|         ^`,
    ]);
  });
});

describe('a header that is not to be read', () => {
  it.each<[string, ErrorCode, () => readonly string[], string]>([
    ['a link of the source tree', 'A3S2004', () => linked(DISPLAY), 'libkrun_display.h'],
    ['a link in the project, by option', 'A3S3002', () => [...linked('more.h'), '--header', 'more.h'], 'more.h'],
    [
      'a link in the project, by configuration',
      'A3S3002',
      () => [...linked('more.h'), ...configured('more.h')],
      'more.h',
    ],
    ['a path out of the project, by configuration', 'A3S3002', () => configured('../outside.h'), 'outside.h'],
    ['a folder', 'A3S5002', () => ['--header', 'vendor'], 'vendor'],
    ['an endless device', 'A3S5002', () => ['--header', '/dev/zero'], '/dev/zero'],
    ['one over the size cap', 'A3S3002', () => [...large('more.h'), '--header', 'more.h'], 'more.h'],
    ["libkrun's own over the size cap", 'A3S3002', () => large(HEADER), 'libkrun.h'],
  ])('is refused by name: %s', async (_what, code, prepare, name) => {
    writeFileSync(join(place.path, 'outside.h'), 'void outside(void);\n');
    const result = await refused(prepare());
    expect(result).toMatchObject({ code: ERROR_TABLE[code].exit, stderr: expect.stringContaining(code) });
    expect(result.stderr).toContain(name);
  });

  it('is refused by the check as well', async () => {
    linked(DISPLAY);
    const result = await refused(['--check']);
    expect(result).toMatchObject(at65('A3S3002'));
    expect(result.stderr).toContain('libkrun_display.h leads out of the folder');
  });

  it('is one in another encoding, where that is not in comments only', async () => {
    write(HEADER, Buffer.from(`${GOOD}#define KRUN_NAME "caf\xe9"\n`, 'latin1'));
    const result = await refused();
    expect(result).toMatchObject(at65('A3S3002'));
    expect(result.stderr).toContain('not in UTF-8');
    expect(result.stderr).toMatch(/At: {3}libkrun\.h:9:23\n +9 \| #define KRUN_NAME "café"\n +\| {23}\^/);
  });
});

/** Puts something in the way that must not be read; no further arguments. */
function linked(path: string): readonly string[] {
  symlinkSync('/etc/passwd', at(path));
  return [];
}

function configured(header: string): readonly string[] {
  configure({ headers: [header] });
  return [];
}

function large(path: string): readonly string[] {
  write(path, '');
  truncateSync(at(path), 4 * 1024 * 1024 + 1);
  return [];
}

describe('a libclang that cannot be used', () => {
  it.each<[string, () => string, readonly string[]]>([
    ['a path to nothing', () => '/nowhere/libclang.so', ['/nowhere/libclang.so: there is no such file or folder']],
    ['a folder without one', () => at(''), ['there is no libclang.', 'in this folder', 'llvm-config --libdir']],
    ['a file that is no library', () => at('package.json'), ['package.json', 'version 14, 15, 16, 18, 19']],
    [
      'one too old to have all functions',
      oldLibrary,
      ['libclang.so', 'clang_', 'too old', 'version 14, 15, 16, 18, 19'],
    ],
  ])('is told with what was looked for, where, and what to set: %s', async (_what, path, words) => {
    // What is in the store already needs no parser.
    write(HEADER, `${GOOD}#define KRUN_OTHER 1\n`);
    const result = await refused([], { LIBCLANG_PATH: path() });
    expect(result).toMatchObject({ code: 72, stderr: expect.stringContaining('A3S3004') });
    for (const text of [...words, 'LIBCLANG_PATH']) expect(result.stderr).toContain(text);
  });
});

/** A library that answers as clang 3 might: it knows its version, and lacks what came later. */
function oldLibrary(): string {
  const source = at('old.c');
  const functions = ['getCString', 'disposeString', 'getClangVersion'].map(
    (name) => `void *clang_${name}(void) { return 0; }\n`,
  );
  writeFileSync(source, functions.join(''));
  execFileSync('cc', ['-shared', '-fPIC', '-o', at('libclang.so'), source]);
  return at('');
}

describe('comments', () => {
  const HOSTILE = [
    '*/ export function evil(): void; /*',
    '`${evil()}` "#; fn evil() {} r#"',
    '\\u002a/ evil ]] --> </script>',
    '@param evil {@link evil} #[evil]',
  ];

  it('may hold anything: none of it becomes code, in any of the files', async () => {
    const lines = [
      'Creates a context.',
      ...HOSTILE,
      '',
      'Returns:',
      'The context ID on success or a negative error number on failure.',
    ];
    write(
      HEADER,
      `#include <stdint.h>\n${lines.map((line) => `/// ${line}\n`).join('')}int32_t krun_create_ctx(void);\n`,
    );
    const result = await runCli(['bindings'], { cwd: at(''), env: store() });
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.stringify(generated())).not.toContain('evil');
    const packed = packedFiles();
    expect(packed.map(({ name }) => name)).toEqual(['libkrun.d.ts', 'sys.rs']);
    for (const { text } of packed) {
      expect(text).toContain('evil');
      const code = text.split('\n').filter((line) => !/^\s*(\/\/|\*|\/\*\*|#\[doc)/.test(line));
      expect(code.join('\n')).not.toContain('evil');
    }
  });

  it('may be in another encoding', async () => {
    write(HEADER, Buffer.from(GOOD.replace('Creates', 'Cr\xe9e'), 'latin1'));
    expect(await runCli(['bindings'], { cwd: at(''), env: store() })).toMatchObject({ code: 0 });
  });
});

/** What the last run made for the packages, which carry the header's words. */
function packedFiles(): readonly { name: string; text: string }[] {
  const manifest = JSON.parse(readFileSync(at('build/linux-x64/manifest.json'), 'utf8'));
  const { key } = manifest.steps.find(({ id }: { id: string }) => id === 'bindings');
  const out = join(fresh.path, 'store/v1/results/bindings', key, 'out');
  return ['libkrun.d.ts', 'sys.rs'].map((name) => ({ name, text: readFileSync(join(out, name), 'utf8') }));
}
