import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { compareFolders } from '../../pipeline/commands/compare.ts';
import { NOBODY } from '../../pipeline/plan/circumstances.ts';

const { installed, checkout, checkoutStore, monorepo, installedBytes, temporary, airGap } = inject('fullBuild');
const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Budgets of the packaging design, in bytes. */
const INSTALLED_LIMIT = 90e6;
const PACKED_LIMIT = 12e6;

it.each(['lib/libkrun.so.1', 'lib/libkrunfw.so.5', 'bin/krun-launcher'])(
  'builds the same %s from two folders, with and without compiler state',
  (file) => {
    expect(digest(join(installed, 'linux-x64/prefix', file))).toBe(digest(join(checkout, 'linux-x64/prefix', file)));
  },
);

it('kept compiler state in one of the builds and not in the other', () => {
  expect(readdirSync(join(checkoutStore, 'v1/scratch')).some((name) => name.startsWith('libkrun-'))).toBe(true);
  expect(existsSync(join(temporary, 'store one/v1/scratch'))).toBe(false);
});

it('built once as root and once as nobody, with another umask', () => {
  const { uid, mode } = statSync(join(checkout, 'npm'));
  expect({ uid, mode: mode & 0o777 }).toEqual({ uid: 0, mode: 0o755 });
  expect(airGap.owner).toEqual({ uid: NOBODY, mode: 0o700 });
});

it('packs the same tarballs, in another time zone and locale too', async () => {
  const folders = [join(installed, 'npm'), join(checkout, 'npm')] as const;
  expect(await compareFolders(folders, 'bytes', ['the installed build', 'the build of the checkout'])).toBe(2);
});

it('keeps the platform package within its budget', () => {
  const [platform] = readdirSync(join(installed, 'npm')).filter((name) => name.includes('linux-x64'));
  expect(readFileSync(join(installed, 'npm', platform ?? '')).length).toBeLessThanOrEqual(PACKED_LIMIT);
});

it('installs a3s-build within its budget, and writes into the workspace root', () => {
  console.log(`installed: ${(installedBytes / 1e6).toFixed(1)} MB`);
  expect(installedBytes).toBeLessThanOrEqual(INSTALLED_LIMIT);
  expect(existsSync(join(monorepo, 'packages/app/build'))).toBe(false);
});
