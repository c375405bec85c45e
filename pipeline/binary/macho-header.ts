/** Magic number of a 64-bit little-endian Mach-O file. */
const MAGIC = 0xfeedfacf;
const CPU_ARM64 = 0x0100000c;
const DYNAMIC_LIBRARY = 6;

/** Whether the file is a Mach-O library for arm64, by its header alone. */
export function isArm64Dylib(bytes: Uint8Array): boolean {
  if (bytes.length < 32) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, cpu, , type] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
  return magic === MAGIC && cpu === CPU_ARM64 && type === DYNAMIC_LIBRARY;
}
