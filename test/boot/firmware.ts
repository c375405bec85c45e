import { readFile } from 'node:fs/promises';

/**
 * The version of the guest kernel inside a libkrunfw, as `uname -r` in the guest prints it: read from the kernel's own
 * banner, which libkrunfw holds uncompressed.
 * @throws Error when the file holds no such banner.
 */
export async function firmwareKernelRelease(file: string): Promise<string> {
  const bytes = await readFile(file);
  const text = 'Linux version ';
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    const release = /^\d[^\s%]*/.exec(bytes.toString('latin1', at + text.length, at + text.length + 100))?.[0];
    if (release !== undefined) return release;
  }
  throw new Error(`${file} holds no kernel banner`);
}
