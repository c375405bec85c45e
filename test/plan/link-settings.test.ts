import { describe, expect, it } from 'vitest';
import { settleGlibc, settleLinkers } from '../../pipeline/plan/link-settings.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';

const host = TARGETS['linux-x64'];
const { 'linux-x64': x64, 'linux-arm64': arm64, 'darwin-arm64': mac } = TARGETS;
const none = { flag: undefined, variables: {}, file: undefined };

describe('the linker of a target', () => {
  it('is that of the flag, then of the variable, then of the configuration', () => {
    const named = { flag: 'a', variables: { 'linux-arm64': 'b' }, file: { 'linux-arm64': 'c' } };
    expect(settleLinkers(named, [arm64], host)).toEqual({ 'linux-arm64': 'a' });
    expect(settleLinkers({ ...named, flag: undefined }, [arm64], host)).toEqual({ 'linux-arm64': 'b' });
    expect(settleLinkers({ ...none, file: named.file }, [arm64], host)).toEqual({ 'linux-arm64': 'c' });
    expect(settleLinkers(none, [arm64], host)).toEqual({});
  });

  it('is not that of this machine where a flag names one for another', () => {
    expect(settleLinkers({ ...none, flag: 'gcc' }, [x64, arm64], host)).toEqual({ 'linux-arm64': 'gcc' });
    expect(settleLinkers({ ...none, flag: 'gcc' }, [x64], host)).toEqual({ 'linux-x64': 'gcc' });
  });

  it('is zig for all of them where zig is named', () => {
    expect(settleLinkers({ ...none, flag: 'zig' }, [x64, arm64], host)).toEqual({
      'linux-x64': 'zig',
      'linux-arm64': 'zig',
    });
    expect(settleLinkers({ ...none, file: 'zig' }, [arm64], host)).toMatchObject({ 'linux-arm64': 'zig' });
  });

  it('cannot be one command for several', () => {
    expect(() => settleLinkers({ ...none, flag: 'gcc' }, [x64, arm64, mac], host)).toThrow(
      expect.objectContaining({
        code: 'A3S1005',
        failure: expect.objectContaining({
          fix: expect.stringContaining('CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER'),
        }),
      }),
    );
  });
});

describe('the release of glibc', () => {
  it('is the one named, where zig links or no linker is named', () => {
    expect(settleGlibc('2.28', {}, [x64])).toBe('2.28');
    expect(settleGlibc('2.31', { 'linux-arm64': 'zig' }, [arm64, mac])).toBe('2.31');
    expect(settleGlibc(undefined, { 'linux-x64': 'gcc' }, [x64])).toBeNull();
  });

  it.each(['2.17', '2.27', '2.280', '3.28', '2.28.1', '', 'new', '2.28\n'])('cannot be %j', (release) => {
    expect(() => settleGlibc(release, {}, [x64])).toThrow(expect.objectContaining({ code: 'A3S1007' }));
  });

  it('means nothing where there is no glibc', () => {
    expect(() => settleGlibc('2.28', {}, [mac])).toThrow(expect.objectContaining({ code: 'A3S1007' }));
  });

  it('cannot be chosen with another linker than zig', () => {
    expect(() => settleGlibc('2.28', { 'linux-arm64': 'gcc' }, [x64, arm64])).toThrow(
      expect.objectContaining({ code: 'A3S1008', message: expect.stringContaining('gcc') }),
    );
    // What is named for a target without glibc says nothing.
    expect(settleGlibc('2.28', { 'darwin-arm64': 'ld64' }, [x64, mac])).toBe('2.28');
  });
});
