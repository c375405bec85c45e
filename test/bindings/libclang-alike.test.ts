import { beforeAll, describe, expect, it } from 'vitest';
import { areAlike, modelsOf } from '../../pipeline/bindings/libclang/alike.ts';
import type { LoadedClang } from '../../pipeline/bindings/libclang/clang.ts';
import { startEmbedded } from '../../pipeline/bindings/libclang/clang-embedded.ts';
import { unitReader } from '../../pipeline/bindings/libclang/read-unit.ts';
import { type UnitRequest, unitRequest } from '../../pipeline/bindings/libclang/request.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { asOneWidth } from '../helpers/one-width.ts';

let clang: LoadedClang;
beforeAll(async () => {
  clang = await startEmbedded(import.meta.url);
}, 60_000);

const requestsFor = (content: string): readonly UnitRequest[] =>
  Object.values(TARGETS).map((target) => unitRequest(target, [{ name: 'a.h', content }]));

/** Reads a header for all targets together; with the targets that were read in whole. */
async function readTogether(content: string) {
  const whole: string[] = [];
  const counted: LoadedClang = {
    ...clang,
    withFiles: (request, use) =>
      clang.withFiles(request, (parserFor) =>
        use((record) => {
          if (record === 'macros') whole.push(request.target);
          return parserFor(record);
        }),
      ),
  };
  const requests = requestsFor(content);
  const read = unitReader(counted, requests);
  return { units: await Promise.all(requests.map(read)), whole };
}

/** Reads it for each target as if there were no other. */
async function readApart(content: string) {
  return Promise.all(requestsFor(content).map((request) => unitReader(clang, [request])(request)));
}

const ALL = Object.keys(TARGETS);
const FIRST = ALL.slice(0, 1);
const INCLUDES = '#include <stdint.h>\n#include <stddef.h>\n#include <stdbool.h>\n';

describe('a header that is the same for every target', () => {
  it.each([
    ['functions and standard types', `${INCLUDES}int64_t f(uint64_t a, size_t b, bool c, const char *const d[]);`],
    [
      'macros of every kind',
      '#define A 1\n#define B -1\n#define C "t\\"e\\\\x\\tt ?"\n#define D 0.5f\n#define E 0xffffffffffffffffULL\n#define F -2.5',
    ],
    [
      'records and enums',
      `${INCLUDES}struct s { uint8_t a; uint64_t b; };\nenum e { ONE = 1, TWO };\nvoid f(struct s *, enum e);`,
    ],
    [
      'include guards, and what is for C++ alone',
      '#ifndef A_H\n#define A_H\n#ifdef __cplusplus\nextern "C" {\n#endif\nvoid f(void);\n#ifdef __cplusplus\n}\n#endif\n#endif\n',
    ],
    ['comments that hold directives', '/*\n#ifdef __APPLE__\n*/\n// #if 1 \\\n#if 1\nvoid f(void);'],
    ['an assertion that holds', '_Static_assert(sizeof(int) == 4, "");\nvoid f(void);'],
  ])('is read in whole once: %s', async (_what, content) => {
    const { units, whole } = await readTogether(content);
    expect(whole).toEqual(FIRST);
    expect(units.map(({ target }) => target)).toEqual(ALL);
    expect(asOneWidth(units)).toEqual(asOneWidth(await readApart(content)));
    expect(units[0]?.items).not.toEqual([]);
  });
});

