import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ElfFile, readElf } from '../../pipeline/binary/elf.ts';
import { type Compiler, createCompiler } from './compile.ts';
import { outcome, seededRandom } from './damage.ts';

const LIBRARY = `
#include <stdio.h>
#include <string.h>
const char probe_data[] = "twelve bytes";
__thread int probe_thread = 3;
int probe_add(int a, int b) { return a + b; }
__attribute__((weak)) void probe_say(const char *text) { puts(text); }
__attribute__((visibility("hidden"))) int probe_hidden(void) { return 1; }
static int probe_local(void) { return 2; }
extern void probe_elsewhere(void) __attribute__((weak));
extern void probe_missing(void);
int probe_call(void) { if (probe_elsewhere) probe_elsewhere(); probe_missing(); return probe_hidden() + probe_local(); }
`;
const LIBRARY_FLAGS = ['-shared', '-fPIC', '-Wl,-soname,libprobe.so.1', '-Wl,-z,noexecstack', '-Wl,--enable-new-dtags'];
const PROGRAM = 'int main(void) { return 0; }\n';
const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
/** The oldest version of glibc's symbols differs by machine. */
const OLDEST_GLIBC = process.arch === 'arm64' ? 'GLIBC_2.17' : 'GLIBC_2.2.5';

/** What a compiled library exports and imports, without what the C runtime adds on its own. */
function probeSymbols(elf: ElfFile) {
  const own = ({ name }: { readonly name: string }) => name.startsWith('probe_') || name === 'puts';
  const imports = elf.imports.filter(own);
  return {
    exports: elf.exports
      .filter(own)
      .map(({ name, type, weak }) => `${name} ${type}${weak ? ' weak' : ''}`)
      .sort(),
    imports: imports.map(({ name, version, weak }) => `${name} ${version}${weak ? ' weak' : ''}`).sort(),
  };
}

const PROBE_SYMBOLS = {
  exports: [
    'probe_add function',
    'probe_call function',
    'probe_data object',
    'probe_say function weak',
    'probe_thread thread-local',
  ],
  imports: ['probe_elsewhere null weak', 'probe_missing null', `puts ${OLDEST_GLIBC}`],
};

// The compiler of macOS makes other files; the tests on hand-made ones run everywhere.
describe.skipIf(process.platform !== 'linux')('readElf on compiled files', () => {
  let compiler: Compiler;
  let library: Buffer;
  let oldLibrary: Buffer;
  let staticProgram: Buffer;
  let staticPie: Buffer;
  let pie: Buffer;
  beforeAll(() => {
    compiler = createCompiler();
    library = compiler.compile(LIBRARY, [...LIBRARY_FLAGS, '-Wl,-rpath,$ORIGIN', '-Wl,--hash-style=gnu']);
    oldLibrary = compiler.compile(LIBRARY, [
      ...LIBRARY_FLAGS,
      '-Wl,--disable-new-dtags',
      '-Wl,-rpath,/opt/lib',
      '-Wl,--hash-style=sysv',
    ]);
    staticProgram = compiler.compile(PROGRAM, ['-static', '-no-pie']);
    staticPie = compiler.compile(PROGRAM, ['-static-pie', '-fPIE']);
    pie = compiler.compile(PROGRAM, ['-pie', '-fPIE']);
  }, 60_000);
  afterAll(() => compiler.remove());

  it('reads the names of a shared library as readelf -d does', () => {
    const elf = readElf(library);
    expect(elf).toMatchObject({
      machine: MACHINE,
      form: 'shared',
      isStatic: false,
      interpreter: null,
      soname: 'libprobe.so.1',
      needed: ['libc.so.6'],
      rpath: null,
      runpath: '$ORIGIN',
      executableStack: false,
    });
    expect(elf.versionNeeds).toContainEqual({ library: 'libc.so.6', version: OLDEST_GLIBC, weak: false });
  });

  it('reads exported and imported symbols as nm -D does, leaving out hidden and local ones', () => {
    expect(probeSymbols(readElf(library))).toEqual(PROBE_SYMBOLS);
    const puts = readElf(library).imports.find(({ name }) => name === 'puts');
    expect(puts).toEqual({ name: 'puts', weak: false, version: OLDEST_GLIBC, library: 'libc.so.6' });
    const data = readElf(library).exports.find(({ name }) => name === 'probe_data');
    expect(data?.size).toBe(13n);
  });

  it('tells an rpath from a runpath and reads the older hash table', () => {
    const elf = readElf(oldLibrary);
    expect([elf.rpath, elf.runpath]).toEqual(['/opt/lib', null]);
    expect(probeSymbols(elf)).toEqual(PROBE_SYMBOLS);
  });

  it.each(['library', 'oldLibrary'] as const)('finds all symbols of a %s without section headers', (which) => {
    const stripped = Buffer.from(which === 'library' ? library : oldLibrary);
    stripped.fill(0, 40, 48);
    stripped.fill(0, 58, 64);
    expect(probeSymbols(readElf(stripped))).toEqual(PROBE_SYMBOLS);
  });

  it('tells programs apart by how they are loaded', () => {
    const facts = [staticProgram, staticPie, pie].map((bytes) => {
      const { form, isStatic, interpreter } = readElf(bytes);
      return [form, isStatic, interpreter !== null];
    });
    expect(facts).toEqual([
      ['static-executable', true, false],
      ['static-pie', true, false],
      ['pie', false, true],
    ]);
  });

  it('reads the versions that a library defines, and does not take their names for exports', () => {
    const script = compiler.write(
      'versions.map',
      'PROBE_1.0 { global: probe_one; local: *; };\nPROBE_1.1 { global: probe_two; } PROBE_1.0;\n',
    );
    const bytes = compiler.compile('int probe_one(void) { return 1; }\nint probe_two(void) { return 2; }\n', [
      '-shared',
      '-fPIC',
      `-Wl,--version-script=${script}`,
    ]);
    const exports = readElf(bytes).exports.map(({ name, version }) => `${name}@${version}`);
    expect(exports.sort()).toEqual(['probe_one@PROBE_1.0', 'probe_two@PROBE_1.1']);
  });

  it('returns or throws A3S1205 on the file cut at every 64th byte, and never accepts a cut one', () => {
    for (let end = 0; end < library.length; end += 64) {
      expect(() => readElf(library.subarray(0, end)), `cut at ${end}`).toThrow(
        expect.objectContaining({ code: 'A3S1205' }),
      );
    }
  });

  it('throws nothing but A3S1205 on damaged files', () => {
    const random = seededRandom(20_260_101);
    let refused = 0;
    for (let round = 0; round < 3000; round += 1) {
      const damaged = Buffer.from(library);
      const flips = 1 + random(8);
      // Headers, hash and symbol tables lie at the start, the dynamic segment is anywhere: damage both kinds of places.
      const span = round % 2 === 0 ? Math.min(2048, damaged.length) : damaged.length;
      for (let flip = 0; flip < flips; flip += 1) damaged.writeUInt8(random(256), random(span));
      refused += outcome(damaged) === 'refused' ? 1 : 0;
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(3000);
  });
});
