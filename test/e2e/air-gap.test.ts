import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { parseCargoLock } from '../../pipeline/plan/cargo-lock.ts';
import { REPOSITORY } from '../helpers/session.ts';

// The build that these tests look at was made by full-build.ts, inside `unshare --net`.
const { airGap, installed, checkoutStore } = inject('fullBuild');

it('built without any network, which the same machine has outside', () => {
  expect(airGap.inside.networks).toEqual([]);
  expect(airGap.inside.request).toMatch(/^(EAI_AGAIN|ENOTFOUND|ENETUNREACH|ECONNREFUSED)$/);
  expect(airGap.outside.networks).not.toEqual([]);
});

it('made everything, from a store without any result', () => {
  expect(airGap.storedBefore).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(installed, 'linux-x64/manifest.json'), 'utf8'));
  const outcomes = manifest.steps.map((step: { id: string; outcome: string }) => `${step.id} ${step.outcome}`);
  expect(outcomes).toEqual(
    ['firmware', 'source', 'bindings', 'init', 'libkrun', 'addon', 'launcher', 'prefix', 'package'].map(
      (id) => `${id} built`,
    ),
  );
});

it('had fetched each part onto a machine that had none', () => {
  const lines = airGap.fetched.trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['firmware', 'source', 'libkrun', 'addon', 'launcher']);
  for (const line of lines) expect(line).toMatch(/ {2}\d+\.\d MB {2}(\d+ )?fetched/);
});

it('had fetched nothing but crates that one of the lock files names', () => {
  const [key = ''] = readdirSync(join(checkoutStore, 'v1/results/source'));
  const locks = [
    join(checkoutStore, 'v1/results/source', key, 'out/Cargo.lock'),
    ...['vendor/source-crate', 'native', 'generated/napi'].map((folder) => join(REPOSITORY, folder, 'Cargo.lock')),
  ];
  const named = new Set(
    locks.flatMap((lock) =>
      parseCargoLock(readFileSync(lock, 'utf8'), (reason) => new Error(`${lock} ${reason}`)).map(
        ({ name, version }) => `${name}-${version}.crate`,
      ),
    ),
  );
  const cache = join(airGap.cargoHome, 'registry/cache');
  const fetched = readdirSync(cache).flatMap((registry) => readdirSync(join(cache, registry)));
  expect(fetched.length).toBeGreaterThan(100);
  expect(fetched.filter((name) => !named.has(name))).toEqual([]);
  expect(existsSync(join(airGap.cargoHome, 'git'))).toBe(false);
});
