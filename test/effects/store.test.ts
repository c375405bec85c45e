import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDigestCache } from '../../pipeline/effects/digests.ts';
import { openStore, type StepManifest, type Store, sweepTemporary } from '../../pipeline/effects/store.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('store');
afterAll(folder.remove);

const KEY = 'f'.repeat(64);
const digests = await openDigestCache(join(folder.path, 'rows.json'), false);

let count = 0;
function freshStore(): Store {
  count += 1;
  return openStore(join(folder.path, `store-${count}`));
}

async function publish(store: Store, content: string): Promise<StepManifest> {
  const out = await store.temporary('init');
  mkdirSync(join(out, 'bin'));
  writeFileSync(join(out, 'bin/init'), content, { mode: 0o755 });
  writeFileSync(join(out, 'notes'), 'text');
  const manifest = { schema: 1, step: 'init', key: KEY, inputs: { a: '1' }, facts: { n: 2 }, seconds: 3 } as const;
  return store.publish(out, manifest, digests);
}

function manifestFile(store: Store): string {
  return join(dirname(store.resultDir('init', KEY)), 'manifest.json');
}

describe('publish', () => {
  it('moves the folder into place with a manifest that describes it, and leaves nothing behind', async () => {
    const store = freshStore();
    const manifest = await publish(store, 'one');
    expect(readFileSync(join(store.resultDir('init', KEY), 'bin/init'), 'utf8')).toBe('one');
    expect(manifest.outputs.map(({ path, size, executable }) => [path, size, executable])).toEqual([
      ['bin/init', 3, true],
      ['notes', 4, false],
    ]);
    expect(store.readManifest('init', KEY)).toEqual(manifest);
    expect(await store.isIntact(manifest, digests)).toBe(true);
    expect(readdirSync(join(store.root, 'v1/tmp'))).toEqual([]);
  });

  it('keeps the first result when a second run publishes the same key', async () => {
    const store = freshStore();
    const first = await publish(store, 'one');
    const second = await publish(store, 'two');
    expect(second).toEqual(first);
    expect(readFileSync(join(store.resultDir('init', KEY), 'bin/init'), 'utf8')).toBe('one');
    expect(readdirSync(join(store.root, 'v1/tmp'))).toEqual([]);
  });

  it('replaces a result whose manifest is damaged', async () => {
    const store = freshStore();
    await publish(store, 'one');
    writeFileSync(manifestFile(store), '{');
    const second = await publish(store, 'two');
    expect(store.readManifest('init', KEY)).toEqual(second);
    expect(readFileSync(join(store.resultDir('init', KEY), 'bin/init'), 'utf8')).toBe('two');
  });
});

describe('results', () => {
  it.each([
    ['is no JSON', '{'],
    ['is empty', ''],
    ['is null', 'null'],
    ['is of another layout', JSON.stringify({ schema: 2, step: 'init', key: KEY, inputs: {}, outputs: [] })],
    ['belongs to another step', JSON.stringify({ schema: 1, step: 'libkrun', key: KEY, inputs: {}, outputs: [] })],
    ['belongs to another key', JSON.stringify({ schema: 1, step: 'init', key: 'e', inputs: {}, outputs: [] })],
    ['names no outputs', JSON.stringify({ schema: 1, step: 'init', key: KEY, inputs: {} })],
    ['has null inputs', JSON.stringify({ schema: 1, step: 'init', key: KEY, inputs: null, outputs: [] })],
    [
      'has an output outside',
      JSON.stringify({
        schema: 1,
        step: 'init',
        key: KEY,
        inputs: {},
        facts: {},
        outputs: [{ path: '../x', sha256: 'a' }],
      }),
    ],
    [
      'has null for an output',
      JSON.stringify({ schema: 1, step: 'init', key: KEY, inputs: {}, facts: {}, outputs: [null] }),
    ],
  ])('are not there when their manifest %s', async (_name, text) => {
    const store = freshStore();
    await publish(store, 'one');
    writeFileSync(manifestFile(store), text);
    expect(store.readManifest('init', KEY)).toBeUndefined();
  });

  it('are not intact once a file was cut, changed, made no program or taken away', async () => {
    const store = freshStore();
    const manifest = await publish(store, 'one');
    const file = join(store.resultDir('init', KEY), 'bin/init');
    truncateSync(file, 2);
    expect(await store.isIntact(manifest, digests)).toBe(false);
    writeFileSync(file, 'one');
    expect(await store.isIntact(manifest, digests)).toBe(true);
    chmodSync(file, 0o644);
    expect(await store.isIntact(manifest, digests)).toBe(false);
    await openStore(store.root).discard('init', KEY);
    expect(await store.isIntact(manifest, digests)).toBe(false);
  });

  it('can be discarded, twice too', async () => {
    const store = freshStore();
    await publish(store, 'one');
    await store.discard('init', KEY);
    await store.discard('init', KEY);
    expect(store.readManifest('init', KEY)).toBeUndefined();
    expect(existsSync(store.resultDir('init', KEY))).toBe(false);
    expect(readdirSync(join(store.root, 'v1/tmp'))).toEqual([]);
  });
});

it('sweeps only temporary folders that are old', async () => {
  const store = freshStore();
  const [old, young] = [await store.temporary('old'), await store.temporary('young')];
  utimesSync(old, new Date(0), new Date(0));
  await sweepTemporary(store.root, 60_000);
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  await sweepTemporary(join(folder.path, 'no-such-store'), 0);
});

it('reports a store that cannot be written', async () => {
  const file = join(folder.path, 'a-file');
  writeFileSync(file, '');
  expect((await failureOf(() => openStore(file).temporary('x'))).code).toBe('A3S5002');
});
