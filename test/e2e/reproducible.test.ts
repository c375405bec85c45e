import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';

const { installed, checkout, checkoutStore, monorepo, installedBytes, temporary } = inject('fullBuild');
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

it('packs the same tarballs', () => {
  const names = readdirSync(join(installed, 'npm')).sort();
  expect(names).toEqual(readdirSync(join(checkout, 'npm')).sort());
  expect(names).toHaveLength(2);
  for (const name of names) expect(digest(join(installed, 'npm', name))).toBe(digest(join(checkout, 'npm', name)));
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
