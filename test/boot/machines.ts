/** A kind of machine that QEMU emulates to play the host of a microVM. */
export interface EmulatedMachine {
  readonly qemu: string;
  /** Debian's package that holds it. */
  readonly qemuPackage: string;
  /** Debian's package that depends on the newest kernel. */
  readonly kernelPackage: string;
  /** Kernel modules that KVM needs, in the order in which they must be loaded. */
  readonly modules: readonly string[];
  readonly options: readonly string[];
  /** Name of the serial port that is the console. */
  readonly console: string;
  /** Serial port on which the host shows that it still runs programs; where there is none, it is not asked. */
  readonly heartbeat: string | undefined;
  /** Script that installs all of it. */
  readonly script: string;
}

export type EmulatedArch = keyof typeof MACHINES;

export const MACHINES = {
  x64: {
    qemu: 'qemu-system-x86_64',
    qemuPackage: 'qemu-system-x86',
    kernelPackage: 'linux-image-cloud-amd64',
    modules: ['virt/lib/irqbypass.ko', 'arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-amd.ko'],
    options: ['-cpu', 'max', '-m', '4G'],
    console: 'ttyS0',
    heartbeat: 'ttyS1',
    script: 'ci/boot/install-debian.sh',
  },
  arm64: {
    qemu: 'qemu-system-aarch64',
    qemuPackage: 'qemu-system-arm',
    kernelPackage: 'linux-image-cloud-arm64',
    // KVM is built in.
    modules: [],
    // Without `pauth-impdef` the emulation spends most of its time on signing pointers.
    options: ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'max,pauth-impdef=on', '-m', '3G', '-net', 'none'],
    console: 'ttyAMA0',
    // This machine has one serial port.
    heartbeat: undefined,
    script: 'ci/boot/install-arm64.sh',
  },
} as const satisfies Record<string, EmulatedMachine>;
