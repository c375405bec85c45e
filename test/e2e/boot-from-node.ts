import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { $ } from 'zx';
import type { Via } from '../boot/boot-vm.ts';
import { bootInEmulation, type EmulatedResult, type Emulation } from '../boot/emulation.ts';

export const ROOT_PACKAGE = '@a3s-lab/libkrun';

const BOOT_MS = 180_000;

/** Makes a project in which the packed tarballs are installed; `system` is that of the packages (`linux-arm64`). */
export async function installConsumer(project: string, tarballs: readonly string[], system: string): Promise<void> {
  const [os, cpu] = system.split('-');
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  // npm refuses a named package of another system, whatever it is told of the system.
  const force = system === `${process.platform}-${process.arch}` ? [] : ['--force'];
  const flags = [...force, '--offline', '--no-audit', '--no-fund', `--os=${os}`, `--cpu=${cpu}`, '--libc=glibc'];
  await $({ cwd: project })`npm install ${flags} ${tarballs}`;
}

/**
 * Boots a microVM from Node by `run()` of the packages that are installed in `consumer`, on this machine or in an emulated
 * host. The guest prints `guest: <nonce> <kernel>`; exit code 3 is a `VmError`, which is printed with its code.
 */
export async function bootFromNode(
  emulation: Emulation,
  via: Via,
  consumer: string,
  nonce: string,
): Promise<Pick<EmulatedResult, 'output' | 'exitCode'>> {
  writeFileSync(join(consumer, 'boot.mjs'), BOOT_SCRIPT);
  if (via === 'kvm') {
    const root = join(emulation.workdir, `root-${randomUUID()}`);
    mkdirSync(join(root, 'bin'), { recursive: true });
    cpSync(emulation.busybox, join(root, 'bin/busybox'));
    const result = await $({
      nothrow: true,
      env: { ...process.env, GUEST_ROOT: root, NONCE: nonce },
    })`${process.execPath} ${join(consumer, 'boot.mjs')}`;
    return { output: result.stdout + result.stderr, exitCode: result.exitCode ?? -1 };
  }
  return bootInEmulation(emulation, {
    files: [{ hostPath: consumer, guestPath: '/consumer' }],
    needsNode: true,
    environment: { NONCE: nonce },
    command: 'GUEST_ROOT=$GUEST_ROOT node /consumer/boot.mjs 2>&1',
    timeoutMs: BOOT_MS,
  });
}

const BOOT_SCRIPT = `
import { writeFileSync } from 'node:fs';
import { run, VmError } from '${ROOT_PACKAGE}';
const root = process.env.GUEST_ROOT;
writeFileSync(root + '/hello.sh', 'echo "guest: $NONCE $(/bin/busybox uname -r) $(/bin/busybox uname -m)"\\nexit 7\\n');
try {
  const vm = run(
    { root, command: '/bin/busybox', arguments: ['sh', '/hello.sh'], environment: { NONCE: process.env.NONCE }, memoryMib: 256 },
    { stdio: 'pipe' },
  );
  vm.stdout.pipe(process.stdout);
  vm.stderr.pipe(process.stderr);
  const code = await vm;
  process.exitCode = code === 7 ? 0 : 4;
} catch (error) {
  console.log(error instanceof VmError ? error.code + ': ' + error.message : String(error));
  process.exitCode = error instanceof VmError ? 3 : 5;
}
`;
