import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diffAbi, type FunctionItem, type HeaderIr, parseHeader } from '../pipeline/index.ts';
import { codeBlock } from './helpers/documents.ts';
import { makeFolder, REPOSITORY } from './helpers/session.ts';

const HEADER = readFileSync(join(REPOSITORY, 'test/fixtures/abi/machine.h'), 'utf8');
const LOCK = readFileSync(join(REPOSITORY, 'generated/abi.json'), 'utf8');

const folder = makeFolder('library');
const at = (path: string) => join(folder.path, path);
const surroundings = { cwd: folder.path, variables: { PATH: process.env['PATH'] } };
beforeAll(() => {
  writeFileSync(at('old.h'), HEADER);
  writeFileSync(at('new.h'), HEADER.replace('int fd,', 'bool fd,').replace('#define MACHINE_LEVEL_ALL 5\n', ''));
  writeFileSync(at('wide.h'), 'typedef struct { long size; } wide_t;\nvoid use(wide_t *wide);\n');
});
afterAll(() => folder.remove());

async function parsed(options: Omit<Parameters<typeof parseHeader>[0], 'cwd' | 'variables'>): Promise<HeaderIr> {
  const result = await parseHeader({ ...surroundings, ...options });
  return result.ok ? result.ir : expect.unreachable(`${result.error.code}: ${result.error.message}`);
}

const names = ({ items }: HeaderIr) => items.map(({ name }) => name);

describe('parseHeader', () => {
  it('reads files and texts, with those that they include', async () => {
    const ir = await parsed({
      headers: ['wide.h', { name: 'text.h', content: '#include "shared/size.h"\nvoid text(shared_size size);\n' }],
      includes: [{ name: 'shared/size.h', content: 'typedef unsigned shared_size;\nvoid not_wanted(void);\n' }],
    });
    expect(ir.headers).toEqual(['wide.h', 'text.h']);
    expect(names(ir)).toEqual(expect.arrayContaining(['use', 'text', 'shared_size']));
    expect(names(ir)).not.toContain('not_wanted');
  });

  it('reads for the target named', async () => {
    const content = '#ifdef __APPLE__\nvoid on_mac(void);\n#else\nvoid elsewhere(void);\n#endif\n';
    const ir = await parsed({ headers: [{ name: 'a.h', content }], target: 'darwin-arm64' });
    expect({ target: ir.target, names: names(ir) }).toEqual({ target: 'darwin-arm64', names: ['on_mac'] });
  });

  it('takes overrides, and knows those for libkrun itself', async () => {
    const content =
      '#include <stdint.h>\nint mine(void);\nint32_t krun_set_console_output(uint32_t id, const char *path);\n';
    const overrides = [{ function: 'mine', returns: 'value', reason: 'read' }] as const;
    const { items } = await parsed({ headers: [{ name: 'a.h', content }], overrides });
    expect((items as readonly FunctionItem[]).map(({ meaning }) => meaning)).toEqual(['value', 'status']);
  });

  it('asks what nothing proves: as an error, or of the caller', async () => {
    const headers = [{ name: 'a.h', content: 'int odd(int *out);\n' }];
    const refused = await parseHeader({ ...surroundings, headers });
    expect(refused).toMatchObject({ ok: false, error: { code: 'A3S3003', where: { file: 'a.h', line: 1 } } });
    const questions: string[] = [];
    const ir = await parsed({ headers, onUnproven: (question) => questions.push(question) });
    expect(names(ir)).toEqual(['odd']);
    expect(questions).toEqual(['odd: what is behind "out"', 'odd: what the returned number means']);
  });

  it.each<[string, Partial<Parameters<typeof parseHeader>[0]>, object]>([
    [
      'an error in a header, by the path given',
      { headers: ['./broken.h'] },
      {
        code: 'A3S3002',
        where: { file: './broken.h', line: 2, column: 12, source: { text: 'int broken(;', caret: 11 } },
      },
    ],
    ['a file that is not there', { headers: ['none.h'] }, { code: 'A3S5002' }],
    ['a device', { headers: ['/dev/zero'] }, { code: 'A3S3002', where: { file: '/dev/zero' } }],
    ['no header', { headers: [] }, { code: 'A3S3002' }],
    ['an unknown target', { target: 'linux-x46' }, { code: 'A3S1003' }],
    ['a wrong libclang', { libclang: 'nowhere' }, { code: 'A3S3004', message: expect.stringContaining(at('nowhere')) }],
    ['an override that fits nothing', { overrides: [{ function: 'gone', reason: 'x' }] }, { code: 'A3S3003' }],
  ])('resolves with the failure for %s', async (_what, options, error) => {
    writeFileSync(at('broken.h'), 'int fine(void);\nint broken(;\n');
    const result = await parseHeader({ headers: ['old.h'], ...surroundings, ...options });
    expect(result).toMatchObject({ ok: false, error });
  });
});

