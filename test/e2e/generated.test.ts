import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { REPOSITORY } from '../helpers/session.ts';

const { checkoutStore, temporary } = inject('fullBuild');
const env = { A3S_CACHE_DIR: checkoutStore };

it('is what the generator makes of libkrun.h', async () => {
  const result = await runCli(['bindings', '--check=full'], { cwd: REPOSITORY, env });
  expect(result.stderr).toContain('generated/ is what libkrun.h gives');
  expect(result.code).toBe(0);
});

it('is called stale, with what changed, when it is not', async () => {
  const project = join(temporary, 'stale');
  mkdirSync(project);
  writeFileSync(join(project, 'a3s-build.config.json'), '{}');
  cpSync(join(REPOSITORY, 'generated'), join(project, 'generated'), { recursive: true });
  const lock = join(project, 'generated/abi.json');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('"krun_free_ctx"', '"krun_release_ctx"'));
  const before = readFileSync(lock, 'utf8');

  const check = await runCli(['bindings', '--check'], { cwd: project, env });
  expect(check.code).toBe(2);
  for (const text of [
    'A3S3001',
    '- BREAKING removed  krun_release_ctx(u32)',
    '+ added             krun_free_ctx(u32)',
  ]) {
    expect(check.stderr).toContain(text);
  }
  expect(check.stderr).toMatch(/^ {2}semver: major$/m);
  const json = await runCli(['bindings', '--check', '--json'], { cwd: project, env });
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({ fresh: false, semver: { npm: { bump: 'major', enough: false } } });
  expect(readFileSync(lock, 'utf8')).toBe(before);

  expect(await runCli(['bindings'], { cwd: project, env })).toMatchObject({ code: 0 });
  expect(readFileSync(lock, 'utf8')).toBe(readFileSync(join(REPOSITORY, 'generated/abi.json'), 'utf8'));
  expect(await runCli(['bindings', '--check'], { cwd: project, env })).toMatchObject({ code: 0 });
});
