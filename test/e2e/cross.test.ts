import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { $ } from 'zx';
import { guestKernelRelease } from '../../pipeline/binary/symbol-data.ts';
import { prepareEmulation } from '../boot/emulation.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { bootFromNode, installConsumer } from './boot-from-node.ts';
import { crossVariables } from './cross-tools.ts';

const BUILD_MS = 2_400_000;
/** Bytes at most of a packed platform package. */
const BUDGETS = { 'linux-x64-gnu': 12e6, 'linux-arm64-gnu': 18e6, 'darwin-arm64': 18e6 } as const;

const { checkout, checkoutStore, temporary } = inject('fullBuild');
const out = join(temporary, 'cross');
const packages = join(out, 'npm');

/** Runs the command line with the tools for other targets, as a machine has them that was set up for all of them. */
const a3sBuild = $({
  cwd: REPOSITORY,
  env: { ...process.env, ...crossVariables(), A3S_CACHE_DIR: checkoutStore },
});

beforeAll(async () => {
  const began = Date.now();
  await a3sBuild`node dist/cli.cjs --reporter plain --target all --linker zig --glibc 2.28 --out ${out}`;
  console.log(`all targets: ${Math.round((Date.now() - began) / 1000)} s`);
}, BUILD_MS);

function tarball(suffix: string): string {
  const name = readdirSync(packages).find((entry) => entry.includes(suffix));
  return join(packages, name ?? expect.unreachable(`no tarball of ${suffix}`));
}

describe('the packages of all targets, built on one machine', () => {
  it('are one for each target and the root, and fit to publish together', async () => {
    expect(readdirSync(packages)).toHaveLength(4);
    const told = await a3sBuild`node dist/cli.cjs verify ${packages}`;
    expect(told.stderr + told.stdout).toContain('4 ');
  });

  it.each(Object.entries(BUDGETS))('keep %s within %i bytes', (suffix, budget) => {
    const { size } = statSync(tarball(suffix));
    console.log(`${suffix}: ${(size / 1e6).toFixed(1)} MB packed`);
    expect(size).toBeLessThanOrEqual(budget);
  });

  it('have the same linux-x64 as a build for this system alone: files, modes, names and exports', async () => {
    const [cross, native] = [join(temporary, 'cross-x64'), join(temporary, 'native-x64')];
    for (const [folder, from] of [
      [cross, packages],
      [native, join(checkout, 'npm')],
    ] as const) {
      mkdirSync(folder);
      for (const name of readdirSync(from).filter((entry) => entry.includes('linux-x64'))) {
        cpSync(join(from, name), join(folder, name));
      }
    }
    await a3sBuild`node dist/cli.cjs compare ${native} ${cross} --layout`;
  });
});

it('needs on linux-x64 the glibc that was asked for, not that of this machine', async () => {
  const { stdout } = await $`tar -xOzf ${tarball('linux-x64-gnu')} package/versions.json`;
  expect(JSON.parse(stdout)).toMatchObject({ glibc: '2.28' });
});

describe('the packages for linux-arm64', () => {
  it('boot a microVM from Node in an emulated arm64 machine, on the kernel that they hold', async () => {
    const project = join(temporary, 'consumer-arm64');
    const suffixes = readdirSync(packages).filter((name) => name.includes('arm64-gnu') || /libkrun-\d/.test(name));
    await installConsumer(
      project,
      suffixes.map((name) => join(packages, name)),
      'linux-arm64',
    );
    const emulation = await prepareEmulation(join(temporary, 'emulation-arm64'), 'arm64');
    const nonce = process.env['A3S_BOOT_NONCE'] ?? randomUUID();
    const { output, exitCode } = await bootFromNode(emulation, 'emulation', project, nonce);
    expect(exitCode, output).toBe(0);
    const guest = /^guest: (\S+) (\S+) aarch64$/m.exec(output);
    console.log(`guest: ${guest?.[1]} ${guest?.[2]} aarch64 via emulation`);
    expect(guest?.[1]).toBe(nonce);
    const firmware = join(project, 'node_modules/@a3s-lab/libkrun-linux-arm64-gnu/lib/libkrunfw.so.5');
    expect(guest?.[2]).toBe(guestKernelRelease(readFileSync(firmware)));
    expect(guest?.[2]).not.toBe(emulation.kernel.release);
  });
});
