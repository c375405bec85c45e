import { describe, expect, it } from 'vitest';
import type { AbiChange } from '../../pipeline/bindings/abi-change.ts';
import { changeLines, changeSections, verdictLines, versionLines } from '../../pipeline/bindings/abi-report.ts';
import { judgeVersion, verdictOf } from '../../pipeline/bindings/abi-verdict.ts';

describe('the version that a change needs', () => {
  it.each([
    ['1.2.3', 'major', '2.0.0'],
    ['1.2.3', 'minor', '1.3.0'],
    ['1.2.3', 'patch', '1.2.4'],
    ['0.2.3', 'major', '0.3.0'],
    ['0.2.3', 'minor', '0.2.4'],
    ['0.2.3', 'patch', '0.2.4'],
    ['0.0.3', 'major', '0.0.4'],
    ['0.0.3', 'minor', '0.0.4'],
    ['1.2.3', 'none', '1.2.3'],
    ['2.0.0-rc.1', 'major', '2.0.0'],
  ] as const)('after %s for a %s change is %s', (recorded, bump, needs) => {
    expect(judgeVersion(recorded, '9.0.0', bump)).toEqual({ bump, needs, enough: true });
  });

  it.each([
    ['1.2.3', '1.3.0', 'minor', true],
    ['1.2.3', '1.2.4', 'minor', false],
    ['1.2.3', '1.2.3', 'patch', false],
    ['1.2.3', '1.2.3', 'none', true],
    ['1.2.3', '2.0.0-rc.1', 'major', true],
    // Steps that libkrun took: two functions removed, one added.
    ['1.16.0', '1.17.0', 'major', false],
    ['1.17.0', '1.17.3', 'minor', false],
    ['1.17.0', '1.18.0', 'minor', true],
    ['1.2.3', '1.9.0', 'major', false],
    ['2.0.0-rc.1', '2.0.0-rc.1', 'major', false],
    ['2.0.0-rc.1', '2.0.0-rc.2', 'major', true],
  ] as const)('after %s: %s for a %s change is enough: %s', (recorded, current, bump, enough) => {
    expect(judgeVersion(recorded, current, bump).enough).toBe(enough);
  });

  it('cannot be told of what is no version', () => {
    expect(() => judgeVersion('1.0.0', '01.2.3', 'minor')).toThrow(TypeError);
  });
});

const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

const change = (kind: AbiChange['kind'], name: string, more: Partial<AbiChange> = {}): AbiChange => ({
  kind,
  item: 'function',
  name,
  part: '',
  before: '',
  after: '',
  node: true,
  header: 'machine.h',
  targets: TARGETS,
  ...more,
});

describe('changes for people', () => {
  it('begin with what is removed and say what breaks, for whom', () => {
    const lines = changeLines([
      change('parameter-wider', 'machine_add', { part: 'argument 2', before: 'u32', after: 'u64' }),
      change('function-added', 'machine_log', { after: '(i32, u32) -> i32' }),
      change('function-removed', 'machine_map', { before: '(u32, *const *const char) -> i32' }),
      change('constant-added', 'MACHINE_MAX', { item: 'constant', after: '= 16' }),
    ]);
    expect(lines).toEqual([
      '- BREAKING removed  machine_map(u32, *const *const char) -> i32',
      '~ BREAKING changed  machine_add: argument 2  u32 → u64  (Rust crate major, npm package minor)',
      '+ added             machine_log(i32, u32) -> i32',
      '+ added             MACHINE_MAX = 16',
    ]);
  });

  it('put changed comments into one line', () => {
    const lines = changeLines(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => change('docs', name)));
    expect(lines).toEqual(['~ comments changed  a, b, c, d, e and 2 more']);
  });

  it('stand below the header that they are in and the targets that they are for', () => {
    const [x64 = ''] = TARGETS;
    const lines = changeSections([
      change('function-added', 'machine_log', { after: '()' }),
      change('function-added', 'machine_hvf', { after: '()', targets: [x64] }),
      change('docs', 'machine_log', { header: 'screen.h' }),
      change('function-removed', 'machine_map', { before: '()' }),
    ]);
    expect(lines).toEqual([
      'machine.h for linux-x64, linux-arm64, darwin-arm64',
      '- BREAKING removed  machine_map()',
      '+ added             machine_log()',
      'machine.h for linux-x64',
      '+ added             machine_hvf()',
      'screen.h for linux-x64, linux-arm64, darwin-arm64',
      '~ comments changed  machine_log',
    ]);
  });

  it('give each target a verdict of its own where they differ', () => {
    const [x64 = ''] = TARGETS;
    const changes = [
      change('deprecated', 'machine_log'),
      change('function-removed', 'machine_map', { targets: [x64] }),
    ];
    expect(verdictLines(changes, TARGETS)).toEqual([
      'semver: major',
      '  linux-x64: major',
      '  linux-arm64, darwin-arm64: minor',
    ]);
  });

  it('end with the verdict, for both where they differ', () => {
    expect(verdictLines([change('function-removed', 'machine_map')], TARGETS)).toEqual(['semver: major']);
    expect(verdictLines([change('same-width', 'machine_map')], TARGETS)).toEqual([
      'semver: Rust crate major, npm package patch',
    ]);
    const judged = { rust: judgeVersion('0.1.0', '0.1.1', 'major'), npm: judgeVersion('0.1.0', '0.1.1', 'minor') };
    expect(versionLines(judged, '0.1.0', '0.1.1')).toEqual([
      'Rust crate: 0.1.0 → at least 0.2.0; package.version 0.1.1 is too low',
      'npm package: 0.1.0 → at least 0.1.1; package.version 0.1.1 is enough',
    ]);
  });
});

it('asks no more than a patch for what the npm package does not offer', () => {
  expect(verdictOf([change('function-removed', 'machine_draw', { node: false })])).toEqual({
    rust: 'major',
    npm: 'patch',
  });
});
