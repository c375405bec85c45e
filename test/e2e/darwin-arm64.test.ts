import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { $ } from 'zx';
import { readMachO } from '../../pipeline/binary/macho.ts';
import {
  HYPERVISOR_DECLARATIONS,
  HYPERVISOR_LIBRARY,
  hypervisorFunctions,
} from '../../pipeline/plan/hypervisor-stub.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { crossVariables } from './cross-tools.ts';

const { checkoutStore, temporary } = inject('fullBuild');
const out = join(temporary, 'darwin out');
const unpacked = join(temporary, 'darwin package');

const env = { ...process.env, ...crossVariables(), CI: '', A3S_CACHE_DIR: checkoutStore };
const a3sBuild = $({ cwd: REPOSITORY, env });

beforeAll(async () => {
  await a3sBuild`node dist/cli.cjs --target darwin-arm64 --reporter plain --out ${out}`;
  const [tarball] = readdirSync(join(out, 'npm')).filter((name) => name.includes('darwin-arm64'));
  if (tarball === undefined) throw new Error('no tarball for darwin-arm64 was made');
  await $`mkdir ${unpacked} && tar -xzf ${join(out, 'npm', tarball)} -C ${unpacked}`;
}, 1_500_000);

const FILES = {
  addon: 'libkrun.darwin-arm64.node',
  launcher: 'bin/krun-launcher',
  library: 'lib/libkrun.1.dylib',
  firmware: 'lib/libkrunfw.5.dylib',
} as const;

const pathOf = (role: keyof typeof FILES): string => join(unpacked, 'package', FILES[role]);
const read = (role: keyof typeof FILES) => readMachO(readFileSync(pathOf(role)), FILES[role]);

/** What llvm reads in the load commands: a second opinion beside our own reader's. */
const loadCommands = async (role: keyof typeof FILES): Promise<string> =>
  (await $`llvm-objdump --macho --private-headers ${pathOf(role)}`).stdout;

describe('the package for darwin-arm64, made on Linux', () => {
  it.each([
    ['addon', '@rpath/libkrun.darwin-arm64.node'],
    ['library', '@rpath/libkrun.1.dylib'],
    ['firmware', 'libkrunfw.5.dylib'],
    ['launcher', null],
  ] as const)('calls its %s %s', async (role, name) => {
    expect(read(role).installName).toBe(name);
    const told = /cmd LC_ID_DYLIB\n.*\n\s+name (\S+)/.exec(await loadCommands(role))?.[1] ?? null;
    expect(told).toBe(name);
  });

  it('has libkrun look for the guest kernel beside itself', async () => {
    expect(read('library').rpaths).toEqual(['@loader_path']);
    expect(await loadCommands('library')).toMatch(/cmd LC_RPATH\n.*\n\s+path @loader_path /);
  });

  it.each(['addon', 'launcher', 'library'] as const)('asks for macOS 11.0 in its %s', async (role) => {
    expect(read(role).platforms).toMatchObject([{ platform: 'macos', minimum: '11.0' }]);
    expect(await loadCommands(role)).toMatch(/minos 11\.0\n/);
  });

  it.each([
    ['addon', null],
    ['launcher', { 'com.apple.security.hypervisor': true }],
    ['library', null],
    ['firmware', null],
  ] as const)('has signed its %s ad hoc, every page, with the entitlements %j', (role, entitlements) => {
    const { signature } = read(role);
    expect(signature).toMatchObject({
      entitlements,
      derEntitlements: entitlements,
      hasCertificate: false,
      problems: [],
    });
    for (const directory of signature?.directories ?? []) expect(directory.adHoc).toBe(true);
    expect(signature?.directories.length).toBeGreaterThan(0);
  });

  it('takes from Hypervisor.framework what the source declares, and all of it from there', () => {
    const [source = ''] = readdirSync(join(checkoutStore, 'v1/results/source'));
    const file = join(checkoutStore, 'v1/results/source', source, 'out', HYPERVISOR_DECLARATIONS);
    const declared = hypervisorFunctions(readFileSync(file, 'utf8')).map((name) => `_${name}`);
    const imports = read('library').imports.filter(({ name }) => name.startsWith('_hv_'));
    expect(imports.length).toBeGreaterThan(10);
    for (const { name, from } of imports) {
      expect(declared).toContain(name);
      expect(from).toEqual({ library: HYPERVISOR_LIBRARY });
    }
  });
});

it('compiles a guest kernel that comes as source, names and signs it', async () => {
  const source = join(temporary, 'kernel.c');
  writeFileSync(
    source,
    `#include <stddef.h>
    char KERNEL_BUNDLE[] = "Linux version 6.12.98 (root@libkrunfw) (gcc 13) #1 SMP";
    char *krunfw_get_kernel(size_t *load, size_t *entry, size_t *size) { *load = *entry = 0; *size = sizeof KERNEL_BUNDLE; return KERNEL_BUNDLE; }
    int krunfw_get_version(void) { return ABI_VERSION; }`,
  );
  const own = join(temporary, 'darwin kernel');
  const variables = { ...env, A3S_LIBKRUNFW_DYLIB_DARWIN_ARM64: source };
  const built = $({ cwd: REPOSITORY, env: variables });
  await built`node dist/cli.cjs --target darwin-arm64 --only firmware --reporter plain --out ${own}`;
  const manifest = JSON.parse(readFileSync(join(own, 'darwin-arm64/manifest.json'), 'utf8'));
  const file = join(checkoutStore, 'v1/results/firmware', manifest.steps[0].key, 'out/lib/libkrunfw.5.dylib');
  const library = readMachO(readFileSync(file), file);
  expect(library.installName).toBe('libkrunfw.5.dylib');
  expect(library.platforms).toMatchObject([{ platform: 'macos', minimum: '11.0' }]);
  expect(library.signature).toMatchObject({ problems: [] });
});
