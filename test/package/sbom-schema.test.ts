import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArchive } from '../../pipeline/effects/archive.ts';
import { TARBALL_LIMITS } from '../../pipeline/steps/package/pack.ts';
import { packSet } from './make-set.ts';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
let folder = '';
const bills = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbom-'));
  await packSet(folder, ['linux-x64', 'linux-arm64', 'darwin-arm64']);
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.tgz')) continue;
    const files = await readArchive(join(folder, name), TARBALL_LIMITS);
    const bill = files.find(({ path }) => path === 'package/sbom.cdx.json');
    if (bill !== undefined) bills.set(name, bill.content.toString('utf8'));
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('sbom.cdx.json', () => {
  it('follows the schema of CycloneDX 1.6, in the package of each target', async () => {
    expect(bills.size).toBe(3);
    for (const [name, bill] of bills) expect(await validator.validate(bill), name).toBeNull();
  });

  it('is really held against that schema', async () => {
    const bill = JSON.parse([...bills.values()][0] ?? '') as { components: Record<string, unknown>[] };
    bill.components[0] = { ...bill.components[0], type: 'no such type' };
    expect(await validator.validate(JSON.stringify(bill))).not.toBeNull();
  });
});
