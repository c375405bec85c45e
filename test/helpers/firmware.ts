import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packTarball } from '../../pipeline/effects/archive.ts';

/** A small library with everything that is asked of a libkrunfw, and an archive that holds it. */
export interface FakeFirmware {
  readonly library: Buffer;
  readonly archive: Buffer;
  readonly pins: { archive: { size: number; integrity: string }; file: { size: number; sha256: string } };
}

export const KERNEL = '6.12.98';
const MEMBER = 'package/lib/libkrunfw.so.5.6.1';

/** Compiles one; `soname` and `kernel` are what tests get wrong on purpose. */
export async function makeFirmware(folder: string, soname = 'libkrunfw.so.5', kernel = KERNEL): Promise<FakeFirmware> {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'fw.c');
  const banner = `Linux version ${kernel} (root@libkrunfw) (gcc 13) #1 SMP`;
  writeFileSync(
    source,
    `char kernel[] = "${banner}"; char *krunfw_get_kernel(void) { return kernel; } int krunfw_get_version(void) { return 5; }`,
  );
  const file = join(folder, 'fw.so');
  execFileSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${soname}`, '-o', file, source]);
  const tarball = join(folder, 'fw.tgz');
  await packTarball([{ path: MEMBER, file, mode: 0o644 }], tarball, 0);
  const library = readFileSync(file);
  const archive = readFileSync(tarball);
  const digest = (name: string, bytes: Buffer) => createHash(name).update(bytes);
  return {
    library,
    archive,
    pins: {
      archive: { size: archive.length, integrity: `sha512-${digest('sha512', archive).digest('base64')}` },
      file: { size: library.length, sha256: digest('sha256', library).digest('hex') },
    },
  };
}

/** Writes a project whose pins name the fake firmware, from both providers. */
export function writeProject(folder: string, firmware: FakeFirmware, sources?: readonly object[]): void {
  mkdirSync(join(folder, 'vendor'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project' }));
  const common = { ...firmware.pins, member: MEMBER };
  const npm = sources ?? [{ kind: 'npm', package: '@scope/firmware', version: '1.0.0' }];
  const github = [{ kind: 'url', url: 'https://github.com/owner/repo/releases/download/v1/fw.tgz' }];
  const provider = (from: readonly object[]) => ({
    version: '5.6.1',
    kernel: KERNEL,
    license: 'GPL-2.0-only',
    correspondingSource: ['https://example.org/source'],
    targets: { 'linux-x64': { ...common, sources: from } },
  });
  const pins = { schema: 1, providers: { npm: provider(npm), github: provider(github) } };
  writeFileSync(join(folder, 'vendor/libkrunfw.json'), JSON.stringify(pins, null, 2));
}

export interface TestServer {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: IncomingMessage[];
  readonly close: () => Promise<void>;
}

export async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
