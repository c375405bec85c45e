import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const HEADER = readFileSync(new URL('../fixtures/abi/machine.h', import.meta.url), 'utf8');

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('bindings');
  write('package.json', '{"name":"project"}');
  write('old.h', HEADER);
});
afterEach(() => folder.remove());

const write = (path: string, text: string): void => writeFileSync(join(folder.path, path), text);
const bindings = (...args: string[]) =>
  runCli(['bindings', ...args], { cwd: folder.path, env: { A3S_CACHE_DIR: join(folder.path, 'store') } });

describe('the difference of two headers', () => {
  it('says nothing of two that are the same', async () => {
    expect(await bindings('--diff', 'old.h', 'old.h')).toMatchObject({ code: 0, stdout: 'semver: none\n' });
  });

  it('is told for each target, with the release that it needs', async () => {
    const changed = HEADER.replace('int fd,', 'bool fd,')
      .replace('#define MACHINE_LEVEL_ALL 5\n', '')
      .replace('#define MACHINE_NAME', '#ifdef __APPLE__\n#define MACHINE_HVF 1\n#endif\n#define MACHINE_NAME');
    write('new.h', changed);
    const { code, stdout, stderr } = await bindings('--diff', 'old.h', 'new.h');
    expect(stdout.split('\n')).toEqual([
      'old.h → new.h for linux-x64, linux-arm64',
      '- BREAKING removed  MACHINE_LEVEL_ALL = 5',
      '~ BREAKING changed  machine_add_net: argument 2  i32 → bool',
      'old.h → new.h for darwin-arm64',
      '- BREAKING removed  MACHINE_LEVEL_ALL = 5',
      '~ BREAKING changed  machine_add_net: argument 2  i32 → bool',
      '+ added             MACHINE_HVF = 1',
      'semver: major',
      '',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('is JSON for machines, with what the headers leave open', async () => {
    write('new.h', `${HEADER}\nint machine_odd(int *out);\n`);
    const { stdout } = await bindings('--diff', 'old.h', 'new.h', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      before: 'old.h',
      after: 'new.h',
      differences: [
        {
          targets: ['linux-x64', 'linux-arm64', 'darwin-arm64'],
          changes: [{ change: 'added', kind: 'function-added', name: 'machine_odd', rust: 'minor', npm: 'patch' }],
        },
      ],
      semver: { rust: 'minor', npm: 'patch' },
      notes: [expect.stringContaining('new.h: not proven: machine_odd'), expect.any(String)],
    });
  });

  it.each([
    [['old.h'], 64, 'A3S1001', '1 given'],
    [['old.h', 'old.h', 'old.h'], 64, 'A3S1001', '3 given'],
    [['old.h', 'old.h', '--check'], 64, 'A3S1001', '--check'],
    [['old.h', 'none.h'], 74, 'A3S5002', 'none.h'],
    [['old.h', '/dev/zero'], 65, 'A3S3002', '/dev/zero is not a file'],
    [['old.h', 'broken.h'], 65, 'A3S3002', 'broken.h:1:9'],
  ])('of %j is refused', async (paths, code, name, text) => {
    write('broken.h', 'int old(;\n');
    const result = await bindings('--diff', ...paths);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(name);
    expect(result.stderr).toContain(text);
  });
});

describe('the check', () => {
  it('is fast or full', async () => {
    const result = await bindings('--check=quick');
    expect(result.code).toBe(64);
    expect(result.stderr).toContain('A3S1001');
    expect(result.stderr).toContain('fast, full');
  });

  it.each([
    ['{\n  "form": 1,\n  "target": linux\n}', 'generated/abi.json:3:13'],
    ['{\n  "form": 9\n}', 'generated/abi.json:2:11'],
  ])('refuses a lock that cannot be read, with line and column: %j', async (text, place) => {
    writeTree(join(folder.path, 'vendor/libkrun'));
    mkdirSync(join(folder.path, 'generated'));
    write('generated/abi.json', text);
    const result = await bindings('--check');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('A3S3001');
    expect(result.stderr).toContain(place);
  });
});
