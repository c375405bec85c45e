import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import { runCli } from '../helpers/cli.ts';
import { REPOSITORY } from '../helpers/session.ts';

const { checkoutStore, temporary } = inject('fullBuild');

it('come out equal to the committed ones when the pinned version is pinned again from the real registry', async () => {
  const project = join(temporary, 'pinned');
  mkdirSync(project);
  writeFileSync(join(project, 'a3s-build.config.json'), '{}');
  const committed = (path: string): string => readFileSync(join(REPOSITORY, 'vendor', path), 'utf8');
  const { version } = parseLibkrunPins(committed('libkrun.json'), 'libkrun.json').crate;
  const result = await runCli(['pin', 'source', version], { cwd: project, env: { A3S_CACHE_DIR: checkoutStore } });
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(/^semver: none$/m);
  for (const path of ['libkrun.json', 'source-crate/Cargo.toml', 'source-crate/Cargo.lock']) {
    expect(readFileSync(join(project, 'vendor', path), 'utf8')).toBe(committed(path));
  }
});
