import { buildError } from './errors.ts';

/** Where libkrun's source declares what it calls of Hypervisor.framework. */
export const HYPERVISOR_DECLARATIONS = 'src/hvf/src/bindings.rs';

/** Folder that stands in for Apple's frameworks: `-Lframework=<it>`. */
export const FRAMEWORKS = 'a3s-frameworks';
export const HYPERVISOR_STUB = `${FRAMEWORKS}/Hypervisor.framework/Hypervisor.tbd`;

/** The path by which macOS itself loads the framework; a linker copies it out of the stub. */
export const HYPERVISOR_LIBRARY = '/System/Library/Frameworks/Hypervisor.framework/Versions/A/Hypervisor';

/**
 * The functions of Hypervisor.framework that a source declares, sorted: all that it can call.
 * @param rust Text of {@link HYPERVISOR_DECLARATIONS}.
 * @throws BuildError A3S1220 when there is none: the file is another one than was expected.
 */
export function hypervisorFunctions(rust: string, file: string = HYPERVISOR_DECLARATIONS): readonly string[] {
  const names = [...rust.matchAll(/^\s*pub fn (hv_[a-z0-9_]{1,100})\s*\(/gm)].flatMap(([, name]) => name ?? []);
  if (names.length === 0) {
    throw buildError('A3S1220', { message: `${file} declares no function of Hypervisor.framework`, where: { file } });
  }
  return [...new Set(names)].toSorted();
}

/**
 * What a linker needs to know of Hypervisor.framework, in the format of Apple's SDK (`.tbd`, version 4): where macOS
 * has it, and names. Written here and not copied, since that SDK may not leave a Mac.
 */
export function hypervisorStub(functions: readonly string[]): string {
  return [
    '--- !tapi-tbd',
    'tbd-version:     4',
    'targets:         [ arm64-macos ]',
    `install-name:    '${HYPERVISOR_LIBRARY}'`,
    'exports:',
    '  - targets:         [ arm64-macos ]',
    // The name of a C function has an underscore before it in Mach-O.
    `    symbols:         [ ${functions.map((name) => `_${name}`).join(', ')} ]`,
    '...',
    '',
  ].join('\n');
}
