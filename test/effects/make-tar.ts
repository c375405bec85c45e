import { gzipSync } from 'node:zlib';

/** One entry of an archive made by hand; whatever is left out is that of a plain, empty file. */
export interface TarEntry {
  readonly path: string;
  /** Type byte of the header. */
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly mode?: number;
  readonly uid?: number;
  readonly linkpath?: string;
  /** The size that the header states; that of `content` when left out. */
  readonly size?: number;
}

/** Header and content of an entry, with the path in a PAX header where it is too long for a plain one. */
export function tarEntry({ path, type = '0', content = '', mode = 0o644, uid = 0, linkpath = '', size }: TarEntry) {
  const body = Buffer.from(content);
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
  const header = tarHeader(path, type, mode, uid, size ?? body.length, linkpath);
  const blocks = Buffer.concat([header, body, padding]);
  return Buffer.byteLength(path) <= 100 ? blocks : Buffer.concat([paxPath(path), blocks]);
}

/** The end of an archive: two blocks of zeros. */
export const TAR_END = Buffer.alloc(1024);

/** A whole archive, not packed. */
export function tar(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), TAR_END]);
}

export function tarGz(...entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(...entries));
}

/** A PAX record starts with its own length in bytes, the digits of that length included. */
function paxPath(path: string): Buffer {
  const rest = Buffer.byteLength(` path=${path}\n`);
  let length = rest;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return tarEntry({ path: 'PaxHeader', type: 'x', content: `${length} path=${path}\n` });
}

function tarHeader(path: string, type: string, mode: number, uid: number, size: number, linkpath: string): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), offset);
  };
  header.write(path.slice(0, 100), 0, 100);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(uid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.write(type, 156);
  header.write(linkpath, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