describe('diffAbi', () => {
  it('tells every change with its own verdict, and that of all', async () => {
    const [before, after] = [await parsed({ headers: ['old.h'] }), await parsed({ headers: ['new.h'] })];
    expect(await diffAbi(before, after)).toEqual({
      ok: true,
      difference: {
        changes: [
          expect.objectContaining({
            kind: 'parameter-type',
            change: 'changed',
            item: 'function',
            name: 'machine_add_net',
            part: 'argument 2',
            before: 'i32',
            after: 'bool',
            verdict: { rust: 'major', npm: 'major' },
          }),
          expect.objectContaining({ kind: 'constant-removed', name: 'MACHINE_LEVEL_ALL' }),
        ],
        verdict: { rust: 'major', npm: 'major' },
      },
    });
  });

  it('takes the text of a lock', async () => {
    expect(await diffAbi(LOCK, LOCK)).toEqual({
      ok: true,
      difference: { changes: [], verdict: { rust: 'none', npm: 'none' } },
    });
    expect(await diffAbi(LOCK, '{\n "form": 9\n}')).toMatchObject({
      ok: false,
      error: { code: 'A3S3001', where: { file: 'the newer abi.json', line: 2 } },
    });
  });
});

/** A program that the types must refuse, in every line that says so. */
const WRONG = `import { parseHeader } from 'a3s-build';
// @ts-expect-error a header is a path or a text with a name
await parseHeader({ headers: [3] });
// @ts-expect-error no such meaning
await parseHeader({ headers: [], overrides: [{ function: 'f', returns: 'errno', reason: '' }] });
const result = await parseHeader({ headers: [] });
// @ts-expect-error there may be none
console.log(result.ir);
`;

const COMPILER = [
  join(REPOSITORY, 'node_modules/typescript/bin/tsc'),
  ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--pretty', 'false'],
  ...['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', 'node', '--outDir', 'out'],
];

/** A project of somebody else's that has the package installed. */
describe('the published package', () => {
  beforeAll(() => {
    mkdirSync(at('node_modules/@types'), { recursive: true });
    symlinkSync(REPOSITORY, at('node_modules/a3s-build'));
    symlinkSync(join(REPOSITORY, 'node_modules/@types/node'), at('node_modules/@types/node'));
    writeFileSync(at('package.json'), '{"type":"module"}');
    writeFileSync(at('readme.ts'), codeBlock('README.md', 'ts', 'diffAbi'));
    writeFileSync(at('guide.ts'), codeBlock('docs/bindings.md', 'ts', 'parseHeader'));
    writeFileSync(at('wrong.ts'), WRONG);
    run([...COMPILER, 'readme.ts', 'guide.ts', 'wrong.ts']);
  });

  function run(args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder.path, encoding: 'utf8' });
    expect({ args, status, output: stdout + stderr }).toMatchObject({ status: 0 });
    return stdout;
  }

  it('runs the example of the README', () => {
    expect(run(['out/readme.js']).split('\n')).toEqual([
      'machine_add_net: parameter-type i32 → bool',
      'MACHINE_LEVEL_ALL: constant-removed = 5 → ',
      'npm package: major',
      '',
    ]);
  });

  it('runs the example of the guide', () => {
    expect(run(['out/guide.js'])).toBe('extra_send value buffer, buffer-length\n');
  });

  it('is there for CommonJS, too', () => {
    writeFileSync(
      at('required.cjs'),
      `const { parseHeader } = require('a3s-build');
parseHeader({ headers: ['none.h'] }).then(({ ok, error }) => console.log(ok, error.code));
`,
    );
    expect(run(['required.cjs'])).toBe('false A3S5002\n');
  });

  it.each([
    ['undici', 'MIT', 'LICENSE'],
    ['tar', 'BlueOak-1.0.0', 'LICENSE.md'],
    ['@ts-morph/common', 'MIT', 'LICENSE'],
    ['semver', 'ISC', 'LICENSE'],
  ])('tells the licence of what it holds of others: %s', (name, licence, file) => {
    const folder = join(REPOSITORY, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = readFileSync(join(REPOSITORY, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    expect(text.split('\n')).toContain(`${name} ${version} (${licence})`);
    expect(text).toContain(readFileSync(join(folder, file), 'utf8').trim());
  });

  it('declares its types in words of its own', () => {
    const types = readFileSync(join(REPOSITORY, 'dist/index.d.cts'), 'utf8');
    expect(types).not.toMatch(/\bzod\b|\bZod|z\.infer|ERROR_TABLE/);
    expect(types).not.toMatch(/^import /m);
    for (const name of ['parseHeader', 'diffAbi', 'build', 'plan']) {
      expect(types).toMatch(new RegExp(`\\*/\\nexport declare function ${name}\\(`));
    }
  });
});
