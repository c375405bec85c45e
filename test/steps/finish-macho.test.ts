import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machoTools } from '../../pipeline/plan/macho-tools.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { type FinishContext, finishMachO } from '../../pipeline/steps/finish-macho.ts';

/** Writes down how it was called, says something, and ends as the test wants. */
const FAKE = `#!/bin/sh
echo "$(basename "$0") $*" >> "$(dirname "$0")/../calls"
echo "words of $(basename "$0")" >&2
exit "$(cat "$(dirname "$0")/$(basename "$0").code" 2>/dev/null || echo 0)"
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finish '));
  await mkdir(join(folder, 'bin'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function install(...names: string[]): Promise<void> {
  for (const name of names) {
    await writeFile(join(folder, 'bin', name), FAKE);
    await chmod(join(folder, 'bin', name), 0o755);
  }
}

/** The context of a step on `host`, where only the programs named were found. */
function contextOf(host: 'linux-x64' | 'darwin-arm64', programs: readonly string[]): FinishContext {
  return {
    config: { host: TARGETS[host], target: TARGETS['darwin-arm64'] },
    variables: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
    log: join(folder, 'log'),
    signal: new AbortController().signal,
    temporary: folder,
    tools: { programs: Object.fromEntries(programs.map((name) => [name, { command: name, args: [] }])) },
  } as unknown as FinishContext;
}

const calls = async (): Promise<string[]> => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');

const LIBRARY = { file: '/out/libkrun.1.dylib', installName: '@rpath/libkrun.1.dylib', entitlements: null };
const LAUNCHER = { file: '/out/krun-launcher', installName: null, entitlements: '/native/entitlements.plist' };

const HOSTS = [
  [
    'linux-x64',
    ['llvm-install-name-tool', 'rcodesign'],
    [
      'llvm-install-name-tool -id @rpath/libkrun.1.dylib /out/libkrun.1.dylib',
      'rcodesign sign --config-file /dev/null --binary-identifier libkrun.1.dylib /out/libkrun.1.dylib',
    ],
    'rcodesign sign --config-file /dev/null --binary-identifier krun-launcher --entitlements-xml-file /native/entitlements.plist /out/krun-launcher',
  ],
  [
    'darwin-arm64',
    ['install_name_tool', 'codesign'],
    [
      'install_name_tool -id @rpath/libkrun.1.dylib /out/libkrun.1.dylib',
      'codesign --force --sign - --identifier libkrun.1.dylib /out/libkrun.1.dylib',
    ],
    'codesign --force --sign - --identifier krun-launcher --entitlements /native/entitlements.plist /out/krun-launcher',
  ],
] as const;

describe.each(HOSTS)('finishMachO on %s', (host, programs, library, launcher) => {
  it('names a library and signs it last', async () => {
    await install(...programs);
    await finishMachO(contextOf(host, programs), LIBRARY);
    expect(await calls()).toEqual(library);
  });

  it('signs an executable with its entitlements, and gives it no name', async () => {
    await install(...programs);
    await finishMachO(contextOf(host, programs), LAUNCHER);
    expect(await calls()).toEqual([launcher]);
  });

  it.each(programs)('ends the build when %s fails, with what it said', async (program) => {
    await install(...programs);
    await writeFile(join(folder, 'bin', `${program}.code`), '3');
    const outcome = finishMachO(contextOf(host, programs), LIBRARY);
    await expect(outcome).rejects.toMatchObject({
      code: 'A3S1222',
      message: `${program} failed with exit code 3 for libkrun.1.dylib: words of ${program}`,
    });
  });

  it.each(programs)('ends the build when %s is missing', async (program) => {
    await install(...programs);
    const there = programs.filter((name) => name !== program);
    const outcome = finishMachO(contextOf(host, there), LIBRARY);
    await expect(outcome).rejects.toMatchObject({ code: 'A3S1221', message: `missing: ${program}` });
  });
});

it("finds llvm's program under the name that Debian gives it", async () => {
  await install('llvm-install-name-tool-14', 'rcodesign');
  await finishMachO(contextOf('linux-x64', ['llvm-install-name-tool-14', 'rcodesign']), LIBRARY);
  expect((await calls())[0]).toMatch(/^llvm-install-name-tool-14 -id /);
});

it('never signs a file that could not be named', async () => {
  await install('install_name_tool', 'codesign');
  await writeFile(join(folder, 'bin', 'install_name_tool.code'), '1');
  await expect(finishMachO(contextOf('darwin-arm64', ['install_name_tool', 'codesign']), LIBRARY)).rejects.toThrow();
  expect(await calls()).toHaveLength(1);
});

it('has the same two tasks on every system that builds', () => {
  for (const host of Object.values(TARGETS)) expect(Object.keys(machoTools(host))).toEqual(['rename', 'sign']);
});
