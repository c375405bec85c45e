import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootVm, type Via, type VmRequest, whereToBoot } from './boot-vm.ts';
import { bootInEmulation, type Emulation, prepareEmulation } from './emulation.ts';
import { firmwareKernelRelease } from './firmware.ts';

const prefix = process.env['A3S_BOOT_PREFIX'] ?? '';
const LIMIT_MS = 90_000;
if (prefix === '') console.warn('SKIPPED: no microVM was booted; A3S_BOOT_PREFIX names no prefix');

const shell = (text: string): VmRequest => ({ command: '/bin/sh', arguments: ['-c', text] });

describe.skipIf(prefix === '')('krun-launcher', () => {
  let workdir = '';
  let emulation: Emulation;
  let via: Via;
  const boot = (vm: VmRequest, from: string = prefix) => bootVm(from, emulation, via, vm, LIMIT_MS);

  beforeAll(async () => {
    workdir = await mkdtemp(join(tmpdir(), 'launcher-test-'));
    emulation = await prepareEmulation(workdir);
    via = await whereToBoot(prefix, emulation);
  });
  afterAll(() => rm(workdir, { recursive: true, force: true }));

  it('boots the kernel of libkrunfw and passes environment, output and exit code', async () => {
    const nonce = process.env['A3S_BOOT_NONCE'] ?? randomUUID();
    const result = await boot({ ...shell('echo $NONCE; uname -r; exit 7'), environment: { NONCE: nonce } });
    const [printed, kernel] = result.stdout.split('\n');
    console.log(`guest: ${printed} ${kernel} via ${result.via}`);
    expect(result).toMatchObject({ exitCode: 7, failure: undefined });
    expect(printed).toBe(nonce);
    expect(kernel).toBe(await firmwareKernelRelease(join(prefix, 'lib/libkrunfw.so.5')));
    expect([release(), emulation.kernel.release]).not.toContain(kernel);
  });

  it('passes on arguments, variables and the working folder exactly', async () => {
    const values = [' two  spaces ', '', 'a=b', "it's", '$HOME;&|<>*?[]{}()`\\', '%s%n', '-x', '#!~^@,.:/+'];
    const environment = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
    const told = await boot({ ...shell('pwd; cat /proc/self/environ'), environment, workdir: '/tmp' });
    const [folder, variables = ''] = told.stdout.split('\n', 2);
    expect(folder).toBe('/tmp');
    expect(variables.split('\0')).toEqual(
      expect.arrayContaining(Object.entries(environment).map(([name, value]) => `${name}=${value}`)),
    );
    const printed = await boot({ command: '/bin/printf', arguments: ['[%s]\\n', ...values] });
    expect(printed.stdout).toBe(values.map((value) => `[${value}]\n`).join(''));
  });

  it('takes as many arguments and variables as it says it does', async () => {
    const words = Array.from({ length: 31 }, (_, index) => `word-${index}`);
    const variables = words.slice(0, 26).map((word, index) => [`V${index}`, word] as const);
    const vm = { command: '/bin/echo', arguments: words, environment: Object.fromEntries(variables) };
    expect(await boot(vm)).toMatchObject({ exitCode: 0, stdout: `${words.join(' ')}\n` });
    const long = 'x'.repeat(1600);
    expect(await boot({ command: '/bin/echo', arguments: [long] })).toMatchObject({ stdout: `${long}\n` });
  });

  it('tells a firmware that was cut off from a guest that fails', async () => {
    const broken = join(workdir, 'broken');
    await cp(prefix, broken, { recursive: true });
    const firmware = join(broken, 'lib/libkrunfw.so.5');
    await truncate(firmware, Math.floor((await stat(firmware)).size / 2));
    const result = await boot(shell('echo up'), broken);
    expect(result).toMatchObject({ exitCode: 125, stdout: '', failure: { code: 'LAUNCHER_LIBRARY' } });
    expect(result.stderr).toContain('cut off');
  });

  it('does not call it a success when the guest resets itself', async () => {
    expect(await boot(shell('reboot -f'))).toMatchObject({ exitCode: 125, failure: { code: 'LAUNCHER_GUEST_LOST' } });
  });

  it('passes on input and signals, and leaves no VM behind', async () => {
    const launcher = '/prefix/bin/krun-launcher --description';
    const asleep = JSON.stringify({ root: '/guest', ...shell('echo up; sleep 100') });
    const wait = 'until grep -q up /tmp/out; do sleep 0.2; done; : >/tmp/out';
    const command = `
      echo '${JSON.stringify({ root: '/guest', command: '/bin/cat' })}' >/tmp/cat.json
      echo '${asleep}' >/tmp/asleep.json
      echo from-stdin | ${launcher} /tmp/cat.json 2>/tmp/err | sed 's/^/cat: /'
      ${launcher} /tmp/asleep.json >/tmp/out 2>/tmp/err & id=$!; ${wait}; kill -TERM $id; wait $id; echo "term: $?"
      ${launcher} /tmp/asleep.json >/tmp/out 2>/tmp/err & id=$!; ${wait}; kill -KILL $id; wait $id; sleep 1
      echo "left: $(grep -l [k]run-launcher /proc/[0-9]*/cmdline | wc -l)"
      `;
    const files = [{ hostPath: prefix, guestPath: '/prefix' }];
    const { output } = await bootInEmulation(emulation, { files, command, timeoutMs: LIMIT_MS });
    for (const line of ['cat: from-stdin', 'term: 143', 'left: 0']) {
      expect(output.split('\n')).toContain(line);
    }
  });
});
