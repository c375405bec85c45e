import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { readArchive } from '../../pipeline/effects/archive.ts';
import { verify } from '../../pipeline/index.ts';
import { TARBALL_LIMITS } from '../../pipeline/steps/package/pack.ts';
import { REPOSITORY } from '../helpers/session.ts';

const { installed } = inject('fullBuild');
const folder = join(installed, 'npm');

it('the packages that were built verify by themselves, and against their own root package', async () => {
  const alone = await verify({ folder, cwd: REPOSITORY, variables: {} });
  expect(alone).toMatchObject({ ok: true, report: { findings: [], anchored: false } });
  const root = alone.ok ? alone.report.packages.find(({ target }) => target === null) : undefined;
  const anchored = await verify({ folder, cwd: REPOSITORY, variables: {}, expect: root?.integrity });
  expect(anchored).toMatchObject({ ok: true, report: { anchored: true } });
});

it('they are not published before somebody recorded the digests of the sources', async () => {
  const refused = await verify({ folder, cwd: REPOSITORY, variables: {}, publish: true });
  expect(refused).toMatchObject({ ok: false, error: { code: 'A3S4004' } });
});

it('the notices name what is linked, with its texts, and not what only builds it or is for other systems', async () => {
  const [name = ''] = readdirSync(folder).filter((file) => file.includes('linux-x64'));
  const files = await readArchive(join(folder, name), TARBALL_LIMITS);
  const text = files.find(({ path }) => path === 'package/THIRD-PARTY-NOTICES.md')?.content.toString('utf8') ?? '';
  for (const row of ['| libc |', '| serde_json |', '| napi |', '| zstd-sys |', '| vmm |']) expect(text).toContain(row);
  for (const row of ['| bindgen |', '| syn |', '| cc |', '| autocfg |', '| windows-sys |']) {
    expect(text).not.toContain(row);
  }
  // C code inside a crate has a licence of its own.
  expect(text).toContain('Copyright (c) Meta Platforms, Inc. and affiliates.');
  expect(text).toContain('Permission is hereby granted');
});
