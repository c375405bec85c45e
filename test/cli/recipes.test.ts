import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../pipeline/plan/config-file.ts';
import { codeBlock, codeBlocks } from '../helpers/documents.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const GUIDE = 'docs/bindings.md';
const HEADER = 'vendor/libkrun/include/libkrun.h';
const PROGRAM = 'node_modules/.bin/a3s-build';

let folder: ReturnType<typeof makeFolder>;
const at = (path: string) => join(folder.path, path);

function write(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

/** Runs a program in the project, as its owner would. */
function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder.path,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: folder.path,
      A3S_CACHE_DIR: at('.git/store'),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'x',
      GIT_AUTHOR_EMAIL: 'x@localhost',
      GIT_COMMITTER_NAME: 'x',
      GIT_COMMITTER_EMAIL: 'x@localhost',
    },
  });
  return { code: status, output: stdout + stderr };
}

function succeed(command: string, ...args: string[]): string {
  const { code, output } = run(command, ...args);
  expect({ command, args, code, output }).toMatchObject({ code: 0 });
  return output;
}

beforeEach(() => {
  folder = makeFolder('recipes');
  write('package.json', '{"name":"project"}');
  write('.gitignore', 'node_modules\nbuild\n');
  writeTree(at('vendor/libkrun'));
  mkdirSync(at('node_modules/.bin'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'dist/cli.cjs'), at(PROGRAM));
  succeed('git', 'init', '--quiet');
});
afterEach(() => folder.remove());

describe('the pre-commit hook', () => {
  beforeEach(() => {
    succeed(PROGRAM, 'bindings');
    succeed('git', 'add', '.');
    succeed('git', 'commit', '--quiet', '-m', 'start');
    write('.git/hooks/pre-commit', codeBlock(GUIDE, 'sh', 'bindings --check'));
    chmodSync(at('.git/hooks/pre-commit'), 0o755);
  });

  const addFunction = () => write(HEADER, `${readFileSync(at(HEADER), 'utf8')}void krun_stop(void);\n`);
  const commit = () => run('git', 'commit', '--quiet', '-m', 'change');

  it('refuses a header without its bindings, with the fix, and accepts it with them', () => {
    addFunction();
    succeed('git', 'add', HEADER);
    const refused = commit();
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('A3S3001');
    expect(refused.output).toContain('krun_stop() -> void');
    expect(refused.output).toContain('Fix: Run `a3s-build bindings` and commit generated/.');

    succeed(PROGRAM, 'bindings');
    const unstaged = commit();
    expect(unstaged.code).toBe(1);
    expect(unstaged.output).toContain('not staged');

    succeed('git', 'add', 'generated');
    expect(commit()).toMatchObject({ code: 0 });
  });

  it('refuses bindings without their header, and ones edited by hand', () => {
    addFunction();
    succeed(PROGRAM, 'bindings');
    succeed('git', 'add', 'generated');
    expect(commit()).toMatchObject({ code: 1, output: expect.stringContaining('not staged') });
    succeed('git', 'reset', '--quiet', '--hard');
    write('generated/sys.rs', '// mine\n');
    succeed('git', 'add', 'generated');
    expect(commit()).toMatchObject({ code: 1, output: expect.stringContaining('sys.rs is not as it was made') });
  });

  it('does not start the program for a commit of other files', () => {
    unlinkSync(at(PROGRAM));
    write(PROGRAM, '#!/bin/sh\nexit 9\n');
    chmodSync(at(PROGRAM), 0o755);
    write('other.txt', 'words\n');
    succeed('git', 'add', 'other.txt');
    expect(commit()).toMatchObject({ code: 0 });
  });
});

describe('the workflow', () => {
  it('runs the check that finds an edit by hand whose digest was made to fit', () => {
    const [, command = '', ...args] =
      /- run: (\S+) (\S+) (--check=full)$/m.exec(codeBlock(GUIDE, 'yaml', 'bindings')) ?? [];
    expect(command).toBe(PROGRAM);
    succeed(PROGRAM, 'bindings');
    succeed(command, ...args);
    write('generated/libkrun.d.ts', `${readFileSync(at('generated/libkrun.d.ts'), 'utf8')}// mine\n`);
    expect(run(command, ...args)).toMatchObject({ code: 2 });
  });

  it('takes actions by commit, and gives them nothing to write with', () => {
    const text = codeBlock(GUIDE, 'yaml', 'bindings');
    const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    expect(uses).toHaveLength(2);
    for (const action of uses) expect(action).toMatch(/@[0-9a-f]{40}$/);
    expect(text).toContain('permissions:\n  contents: read\n');
  });
});

it.each([GUIDE, 'README.md'])('the configurations in %s are accepted', (document) => {
  const configurations = codeBlocks(document, 'json');
  expect(configurations.length).toBeGreaterThan(0);
  for (const text of configurations) expect(parseConfigFile(text, document)).toHaveProperty('bindings');
});
