import { printableBytes } from './byte-reader.ts';

/** Start of a file that is often found where a library should be; `start` is compared without regard to case. */
interface KnownStart {
  readonly start: string;
  readonly is: string;
}

const KNOWN_STARTS: readonly KnownStart[] = [
  { start: 'version https://git-lfs.github.com/', is: 'a Git LFS pointer: the real file was not fetched' },
  { start: '<!doctype html', is: 'a web page: perhaps a proxy or a login page answered' },
  { start: '<html', is: 'a web page: perhaps a proxy or a login page answered' },
  { start: '<?xml', is: 'an XML document: perhaps the error of a file server' },
  { start: '\x1f\x8b', is: 'a gzip file that was not unpacked' },
  { start: '\xfd7zXZ\0', is: 'an xz file that was not unpacked' },
  { start: '\x28\xb5\x2f\xfd', is: 'a zstd file that was not unpacked' },
  { start: 'PK\x03\x04', is: 'a zip file that was not unpacked' },
  { start: '!<arch>\n', is: 'a static library' },
  { start: '!<thin>\n', is: 'a thin static library' },
  { start: '\xcf\xfa\xed\xfe', is: 'a Mach-O file, made for macOS' },
  { start: '\xca\xfe\xba\xbe', is: 'a universal Mach-O file, made for macOS' },
  { start: 'MZ', is: 'a Windows program' },
  { start: '#!', is: 'a script' },
  { start: '/* GNU ld script', is: 'a linker script that stands for a library' },
];

/** Bytes shown of a file that is not recognised. */
const SHOWN = 24;

/** Says in a few words what a file is that is not an ELF file. */
export function describeOtherFile(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart().toLowerCase();
  const known = KNOWN_STARTS.find(({ start }) => head.startsWith(start.toLowerCase()));
  const start = `starts with '${printableBytes(bytes.subarray(0, SHOWN))}'`;
  if (known !== undefined) return `${start}, ${known.is}`;
  if (bytes.subarray(0, SHOWN).every((byte) => byte === 0)) return 'starts with zeros, an empty or torn file';
  return start;
}
