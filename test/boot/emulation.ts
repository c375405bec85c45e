import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { access, constants, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type PlacedFile, placeBusybox, placeFiles, withFolder } from './file-tree.ts';
import { type HostKernel, hostKernel } from './host-kernel.ts';
import { type EmulatedArch, type EmulatedMachine, MACHINES } from './machines.ts';
import { query, runProgram } from './process.ts';

/**
 * What an emulated host needs. Three systems are in play: this machine; the emulated host, a Debian kernel in QEMU's
 * software emulation with a `/dev/kvm` of its own; and the microVM that is started in there.
 */
export interface Emulation {
  readonly workdir: string;
  readonly machine: EmulatedMachine;
  readonly qemu: string;
  readonly cpio: string;
  /** A busybox of this machine; it tells which commands there are. */
  readonly ownBusybox: string;
  /** The busybox of the emulated host. */
  readonly busybox: string;
  readonly node: string;
  /** Folder with the shared libraries of another architecture than this machine's; else they are this machine's. */
  readonly system: string | undefined;
  readonly kernel: HostKernel;
}

export interface EmulatedRun {
  /** Files and folders to have in the emulated host; the shared libraries that they need come along. */
  readonly files: readonly PlacedFile[];
  /** Shell text. `$GUEST_ROOT` is a fresh folder with a busybox system in it, to be a microVM's root. */
  readonly command: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Puts Node at /usr/bin/node: this process's own, where the emulated host is of the same kind. */
  readonly needsNode?: boolean;
  readonly timeoutMs: number;
}

export interface EmulatedResult {
  /** Everything on the console of the emulated host. */
  readonly console: string;
  /** What `command` printed. */
  readonly output: string;
  /** Exit code of `command`. */
  readonly exitCode: number;
}

/** Where the kernel is kept between runs: $A3S_BOOT_CACHE, else a folder of the system's temporary ones. */
function defaultCache(): string {
  return process.env['A3S_BOOT_CACHE'] ?? join(tmpdir(), 'a3s-boot');
}

/**
 * Finds the tools and the system of an emulated host; `cache` keeps the system, throw-away files go to `workdir`.
 * @throws Error naming what is missing, and the script that installs it.
 */
export async function prepareEmulation(
  workdir: string,
  arch: EmulatedArch = 'x64',
  cache: string = defaultCache(),
): Promise<Emulation> {
  if (process.arch !== 'x64' || process.platform !== 'linux') {
    throw new Error(`the emulated host is made on linux-x64; this is ${process.platform}-${process.arch}`);
  }
  const machine: EmulatedMachine = MACHINES[arch];
  const [qemu, cpio, ownBusybox] = await Promise.all([findTool(machine.qemu), findTool('cpio'), findStaticBusybox()]);
  if (qemu === undefined || cpio === undefined || ownBusybox === undefined) {
    const found = { [machine.qemuPackage]: qemu, cpio, 'busybox-static': ownBusybox };
    const packages = Object.keys(found).filter((name) => found[name] === undefined);
    throw new Error(`missing for the emulated host: apt-get install ${packages.join(' ')} (or run ${machine.script})`);
  }
  const tools = { workdir, machine, qemu, cpio, ownBusybox };
  if (arch === 'x64') {
    const kernel = await hostKernel(machine, cache);
    return { ...tools, busybox: ownBusybox, node: process.execPath, system: undefined, kernel };
  }
  const folder = join(cache, arch);
  const system = join(folder, 'system');
  const [busybox, node] = [join(system, 'bin/busybox'), join(folder, 'node/bin/node')];
  for (const path of [busybox, node]) {
    await access(path).catch(() => {
      throw new Error(`missing for the emulated host: ${path} (run ${machine.script})`);
    });
  }
  return { ...tools, busybox, node, system, kernel: await hostKernel(machine, folder) };
}

/**
 * Boots an emulated host, runs the command in it and powers it off. Where the emulation failed, it says so and starts the
 * host again: on a busy machine it falls so far behind the timers of its kernel that nothing else runs any more, and at
 * times a guest's processor is reset by a fault while it handles a fault, which the host's KVM records. No fault of what is
 * tested hides there: a program that hangs does not stop the host's heartbeat, a guest that panics or powers off ends in
 * another way, and a kernel that cannot run is reset at every attempt.
 * @throws Error with the end of the console when the time is up, the host ends without running the command to its end, or
 *   the emulation fails again and again.
 */
export async function bootInEmulation(emulation: Emulation, run: EmulatedRun): Promise<EmulatedResult> {
  return withFolder(emulation.workdir, 'emulation', async (folder) => {
    const mark = randomUUID();
    const initramfs = await buildInitramfs(emulation, run, folder, mark);
    for (let attempt = 1; ; attempt += 1) {
      const { text, ended, stalled } = await runEmulator(emulation, initramfs, folder, run.timeoutMs);
      const found = new RegExp(`^begin ${mark}\n([^]*?)\n?end ${mark} (\\d+) (\\d+)$`, 'm').exec(text);
      const [, output = '', exitCode, resets] = found ?? [];
      if (resets === '0') return { console: text, output, exitCode: Number(exitCode) };
      const fault = found !== null ? 'reset a guest' : stalled ? 'stopped running programs' : undefined;
      if (fault === undefined || attempt === ATTEMPTS) {
        const why = ended.code === undefined ? `was not done after ${run.timeoutMs} ms` : `ended with ${ended.code}`;
        const how = fault === undefined ? why : `${fault}, ${ATTEMPTS} times`;
        throw new Error(`the emulated host ${how}; the end of its console:\n${`${text}${ended.stderr}`.slice(-4000)}`);
      }
      console.warn(`the emulated host ${fault}: attempt ${attempt + 1} of ${ATTEMPTS}`);
    }
  });
}

