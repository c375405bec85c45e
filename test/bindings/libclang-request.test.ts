import { describe, expect, it } from 'vitest';
import { parseDiagnostic } from '../../pipeline/bindings/libclang/diagnostics.ts';
import { macroBody, macroComment, significantBody } from '../../pipeline/bindings/libclang/macro-text.ts';
import { unitRequest } from '../../pipeline/bindings/libclang/request.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';

const target = TARGETS['linux-arm64'];
const refused = expect.objectContaining({ code: 'A3S3002' });

describe('a parse request', () => {
  it('parses for the target and never looks at the system', () => {
    const request = unitRequest(target, [{ name: 'a.h', content: '' }]);
    expect(request.arguments).toEqual(expect.arrayContaining(['-nostdinc', '-target', 'aarch64-unknown-linux-gnu']));
    expect(request.files.map(({ path }) => path)).toContain('/src/a.h');
  });

  it.each(['', '/etc/passwd', '../a.h', 'a/../b.h', 'a//b.h', './a.h', '.hidden.h', 'a\nb.h', 'a:1:1: error: x.h'])(
    'refuses the header name %j',
    (name) => {
      expect(() => unitRequest(target, [{ name, content: '' }])).toThrow(refused);
    },
  );

  it('refuses a header over 4 MiB, one given twice, and none at all', () => {
    const large = { name: 'large.h', content: ' '.repeat(4 * 1024 * 1024 + 1) };
    expect(() => unitRequest(target, [large])).toThrow(refused);
    expect(() => unitRequest(target, [{ name: 'a.h', content: '' }], [{ name: 'a.h', content: '' }])).toThrow(refused);
    expect(() => unitRequest(target, [])).toThrow(refused);
  });
});

describe('a line that libclang prints', () => {
  it('is an error only by its severity, whatever its text says', () => {
    expect(parseDiagnostic('/src/a.h:3:5: warning: x: 1:1: error: y', '/src/')).toBeNull();
    expect(parseDiagnostic('note: error: no', '/src/')).toBeNull();
    expect(parseDiagnostic('/src/a.h:3:5: fatal error: no', '/src/')).toEqual({
      severity: 'fatal',
      place: { file: 'a.h', line: 3, column: 5 },
      text: 'no',
    });
    expect(parseDiagnostic('error: unknown argument', '/src/')).toMatchObject({ severity: 'error', place: null });
  });

  it('cannot carry control characters or endless text into a message', () => {
    const text = parseDiagnostic(`/src/a.h:1:1: error: \u001b[31m\u202e${'x'.repeat(9_999)}`, '/src/')?.text ?? '';
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(500);
  });
});

describe('the text of a macro', () => {
  const at = (source: string, name: string) => [Buffer.from(source), Buffer.from(source).indexOf(name)] as const;

  it('goes over continued lines and comments that span lines, counted in bytes', () => {
    const [source, offset] = at('/* é */\n#define A 1 | \\\n 2 /* x\n y */ + 3\nint z;', 'A');
    expect(significantBody(macroBody(source, offset, 'A'))).toMatch(/^1 \|\s+2\s+\+ 3$/);
    expect(macroBody(...at('#define B', 'B'), 'B')).toBe('');
  });

  it('takes the comment of a lone macro, but not the heading of a group', () => {
    expect(macroComment(...at('/* x */\n#define A 1\n', 'A'))).toBe('/* x */');
    expect(macroComment(...at('/* x */\n#define A 1\n#define B 2\n', 'A'))).toBeNull();
    expect(macroComment(...at('/** x */\n#define A 1\n#define B 2\n', 'A'))).toBe('/** x */');
    expect(macroComment(...at('// x\n// y\n#define A 1\n', 'A'))).toBe('// x\n// y');
    expect(macroComment(...at('/* x */ int y; /* z */\n#define A 1\n', 'A'))).toBe('/* z */');
    expect(macroComment(...at('/* x */\n\n#define A 1\n', 'A'))).toBeNull();
  });
});
