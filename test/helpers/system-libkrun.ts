import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import { REPOSITORY } from './session.ts';

const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');

/** Functions that libkrun.h declares. */
export const DECLARED: readonly string[] = readAbi(read('generated/abi.json')).interfaces.flatMap(({ functions }) =>
  functions.map(({ name }) => name),
);
export const PINS = parseLibkrunPins(read('vendor/libkrun.json'), 'libkrun.json');
/** Those that a real build exports. */
export const EXPORTED: readonly string[] = DECLARED.filter((name) => !(name in PINS.exports.missing));
export const KERNEL_EXPORTS: readonly string[] = ['krunfw_get_kernel', 'krunfw_get_version'];

/** Compiles a library that exports `names` and does nothing. */
export function compileLibrary(file: string, soname: string, names: readonly string[], more = ''): string {
  mkdirSync(dirname(file), { recursive: true });
  const source = `${file}.c`;
  writeFileSync(source, `${names.map((name) => `int ${name}(void) { return 0; }`).join('\n')}\n${more}\n`);
  execFileSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${soname}`, '-o', file, source]);
  return file;
}

/** A libkrun and a guest kernel as a system has them, in `folder`. */
export function installLibkrun(folder: string): { library: string; firmware: string } {
  return {
    library: compileLibrary(join(folder, 'libkrun.so.1'), 'libkrun.so.1', EXPORTED),
    firmware: compileLibrary(join(folder, 'libkrunfw.so.5'), 'libkrunfw.so.5', KERNEL_EXPORTS),
  };
}

/** A libkrun.pc that names `folder`; returns the folder of the file, for PKG_CONFIG_LIBDIR. */
export function writePkgConfig(place: string, folder: string, version: string): string {
  mkdirSync(place, { recursive: true });
  const text = `Name: libkrun\nDescription: test\nVersion: ${version}\nLibs: -L${folder} -lkrun\n`;
  writeFileSync(join(place, 'libkrun.pc'), text);
  return place;
}
