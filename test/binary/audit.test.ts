import { describe, expect, it } from 'vitest';
import { type AuditExpectation, assertAudit, auditBinary, pathNeedles } from '../../pipeline/binary/audit.ts';
import { readElf } from '../../pipeline/binary/elf.ts';
import { type MadeElf, makeElf } from './make-elf.ts';

const MADE: MadeElf = {
  soname: 'libmade.so.1',
  runpath: '$ORIGIN',
  needed: ['libc.so.6'],
  symbols: [
    { name: 'made_open', data: 'code' },
    { name: 'made_close', data: 'code' },
    { name: 'memcpy', version: 0 },
    { name: 'hook', weak: true },
  ],
  versions: [{ library: 'libc.so.6', name: 'GLIBC_2.34' }],
};

const EXPECTED: AuditExpectation = {
  machine: 'x86_64',
  form: 'shared',
  static: false,
  interpreter: null,
  soname: 'libmade.so.1',
  runpath: '$ORIGIN',
  executableStack: false,
  needed: ['libc.so.6', 'libgcc_s.so.1'],
  exports: { required: ['made_open', 'made_close'] },
  glibcLimit: '2.34',
  unversionedImports: [],
  forbiddenText: pathNeedles(['/home/builder']),
};

function audit(change: MadeElf, expected: AuditExpectation = EXPECTED) {
  const bytes = makeElf({ ...MADE, ...change });
  return auditBinary(bytes, readElf(bytes), expected);
}

const withSymbol = (symbol: NonNullable<MadeElf['symbols']>[number]) => [...(MADE.symbols ?? []), symbol];
const withVersion = (name: string) => ({
  symbols: withSymbol({ name: 'pidfd_spawnp', version: 1 }),
  versions: [...(MADE.versions ?? []), { library: 'libc.so.6', name }],
});
/** Expectation with one field replaced, all others as in the clean file. */
const but = (change: AuditExpectation): AuditExpectation => ({ ...EXPECTED, ...change });

/** One row for each way a file can differ: what was changed, the check that reports it, and its whole message. */
type Difference = [name: string, check: string, message: string, change: MadeElf, expected?: AuditExpectation];
const DIFFERENCES: Difference[] = [
  ['another machine', 'machine', "machine is 'aarch64' instead of 'x86_64'", { machine: 183 }],
  [
    'another soname',
    'soname',
    "soname is 'libmade.so.1.17.0' instead of 'libmade.so.1'",
    { soname: 'libmade.so.1.17.0' },
  ],
  ['an unwanted soname', 'soname', "soname is 'libmade.so.1' instead of none", {}, but({ soname: null })],
  ['an escaped runpath', 'runpath', "runpath is '\\$$ORIGIN' instead of '$ORIGIN'", { runpath: '\\$$ORIGIN' }],
  ['a longer runpath', 'runpath', "runpath is '$ORIGIN:/opt' instead of '$ORIGIN'", { runpath: '$ORIGIN:/opt' }],
  ['an rpath beside it', 'rpath', "has the rpath '/opt'; only a runpath is allowed", { rpath: '/opt' }],
  ['an executable stack', 'executableStack', 'executable stack is true instead of false', { executableStack: true }],
  [
    'a library that is not allowed',
    'needed',
    'needs libssl.so.3; allowed: libc.so.6, libgcc_s.so.1',
    { needed: ['libc.so.6', 'libssl.so.3'] },
  ],
  ['any library where none is allowed', 'needed', 'needs libc.so.6; allowed: none', {}, but({ needed: [] })],
  ['libraries in a static file', 'static', "is shared, and needs 'libc.so.6', not static", {}, but({ static: true })],
  ['another form', 'form', "form is 'shared' instead of 'pie'", {}, but({ form: 'pie' })],
  ['no loader path', 'interpreter', "loader path is none instead of '/lib/ld'", {}, but({ interpreter: '/lib/ld' })],
  [
    'missing exports',
    'exports',
    'does not export made_start',
    {},
    but({ exports: { required: ['made_open', 'made_close', 'made_start'] } }),
  ],
  ['unexpected exports', 'exports', 'also exports stray', { symbols: withSymbol({ name: 'stray', data: '' }) }],
  [
    'a newer glibc, by number',
    'glibc',
    'needs glibc 2.100 for pidfd_spawnp@GLIBC_2.100; the limit is 2.34',
    withVersion('GLIBC_2.100'),
  ],
  [
    'private parts of glibc',
    'glibc',
    'needs versions of glibc without a stable meaning: GLIBC_PRIVATE',
    withVersion('GLIBC_PRIVATE'),
  ],
  [
    'an import from no library',
    'unversionedImports',
    'imports lost from no known library',
    { symbols: withSymbol({ name: 'lost' }) },
  ],
  [
    'hostile names, which are made visible',
    'unversionedImports',
    'imports lost\\u{1b}[2J from no known library',
    { symbols: withSymbol({ name: 'lost\u001b[2J' }) },
  ],
];