/**
 * Hosts that are started before giving up. Seen: one in some thirty stops, on a machine with more to do than processors;
 * one guest in some two hundred is reset.
 */
const ATTEMPTS = 4;
/** The host writes its heartbeat once a second, and some 3 seconds after its start for the first time. */
const STALL_MS = 40_000;

async function runEmulator({ qemu, kernel, machine }: Emulation, initramfs: string, folder: string, timeoutMs: number) {
  // `no-kvmapf` and friends are left alone: this must be a host like any other. The clock of an emulated machine
  // drifts, and the kernel's remarks on that would mix with the output.
  const append = `console=${machine.console} panic=-1 quiet loglevel=1`;
  const hardware = [...machine.options, '-accel', 'tcg,thread=multi', '-smp', '2', '-no-reboot', '-nodefaults'];
  // A file takes every byte at once; on a pipe QEMU's serial port gives up on a reader that is late.
  const consoleFile = join(folder, 'console');
  const heartbeat = join(folder, 'heartbeat');
  const ports = [consoleFile, ...(machine.heartbeat === undefined ? [] : [heartbeat])];
  const devices = ['-display', 'none', '-monitor', 'none', ...ports.flatMap((path) => ['-serial', `file:${path}`])];
  const system = ['-kernel', kernel.image, '-initrd', initramfs, '-append', append];
  const began = Date.now();
  const isStalled = (): boolean => {
    if (machine.heartbeat === undefined) return false;
    const beat = statSync(heartbeat, { throwIfNoEntry: false })?.mtimeMs ?? began;
    return Date.now() - Math.max(beat, began) > STALL_MS;
  };
  let stalled = false;
  const giveUp = (): boolean => {
    stalled = isStalled();
    return stalled;
  };
  const ended = await runProgram(qemu, [...hardware, ...devices, ...system], { timeoutMs, giveUp });
  const text = (await readFile(consoleFile, 'utf8').catch(() => '')).replaceAll('\r', '');
  return { text, ended, stalled };
}

async function findTool(name: string, isUsable: (path: string) => Promise<boolean> = async () => true) {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/bin']) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => isUsable(path),
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

function findStaticBusybox(): Promise<string | undefined> {
  return findTool('busybox', isStatic);
}

async function isStatic(path: string): Promise<boolean> {
  return query('ldd', [path]).then(
    () => false,
    () => true,
  );
}

async function buildInitramfs(emulation: Emulation, run: EmulatedRun, folder: string, mark: string): Promise<string> {
  const { kernel, machine, system } = emulation;
  const root = join(folder, 'root');
  await placeBusybox(root, emulation);
  await placeBusybox(join(root, 'guest-template'), emulation);
  const node = run.needsNode === true ? [{ hostPath: emulation.node, guestPath: '/usr/bin/node' }] : [];
  const modules = kernel.modules.map((path, index) => ({ hostPath: path, guestPath: `/modules/${index}.ko` }));
  await placeFiles(root, [...run.files, ...node, ...modules], system);
  const script = initScript(machine, kernel.modules.length, run.environment ?? {}, mark);
  await writeFile(join(root, 'init'), script, { mode: 0o755 });
  await writeFile(join(root, 'command.sh'), run.command);
  const archive = join(folder, 'initramfs.cpio');
  // Not compressed: unpacking in the emulation costs more than reading.
  const names = await query('find', ['.', '-print0'], root);
  await query(emulation.cpio, ['-o', '-H', 'newc', '-0', '--quiet', '-F', archive], root, names);
  return archive;
}

const TRACING = '/sys/kernel/tracing';
/** KVM_EXIT_SHUTDOWN of linux/kvm.h: the guest's processor was reset by a triple fault. */
const EXIT_SHUTDOWN = 8;

function initScript(
  { heartbeat }: EmulatedMachine,
  modules: number,
  environment: Readonly<Record<string, string>>,
  mark: string,
): string {
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  return [
    '#!/bin/sh',
    'mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t devtmpfs devtmpfs /dev',
    'mkdir -p /dev/shm /dev/pts /guest && mount -t tmpfs tmpfs /dev/shm && mount -t devpts devpts /dev/pts',
    'mount -t tmpfs tmpfs /tmp && ip link set lo up',
    ...Array.from({ length: modules }, (_, index) => `insmod /modules/${index}.ko`),
    // libkrun cannot give the initramfs's own root to a guest: only a file system with handles will do.
    'mount -t tmpfs tmpfs /guest && cp -a /guest-template/. /guest',
    `mount -t tracefs tracefs ${TRACING}`,
    `echo 'reason == ${EXIT_SHUTDOWN}' >${TRACING}/events/kvm/kvm_userspace_exit/filter`,
    `echo 1 >${TRACING}/events/kvm/kvm_userspace_exit/enable`,
    ...(heartbeat === undefined ? [] : [`while :; do echo >/dev/${heartbeat}; sleep 1; done &`]),
    'export PATH=/bin:/usr/bin HOME=/root GUEST_ROOT=/guest',
    ...variables,
    `echo; echo "begin ${mark}"`,
    '/bin/sh /command.sh </dev/null; code=$?',
    `echo; echo "end ${mark} $code $(grep -c kvm_userspace_exit: ${TRACING}/trace)"`,
    'poweroff -f',
    '',
  ].join('\n');
}

/** A word for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