describe('a header that a target changes', () => {
  it.each([
    ['a condition', '#ifdef __APPLE__\nvoid a(void);\n#else\nvoid b(void);\n#endif', ALL],
    [
      'a condition that decides a comment',
      '#ifdef __APPLE__\n/** one */\n#else\n/** two */\n#endif\nvoid f(void);',
      ALL,
    ],
    ['a condition behind a comment', '/* x */ # if defined(__aarch64__)\nvoid a(void);\n#endif\nvoid b(void);', ALL],
    ['a condition in digraphs', '%:ifdef __aarch64__\nvoid a(void);\n%:endif\nvoid b(void);', ALL],
    ['a condition over two lines', '#ifd\\\nef __aarch64__\nvoid a(void);\n#endif\nvoid b(void);', ALL],
    ['the value of a macro', '#define N sizeof(long double)', ['linux-x64', 'darwin-arm64']],
    ['the sign of char', '#define C ((char)200)', ['linux-x64', 'linux-arm64']],
    ['the type of a macro', `${INCLUDES}#define BIG ((int64_t)1)`, ['linux-x64', 'darwin-arm64']],
    [
      'the characters of a string',
      '#define TEXT_(x) #x\n#define TEXT(x) TEXT_(x)\n#define A "a\\"b"\n#define S TEXT(__INT64_TYPE__)',
      ['linux-x64', 'darwin-arm64'],
    ],
    ['an enumerator', 'enum e { A = (char)200 < 0 };', ['linux-x64', 'linux-arm64']],
    ['the size of a record', 'struct s { char pad[sizeof(long double)]; };', ['linux-x64', 'darwin-arm64']],
    ['the length of a parameter', 'void f(int a[sizeof(long double)]);', ['linux-x64', 'darwin-arm64']],
    ['the width of a bit-field', 'struct s { int a : sizeof(long double); };', ALL],
    ['a standard type that is used', `${INCLUDES}wchar_t f(void);`, ['linux-x64', 'linux-arm64']],
    ["a typedef of the header's own", 'typedef __INT64_TYPE__ own;\nown f(void);', ['linux-x64', 'darwin-arm64']],
    [
      'the alignment of a typedef',
      'typedef int t __attribute__((aligned(sizeof(long double))));',
      ['linux-x64', 'darwin-arm64'],
    ],
    ['typeof', '__typeof__(sizeof(int)) f(void);', ALL],
    ['the arguments of a function without a list of them', '#include <stdarg.h>\nvoid f(va_list ap);', ALL],
    ['a macro that is no expression', '#define NOTHING do { } while (0)\nvoid f(void);', ALL],
  ])('is read in whole where it does: %s', async (_what, content, expected) => {
    const { units, whole } = await readTogether(content);
    expect(whole).toEqual(expected);
    expect(asOneWidth(units)).toEqual(asOneWidth(await readApart(content)));
  });

  it('is refused for the target that refuses it', async () => {
    const { units } = await readTogether('_Static_assert(sizeof(long double) == 16, "");\nvoid f(void);');
    expect(units.map(({ target, diagnostics }) => [target, diagnostics.length])).toEqual([
      ['linux-x64', 0],
      ['linux-arm64', 0],
      ['darwin-arm64', 1],
    ]);
    expect(units[2]?.items).toEqual([]);
  });

  it('that the first target refuses is read for the others', async () => {
    const { units } = await readTogether('_Static_assert(sizeof(long double) == 8, "");\nvoid f(void);');
    expect(units.map(({ diagnostics, items }) => [diagnostics.length, items.length])).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('requests', () => {
  it('are models only of later ones for the same texts', () => {
    const [a, b, c] = requestsFor('void f(void);');
    const other = unitRequest(TARGETS['linux-x64'], [{ name: 'a.h', content: 'void g(void);' }]);
    if (a === undefined || b === undefined || c === undefined) return expect.unreachable();
    const models = modelsOf([other, a, b, c]);
    expect(new Map(models)).toEqual(
      new Map([
        [b, a],
        [c, a],
      ]),
    );
  });
});

describe('printed declarations', () => {
  const [request] = requestsFor(`${INCLUDES}int64_t f(wchar_t a);`);
  const alike = (a: string, b: string): boolean => areAlike([a], [b], request ?? expect.unreachable());

  it('are alike where only the word for 64 bits differs in a standard type', () => {
    expect(alike('typedef long int64_t', 'typedef long long int64_t')).toBe(true);
    expect(alike('typedef long own', 'typedef long long own')).toBe(false);
    expect(alike('typedef int int64_t', 'typedef long long int64_t')).toBe(false);
    expect(alike('typedef long int64_t', 'typedef long long uint64_t')).toBe(false);
  });

  it('are alike where a standard type differs that the header does not use', () => {
    expect(alike('typedef int wchar_t', 'typedef unsigned int wchar_t')).toBe(false);
    const [unused] = requestsFor(INCLUDES);
    const [a, b] = ['typedef int wchar_t', 'typedef unsigned int wchar_t'];
    expect(areAlike([a], [b], unused ?? expect.unreachable())).toBe(true);
  });

  it('are not alike where there are more of one', () => {
    expect(areAlike(['void f()'], [], request ?? expect.unreachable())).toBe(false);
  });
});