describe('auditBinary', () => {
  it('finds nothing in a file that is as expected', () => {
    expect(audit({})).toEqual([]);
  });

  it('checks nothing that is not expected', () => {
    expect(audit({ machine: 183, soname: 'other', rpath: '/opt', ...withVersion('GLIBC_PRIVATE') }, {})).toEqual([]);
  });

  it.each(DIFFERENCES)('reports %s', (_, check, message, change, expected) => {
    expect(audit(change, expected)).toEqual([{ check, message }]);
  });

  it('reports text of the build machine with its place, its surroundings and how often it is there', () => {
    const data = 'panicked at /home/builder/.cargo/x.rs and /home/builder/y.rs\u001b';
    const [finding, ...others] = audit({
      symbols: [
        { name: 'made_open', data: 'code' },
        { name: 'made_close', data },
      ],
      versions: [],
    });
    expect(others).toEqual([]);
    expect(finding?.check).toBe('forbiddenText');
    expect(finding?.message).toMatch(
      /^holds '\/home\/builder\/' 2 times, first at offset \d+: '[^']*panicked at \/home\/builder\/\.cargo\/x\.rs and [^']*'$/,
    );
    expect(finding?.message).not.toContain('\u001b');
  });

  it('allows what the expectation lists: missing and stray exports, imports by their start, weak imports', () => {
    const symbols = [...withSymbol({ name: 'stray', data: '' }), { name: 'napi_wrap' }, { name: 'maybe', weak: true }];
    const expected = but({
      exports: {
        required: ['made_open', 'made_close', 'made_tee'],
        mayBeMissing: ['made_tee'],
        alsoAllowed: ['stray'],
      },
      unversionedImports: ['napi_*'],
    });
    expect(audit({ symbols }, expected)).toEqual([]);
  });

  it('shortens long lists of names', () => {
    const required = Array.from({ length: 60 }, (_, index) => `krun_${index}`);
    const [finding] = audit({}, { exports: { required, alsoAllowed: ['*'] } });
    expect(finding?.message).toBe(
      'does not export krun_0, krun_1, krun_2, krun_3, krun_4, krun_5, krun_6, krun_7, krun_8, krun_9 and 50 more',
    );
  });

  it('treats an empty forbidden text as a bug of its caller', () => {
    expect(() => audit({}, { forbiddenText: [''] })).toThrow(expect.objectContaining({ code: 'A3S9001' }));
  });
});

describe('assertAudit', () => {
  it('returns where there is no finding', () => {
    expect(() => assertAudit([], 'libmade.so.1')).not.toThrow();
  });

  it('throws one A3S1205 that lists every finding and names the file', () => {
    const findings = audit({ machine: 183, rpath: '/opt' });
    expect(findings).toHaveLength(2);
    const assertion = () => assertAudit(findings, 'out/libmade.so.1');
    expect(assertion).toThrow(expect.objectContaining({ code: 'A3S1205' }));
    expect(assertion).toThrow(
      "out/libmade.so.1 differs from what is expected in 2 ways:\n  machine: machine is 'aarch64' instead of 'x86_64'\n  rpath: has the rpath '/opt'; only a runpath is allowed",
    );
  });
});

describe('pathNeedles', () => {
  it('ends each folder with one slash, and drops the root folder, relative paths and repetitions', () => {
    expect(pathNeedles(['/home/al', '/home/al/', '/', '', 'build', '/home/é x//'])).toEqual([
      '/home/al/',
      '/home/é x/',
    ]);
  });
});
