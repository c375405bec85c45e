import { describe, expect, it } from 'vitest';
import { toIr } from '../../pipeline/bindings/header.ts';
import { type ParseRequest, parseHeaders } from '../../pipeline/bindings/libclang/embedded.ts';
import { BuildError, type Failure } from '../../pipeline/plan/errors.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';

const target = TARGETS['linux-x64'];

async function failure(content: string, options: Partial<ParseRequest> = {}): Promise<Failure> {
  const workerPath = await bundleWorker();
  const parsing = parseHeaders({ headers: [{ name: 'bad.h', content }], target, workerPath, ...options });
  return parsing.then(
    () => expect.unreachable('the header was accepted'),
    (error: unknown) => (error instanceof BuildError ? error.failure : expect.unreachable(String(error))),
  );
}

describe('a header that libclang refuses', () => {
  it('is shown with file, line, column and the line itself', async () => {
    const found = await failure('int fine(void);\nint broken(;\n');
    expect(found.code).toBe('A3S3002');
    const source = { text: 'int broken(;', caret: 11 };
    expect(found.where).toEqual({ file: 'bad.h', line: 2, column: 12, source });
  });

  it('is shown as the terminal can show it: no control characters, a long line around the place', async () => {
    const long = `/* ${'é'.repeat(200)}\u001b[31m */ \tint broken(; /* ${'x'.repeat(200)} */`;
    const { where } = await failure(`${long}\n`);
    const { text = '', caret = 0 } = where?.source ?? {};
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(text.length).toBeLessThanOrEqual(120);
    expect(text.slice(caret - 'int broken('.length, caret + 1)).toBe('int broken(;');
  });

  it('does not turn an unknown type into int', async () => {
    const found = await failure('no_such_type broken(void);\n');
    expect(found).toMatchObject({ code: 'A3S3002', where: { file: 'bad.h', line: 1, column: 1 } });
    expect(found.message).toContain("unknown type name 'no_such_type'");
  });

  it('names an include that is missing, and not what the missing include hides', async () => {
    const found = await failure('int first(nothing);\n#include <not-there.h>\nint second(;\n');
    expect(found).toMatchObject({ code: 'A3S3002', where: { file: 'bad.h', line: 2 } });
    expect(found.message).toContain('not-there.h');
  });

  it.each(['"../../../../etc/passwd"', '"/dev/urandom"'])(
    'cannot include %s from outside the request',
    async (include) => {
      const found = await failure(`#include ${include}\nint call(void);\n`);
      expect(found).toMatchObject({ code: 'A3S3002', where: { file: 'bad.h', line: 1 } });
      expect(JSON.stringify(found)).not.toMatch(/root:/);
    },
  );

  it('cannot make the message quote a file by claiming to be it', async () => {
    const found = await failure('#line 1 "/etc/passwd"\nint broken(;\n');
    expect(found).toMatchObject({ code: 'A3S3002', where: { file: 'bad.h', line: 2 } });
  });

  it('cannot change what the words of C mean', async () => {
    const found = await failure('int call(int value);\n#define int char\n');
    expect(found.code).toBe('A3S3004');
    expect(found.message).toContain('linux-x64');
  });

  it('is stopped when its macros grow without end', async () => {
    const levels = Array.from({ length: 40 }, (_, level) => `#define G${level + 1} G${level} G${level}\n`);
    const found = await failure(`#define G0 int x;\n${levels.join('')}G40\n`, { timeLimit: 5_000 });
    expect(found.code).toBe('A3S3002');
    expect(found.message).toContain('5000 ms');
  });
});

describe('a header that nests deeply', () => {
  const nested = (depth: number) => `struct outer {${'struct {'.repeat(depth)}int x;${'} y;'.repeat(depth)}};`;

  it('is read as deep as clang allows', async () => {
    const workerPath = await bundleWorker();
    const unit = await parseHeaders({ headers: [{ name: 'deep.h', content: nested(200) }], target, workerPath });
    expect(unit.items).toHaveLength(201);
  });

  it('is refused where clang has its limit', async () => {
    const found = await failure(nested(300));
    expect(found).toMatchObject({ code: 'A3S3002', where: { file: 'bad.h', line: 1 } });
    expect(found.message).toContain('maximum of 256');
  });

  it('is refused where no limit of clang, but the stack, ends it', async () => {
    const found = await failure(`static int x = ${'- '.repeat(20_000)}1;`);
    expect(found.code).toBe('A3S3002');
    expect(found.message).toContain('Maximum call stack size exceeded');
  });
});

describe('two headers that disagree', () => {
  const between = (one: string, two: string) =>
    failure('', {
      headers: [
        { name: 'one.h', content: one },
        { name: 'two.h', content: two },
      ],
    });

  it('about a function are refused with both places', async () => {
    const found = await between('int call(int a);\n', '\nint call(long a);\n');
    expect(found).toMatchObject({
      code: 'A3S3002',
      message: "conflicting types for 'call'",
      where: { file: 'two.h', line: 2, column: 5, source: { text: 'int call(long a);', caret: 4 } },
      also: { file: 'one.h', line: 1, column: 5, source: { text: 'int call(int a);', caret: 4 } },
    });
  });

  it.each(['', '#undef LEVEL\n'])('about a macro are refused with both places, also behind %j', async (before) => {
    const found = await between('int call(void);\n#define LEVEL 1\n', `${before}#define LEVEL 2\n`);
    expect(found).toMatchObject({
      code: 'A3S3002',
      message: 'LEVEL has one value in one.h and another in two.h',
      where: { file: 'two.h', column: 9, source: { text: '#define LEVEL 2', caret: 8 } },
      also: { file: 'one.h', line: 2, column: 9, source: { text: '#define LEVEL 1', caret: 8 } },
    });
  });
});

describe('the worker', () => {
  it('that is not there is reported as a parser that cannot start', async () => {
    expect((await failure('int call(void);\n', { workerPath: '/nowhere/worker.mjs' })).code).toBe('A3S3004');
  });

  it('that prints something else is not trusted', async () => {
    expect((await failure('int call(void);\n', { nodePath: '/bin/echo' })).code).toBe('A3S3004');
  });
});

describe('headers', () => {
  it('may give a macro the same value twice, and one may change its own', async () => {
    const raw = await parseHeaders({
      headers: [
        { name: 'one.h', content: 'int one(void);\n#define LEVEL (1 + 1)\n#define OWN 1\n#undef OWN\n#define OWN 2\n' },
        { name: 'two.h', content: '#undef LEVEL\n#define LEVEL  (1 +\t1) // two\n' },
      ],
      target,
      workerPath: await bundleWorker(),
    });
    expect(raw.items.map(({ name }) => name)).toEqual(expect.arrayContaining(['LEVEL', 'OWN']));
  });

  it('may include each other and the files given with them, and only their own functions count', async () => {
    const raw = await parseHeaders({
      headers: [
        { name: 'one.h', content: '#include "sub/shared.h"\nint one(shared_type value);\n' },
        { name: 'two.h', content: '#include "one.h"\nvoid two(shared_type value);\n' },
      ],
      includes: [
        { name: 'sub/shared.h', content: 'typedef unsigned shared_type;\nvoid not_mine(void);\n#define NOT_MINE 1\n' },
      ],
      target: TARGETS['darwin-arm64'],
      workerPath: await bundleWorker(),
    });
    const ir = toIr(raw, [{ function: 'one', returns: 'plain', reason: 'test' }]);
    expect(ir.target).toBe('darwin-arm64');
    expect(ir.items.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'function one',
      'function two',
      'typedef shared_type',
    ]);
  });
});
