import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, it } from 'vitest';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { REPOSITORY } from '../helpers/session.ts';

// The prefix of a full build stands for an installed libkrun: its own libkrun.pc tells where it is. Of the two, the one
// without a quote in its path, which pkg-config takes for one of its own syntax.
const { checkout, checkoutStore, temporary } = inject('fullBuild');
const system = join(checkout, 'linux-x64/prefix/lib');
const out = join(temporary, 'out of system');

const cli = (args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> =>
  runCli([...args, '--out', out], {
    cwd: REPOSITORY,
    env: {
      A3S_CACHE_DIR: checkoutStore,
      A3S_USE_SYSTEM_LIBKRUN: '1',
      PKG_CONFIG_LIBDIR: join(system, 'pkgconfig'),
      ...more,
    },
  });

let built: CliResult;
beforeAll(async () => {
  built = await cli(['--reporter', 'plain']);
});

it('takes a real libkrun and its kernel, and compiles neither', () => {
  expect(built).toMatchObject({ code: 0 });
  for (const file of ['libkrun.so.1', 'libkrunfw.so.5']) {
    const taken = readFileSync(join(out, 'linux-x64/prefix/lib', file));
    expect(taken.equals(readFileSync(join(system, file))), file).toBe(true);
  }
  const { steps } = JSON.parse(readFileSync(join(out, 'linux-x64/manifest.json'), 'utf8'));
  expect(steps.map(({ id }: { id: string }) => id)).not.toContain('init');
  const { facts } = steps.find(({ id }: { id: string }) => id === 'libkrun');
  expect(facts).toMatchObject({ origin: 'pkg-config', library: join(system, 'libkrun.so.1') });
});

it('says that it makes no packages, and refuses to when asked', async () => {
  expect(built.stderr).toMatch(/package +left out: .*never packed/);
  const asked = await cli(['--only', 'package']);
  expect(asked).toMatchObject({ code: 65 });
  expect(asked.stderr).toContain('A3S4001');
});

it('fails with what was looked for where there is none', async () => {
  const nothing = { PKG_CONFIG_LIBDIR: '/nonexistent', PKG_CONFIG_SYSROOT_DIR: '/nonexistent' };
  const result = await cli(['--reporter', 'plain', '--only', 'libkrun'], nothing);
  expect(result).toMatchObject({ code: 72 });
  for (const text of ['A3S1601', 'pkg-config', 'A3S_BUILD_LIBKRUN=1']) expect(result.stderr).toContain(text);
});
