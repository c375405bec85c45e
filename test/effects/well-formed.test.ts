import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProject } from '../../pipeline/effects/project.ts';
import { openWellFormed } from '../../pipeline/effects/well-formed.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('well-formed');
afterAll(folder.remove);

const file = (store: string): string => join(store, 'v1', 'well-formed.json');
let count = 0;
const freshStore = (): string => join(folder.path, `store-${++count}`);

describe('documents that were found well-formed', () => {
  it('are known to later runs of the same version, as the kind that they were', async () => {
    const store = freshStore();
    const first = await openWellFormed('1.2.3', store);
    expect(first.has('pins', '{}')).toBe(false);
    first.add('pins', '{}');
    await first.save();
    const later = await openWellFormed('1.2.3', store);
    expect(later.has('pins', '{}')).toBe(true);
    expect(later.has('pins', '{ }')).toBe(false);
    expect(later.has('configuration ', '{}')).toBe(false);
    expect((await openWellFormed('1.2.4', store)).has('pins', '{}')).toBe(false);
  });

  it('are no more than a thousand, the oldest forgotten first', async () => {
    const store = freshStore();
    const known = await openWellFormed('1.2.3', store);
    for (let index = 0; index < 1_001; index += 1) known.add('pins', String(index));
    await known.save();
    const later = await openWellFormed('1.2.3', store);
    expect([later.has('pins', '0'), later.has('pins', '1'), later.has('pins', '1000')]).toEqual([false, true, true]);
  });

  it.each(['', '{', '{}', '[1, null, "x"]', 'null'])(
    'are looked at again when the record is damaged: %s',
    async (text) => {
      const store = freshStore();
      mkdirSync(dirname(file(store)), { recursive: true });
      writeFileSync(file(store), text);
      expect((await openWellFormed('1.2.3', store)).has('pins', '{}')).toBe(false);
    },
  );

  it('cost nothing but time where the record cannot be read or written', async () => {
    const store = freshStore();
    mkdirSync(join(file(store), 'a folder in its place'), { recursive: true });
    const known = await openWellFormed('1.2.3', store);
    known.add('pins', '{}');
    await known.save();
    expect(known.has('pins', '{}')).toBe(true);
    expect((await openWellFormed('1.2.3', store)).has('pins', '{}')).toBe(false);
  });
});

describe('a configuration', () => {
  it('is read without a look at its schema once it is known, and refused again when it changes', async () => {
    const root = join(folder.path, 'project');
    const path = join(root, 'a3s-build.config.json');
    mkdirSync(root);
    writeFileSync(path, '{ "jobs": 3 }');
    const known = await openWellFormed('1.2.3');
    const added: string[] = [];
    const add = (kind: string, text: string): void => {
      added.push(kind);
      known.add(kind, text);
    };
    const watching = { ...known, add };
    expect((await findProject(root, undefined, watching)).file).toEqual({ jobs: 3 });
    expect((await findProject(root, undefined, watching)).file).toEqual({ jobs: 3 });
    expect(added).toEqual(['configuration ']);
    writeFileSync(path, '{ "jobs": 0 }');
    expect((await failureOf(() => findProject(root, undefined, watching))).code).toBe('A3S1101');
  });

  it('with overrides has their places, known or not', async () => {
    const root = join(folder.path, 'overrides');
    mkdirSync(root);
    const entry = { function: 'krun_f', returns: 'status', reason: 'it returns 0' };
    writeFileSync(join(root, 'a3s-build.config.json'), JSON.stringify({ bindings: { overrides: [entry] } }));
    const known = await openWellFormed('1.2.3');
    const first = await findProject(root, undefined, known);
    expect(first.file.overridePlaces).toMatchObject([{ line: 1 }]);
    expect(await findProject(root, undefined, known)).toEqual(first);
  });
});
