import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CIRCUMSTANCES, underUmask } from '../../pipeline/plan/circumstances.ts';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let project: string;
beforeEach(() => {
  folder = makeFolder('reproduce');
  project = join(folder.path, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'a3s-build.config.json'), '{}');
});
afterEach(() => folder.remove());

const run = (env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli(['reproduce', '--same-user'], { cwd: project, env: { A3S_CACHE_DIR: join(folder.path, 'store'), ...env } });

it('differs in everything between the two circumstances', () => {
  const [one, other] = CIRCUMSTANCES;
  expect(one.folder.length).not.toBe(other.folder.length);
  expect(one.umask).not.toBe(other.umask);
  for (const name of Object.keys(one.variables)) expect(one.variables[name]).not.toBe(other.variables[name]);
});

it('starts a command under another umask, with its arguments as they are', () => {
  const [command = '', ...args] = underUmask('027', ['sh', '-c', 'umask; echo "$1"', 'sh', "it's $HOME"]);
  expect(execFileSync(command, args, { encoding: 'utf8' })).toBe("0027\nit's $HOME\n");
});

it('refuses a folder that Git does not know', async () => {
  const { code, stderr } = await run();
  expect(stderr).toContain('A3S4024');
  expect(stderr).toContain('Start it in a clone');
  expect(code).toBe(64);
});

it('refuses stub mode', async () => {
  expect((await run({ A3S_DEPS_STUB: '1' })).stderr).toContain('A3S1501');
});

it('says which commit it builds, that there are changes, and what a build fails with', async () => {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: project });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  // No source, and a cargo that cannot fetch one.
  const env = { CARGO: '/nonexistent/cargo' };
  const { code, stderr } = await run(env);
  expect(stderr).toMatch(/commit [0-9a-f]{40}: 1 files\n/);
  expect(stderr).toContain('A3S1204');
  expect(stderr).toContain('A3S1201');
  expect(code).toBe(1);
  writeFileSync(join(project, 'a3s-build.config.json'), '{"jobs":1}');
  expect((await run(env)).stderr).toMatch(/commit [0-9a-f]{40}, with uncommitted changes: 1 files/);
});
