import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { packTarball } from '../../pipeline/effects/archive.ts';
import { makeMachO } from '../binary/make-macho.ts';

/** What a package is made of; tests get one of it wrong on purpose. */
export interface PackageMake {
  readonly firmware: string;
  readonly kernel: string;
  readonly soname?: string;
  /** Name of the library inside, where that is not the usual one. */
  readonly file?: string;
}

export const PACKAGES = { 'linux-x64': '@t/x64', 'linux-arm64': '@t/arm64', 'darwin-arm64': '@t/mac' } as const;
export type TargetName = keyof typeof PACKAGES;
export const TARGET_NAMES = Object.keys(PACKAGES) as readonly TargetName[];

/** Builds a tarball like those that the guest kernels are published in. */
export async function makePackage(folder: string, target: TargetName, make: PackageMake): Promise<Buffer> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'library');
  writeFileSync(file, target === 'darwin-arm64' ? machO(make) : elf(folder, target, make));
  const name = make.file ?? (target === 'darwin-arm64' ? 'libkrunfw.5.dylib' : `libkrunfw.so.${make.firmware}`);
  const tarball = join(folder, 'package.tgz');
  await packTarball([{ path: `package/lib/${name}`, file, mode: 0o644 }], tarball, 0);
  return readFileSync(tarball);
}

const banner = (kernel: string): string => `Linux version ${kernel} (root@libkrunfw) (gcc 13) #1 SMP`;

function elf(folder: string, target: TargetName, { kernel, soname = 'libkrunfw.so.5' }: PackageMake): Buffer {
  const source = join(folder, 'fw.c');
  const code = 'char *krunfw_get_kernel(void) { return kernel; } int krunfw_get_version(void) { return 5; }';
  writeFileSync(source, `char kernel[] = "${banner(kernel)}"; ${code}`);
  execFileSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${soname}`, '-o', join(folder, 'fw.so'), source]);
  const bytes = readFileSync(join(folder, 'fw.so'));
  // The machine is one field of the header; nobody runs the code.
  if (target === 'linux-arm64') bytes.writeUInt16LE(183, 18);
  return bytes;
}

/** A signed Mach-O library for arm64 with a kernel's banner. */
function machO({ kernel, soname = 'libkrunfw.5.dylib' }: PackageMake): Buffer {
  return makeMachO({
    installName: soname,
    text: `${banner(kernel)}\0`,
    symbols: ['_krunfw_get_kernel', '_krunfw_get_version'].map((name) => ({ name, address: 64 })),
  });
}

/** Tarballs by `name version`, and what the registry says that they are where it does not say the truth. */
export interface Published {
  readonly tarballs: Map<string, Buffer>;
  readonly integrity: Map<string, string>;
}

/** Answers as an npm registry does. */
export function answerAsRegistry({ tarballs, integrity }: Published) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const [name = '', file] = path.split('/-/');
    const versions = [...tarballs.keys()]
      .filter((key) => key.startsWith(`${name} `))
      .map((key) => key.split(' ')[1] ?? '');
    const version = versions.find((one) => file?.endsWith(`-${one}.tgz`));
    if (file !== undefined && version !== undefined) return void response.end(tarballs.get(`${name} ${version}`));
    if (file !== undefined || versions.length === 0) return void response.writeHead(404).end();
    const entries = versions.map((one) => {
      const key = `${name} ${one}`;
      const digest = createHash('sha512')
        .update(tarballs.get(key) ?? '')
        .digest('base64');
      return [
        one,
        { name, version: one, license: 'MIT', dist: { integrity: integrity.get(key) ?? `sha512-${digest}` } },
      ];
    });
    response.end(JSON.stringify({ name, versions: Object.fromEntries(entries) }));
  };
}

/** Pins of a project that has version 1.0.0 of the packages. */
export function firmwarePins(): string {
  const nothing = { size: 1, integrity: `sha512-${'A'.repeat(86)}==` };
  const targets = Object.fromEntries(
    TARGET_NAMES.map((target) => [
      target,
      {
        sources: [{ kind: 'npm', package: PACKAGES[target], version: '1.0.0' }],
        archive: nothing,
        member: 'package/lib/libkrunfw.so.5.6.1',
        file: { size: 1, sha256: '0'.repeat(64) },
      },
    ]),
  );
  const common = { kernel: '6.12.98', license: 'GPL-2.0-only', targets };
  const sources = ['https://example.org/tree/v5.6.1', 'https://example.org/v6.x/linux-6.12.98.tar.xz'];
  const providers = {
    npm: { version: '5.6.1', ...common, correspondingSource: sources },
    github: { version: '5.3.0', ...common, correspondingSource: sources, targets: {} },
  };
  return `${JSON.stringify({ $comment: 'kept', schema: 1, providers }, null, 2)}\n`;
}
