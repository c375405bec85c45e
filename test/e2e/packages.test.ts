import { randomUUID } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { $ } from 'zx';
import { guestKernelRelease } from '../../pipeline/binary/symbol-data.ts';
import { ADDON_CHECKS, loadAddon } from '../addon/checks.ts';
import { type Via, whereToBoot } from '../boot/boot-vm.ts';
import { type Emulation, prepareEmulation } from '../boot/emulation.ts';
import { bootFromNode, installConsumer, ROOT_PACKAGE } from './boot-from-node.ts';

const PLATFORM_PACKAGE = '@a3s-lab/libkrun-linux-x64-gnu';

const { installed, temporary } = inject('fullBuild');
const project = join(temporary, 'consumer');
const platform = join(project, 'node_modules', PLATFORM_PACKAGE);

beforeAll(async () => {
  const tarballs = readdirSync(join(installed, 'npm')).map((name) => join(installed, 'npm', name));
  await installConsumer(project, tarballs, 'linux-x64');
});

/** What a script in the consumer's project prints. */
async function node(name: string, text: string, ...flags: string[]): Promise<string> {
  writeFileSync(join(project, name), text);
  return (await $({ cwd: project })`${process.execPath} ${flags} ${name}`).stdout.trim();
}

describe('the installed packages', () => {
  it('load from CommonJS and from ESM, and are the same library', async () => {
    const use =
      'const id = raw.krunCreateCtx(); raw.krunFreeCtx(id); console.log(raw.KRUN_LOG_LEVEL_TRACE, typeof run);';
    expect(await node('a.cjs', `const { raw, run } = require('${ROOT_PACKAGE}'); ${use}`)).toBe('5 function');
    expect(await node('a.mjs', `import { raw, run } from '${ROOT_PACKAGE}'; ${use}`)).toBe('5 function');
    expect(
      await node('b.mjs', `import { krunCreateCtx } from '${ROOT_PACKAGE}/raw'; console.log(krunCreateCtx() >= 0);`),
    ).toBe('true');
  });

  it('do not load the addon before it is used', async () => {
    const text = `const before = process.report.getReport().sharedObjects.length; require('${ROOT_PACKAGE}');
      console.log(process.report.getReport().sharedObjects.length - before);`;
    expect(await node('lazy.cjs', text)).toBe('0');
  });

  it('throw system errors and range errors that name what is wrong', async () => {
    const text = `const { raw } = require('${ROOT_PACKAGE}');
      const told = (call) => { try { call(); return 'nothing'; } catch (error) { return [error.name, error.code, error.errno, error.syscall, /ctxId/.test(error.message)].join(); } };
      console.log(told(() => raw.krunFreeCtx(4242)), told(() => raw.krunFreeCtx(NaN)), told(() => raw.krunSetTeeConfigFile(0, 'x')));`;
    expect(await node('errors.cjs', text)).toBe(
      'Error,ENOENT,-2,krun_free_ctx,false RangeError,ERR_OUT_OF_RANGE,,,true Error,ENOSYS,-38,krun_set_tee_config_file,false',
    );
  });

  it('have declarations that TypeScript accepts, in both module systems', async () => {
    const use = `import { raw, run } from '${ROOT_PACKAGE}';
      export const code: Promise<number> = Promise.resolve(run({ root: '/', command: '/bin/true' }));
      const level: 5 = raw.KRUN_LOG_LEVEL_TRACE;
      // @ts-expect-error a string is no context
      raw.krunFreeCtx('0', level);`;
    writeFileSync(join(project, 'use.mts'), use);
    writeFileSync(join(project, 'use.cts'), use);
    const types = join(import.meta.dirname, '../../node_modules/@types');
    const tsc = join(import.meta.dirname, '../../node_modules/.bin/tsc');
    await $({
      cwd: project,
    })`${tsc} --noEmit --strict --module nodenext --target es2023 --types node --typeRoots ${types} use.mts use.cts`;
  });
});

describe('the packed addon', () => {
  const file = join(platform, 'libkrun.linux-x64-gnu.node');
  it.each(ADDON_CHECKS)('$title', async (check) => check.run(loadAddon(file), file));
});

describe('a microVM started from Node by run()', () => {
  let emulation: Emulation;
  let via: Via;
  beforeAll(async () => {
    emulation = await prepareEmulation(join(temporary, 'emulation'));
    via = await whereToBoot(join(installed, 'linux-x64/prefix'), emulation);
  });

  it('prints the nonce that came through its environment, on the kernel of the packed libkrunfw', async () => {
    const nonce = process.env['A3S_BOOT_NONCE'] ?? randomUUID();
    const { output, exitCode } = await bootFromNode(emulation, via, project, nonce);
    const guest = /^guest: (\S+) (\S+) x86_64$/m.exec(output);
    console.log(`guest: ${guest?.[1]} ${guest?.[2]} via ${via}`);
    expect(exitCode, output).toBe(0);
    expect(guest?.[1]).toBe(nonce);
    expect(guest?.[2]).toBe(guestKernelRelease(readFileSync(join(platform, 'lib/libkrunfw.so.5'))));
    expect([release(), emulation.kernel.release]).not.toContain(guest?.[2]);
  });

  it('does not boot with a broken firmware', async () => {
    const broken = join(temporary, 'broken');
    cpSync(project, broken, { recursive: true });
    truncateSync(join(broken, 'node_modules', PLATFORM_PACKAGE, 'lib/libkrunfw.so.5'), 4096);
    const { output, exitCode } = await bootFromNode(emulation, via, broken, randomUUID());
    expect(output).not.toContain('guest: ');
    expect(output).toContain('LAUNCHER_LIBRARY');
    expect(exitCode).toBe(3);
  });
});
