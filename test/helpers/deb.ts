import { execFileSync } from 'node:child_process';

/** A Debian package as bytes: an `ar` archive with these members. */
export function makeDeb(members: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts = Object.entries(members).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = [name.padEnd(16), '0'.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)].join('');
    const padding = bytes.length % 2 === 0 ? [] : [Buffer.from('\n')];
    return [Buffer.from(`${header}${String(bytes.length).padEnd(10)}\`\n`), bytes, ...padding];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

/** The files of a folder as a tar archive, packed as its name says. */
export function packTree(folder: string, name: string): Buffer {
  const packing = name.endsWith('.xz') ? ['-J'] : name.endsWith('.gz') ? ['-z'] : [];
  return execFileSync('tar', ['-c', ...packing, '-C', folder, '.'], { maxBuffer: 64 * 1024 * 1024 });
}
