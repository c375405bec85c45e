import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { readArchive } from '../../pipeline/effects/archive.ts';

export interface LocalRegistry {
  readonly url: string;
  close(): Promise<void>;
}

interface Published {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly file: string;
  readonly bytes: Buffer;
}

/** A registry on this machine that has the packages of these tarballs and no others. */
export async function serveRegistry(tarballs: readonly string[]): Promise<LocalRegistry> {
  const packages = await Promise.all(tarballs.map(readPackage));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const tarball = packages.find(({ file }) => path === `tarballs/${file}`);
    if (tarball !== undefined) return void response.end(tarball.bytes);
    const versions = packages.filter(({ manifest }) => manifest.name === path);
    if (versions.length === 0) return void response.writeHead(404).end('{}');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(document(versions, `http://${request.headers.host}`)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function readPackage(tarball: string): Promise<Published> {
  const files = await readArchive(tarball, { bytes: 256 * 1024 * 1024, entries: 1000 });
  const manifest = files.find(({ path }) => path === 'package/package.json');
  if (manifest === undefined) throw new Error(`${tarball} has no package.json`);
  return { manifest: JSON.parse(manifest.content.toString()), file: basename(tarball), bytes: readFileSync(tarball) };
}

/** What npm registries answer for a package. */
function document(versions: readonly Published[], origin: string): object {
  const entries = versions.map(({ manifest, file, bytes }) => {
    const digest = (algorithm: string) => createHash(algorithm).update(bytes);
    const dist = {
      tarball: `${origin}/tarballs/${file}`,
      integrity: `sha512-${digest('sha512').digest('base64')}`,
      shasum: digest('sha1').digest('hex'),
    };
    return [manifest.version, { ...manifest, dist }] as const;
  });
  const latest = entries.at(-1)?.[0];
  return {
    name: versions[0]?.manifest.name,
    'dist-tags': { latest },
    versions: Object.fromEntries(entries),
    // Long ago: package managers that refuse what was published lately must take it.
    time: Object.fromEntries(entries.map(([version]) => [version, '2020-01-01T00:00:00.000Z'])),
  };
}
