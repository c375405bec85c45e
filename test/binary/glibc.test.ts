import { describe, expect, it } from 'vitest';
import { compareReleases, glibcNeeds, glibcRelease } from '../../pipeline/binary/glibc.ts';

const need = (version: string, weak = false) => ({ library: 'libc.so.6', version, weak });

describe('glibcNeeds', () => {
  it('takes the highest release by number, not by text', () => {
    const versionNeeds = [need('GLIBC_2.4'), need('GLIBC_2.34'), need('GLIBC_2.2.5'), need('GCC_4.2.0')];
    expect(glibcNeeds({ versionNeeds })).toEqual({ floor: '2.34', unstable: [] });
  });

  it('leaves out weak needs, without which the loader goes on', () => {
    expect(glibcNeeds({ versionNeeds: [need('GLIBC_2.17'), need('GLIBC_2.40', true)] }).floor).toBe('2.17');
  });

  it('has no floor for a file that needs no glibc', () => {
    expect(glibcNeeds({ versionNeeds: [need('CXXABI_1.3')] })).toEqual({ floor: null, unstable: [] });
  });

  it('knows the release behind a loader feature, and reports versions without a meaning', () => {
    const versionNeeds = [
      need('GLIBC_ABI_DT_RELR'),
      need('GLIBC_PRIVATE'),
      need('GLIBC_ABI_NEW'),
      need('GLIBC_PRIVATE'),
    ];
    expect(glibcNeeds({ versionNeeds })).toEqual({ floor: '2.36', unstable: ['GLIBC_PRIVATE', 'GLIBC_ABI_NEW'] });
  });

  it.each(['GLIBC_2', 'GLIBC_2.x', 'GLIBC_2.34 ', 'GLIBC_99999.1', 'glibc_2.34'])(
    'does not read %s as a release',
    (version) => {
      expect(glibcRelease(version)).toBeNull();
    },
  );
});

describe('compareReleases', () => {
  it.each([
    ['2.4', '2.34', -1],
    ['2.34', '2.34', 0],
    ['2.2', '2.2.5', -1],
    ['3.0', '2.99', 1],
  ])('orders %s and %s', (one, other, sign) => {
    expect(Math.sign(compareReleases(one, other))).toBe(sign);
  });
});
