import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, type FileWatch, openWatch } from '../../pipeline/effects/watch.ts';
import { makeFolder } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let watch: FileWatch;
const at = (path: string) => join(folder.path, path);
const signal = () => AbortSignal.timeout(10_000);

beforeEach(async () => {
  folder = makeFolder('watch');
  mkdirSync(at('include'));
  writeFileSync(at('include/a.h'), 'one');
  watch = await openWatch();
});
afterEach(async () => {
  await watch.close();
  folder.remove();
});

/** Waits for a change of the files that `change` makes once they are watched. */
async function changedAfter(paths: readonly string[], change: () => void): Promise<readonly string[] | null> {
  const seen = await contentsOf(paths.map(at));
  const waiting = watch.changed(seen, signal());
  setTimeout(change, 400);
  return waiting;
}

describe('a change', () => {
  it.each<[string, () => void]>([
    ['written in place', () => writeFileSync(at('include/a.h'), 'two')],
    [
      'saved by writing another file and renaming it',
      () => {
        writeFileSync(at('include/a.h~'), 'two');
        renameSync(at('include/a.h~'), at('include/a.h'));
      },
    ],
    [
      'saved by moving the old file away first',
      () => {
        renameSync(at('include/a.h'), at('include/a.h.bak'));
        setTimeout(() => writeFileSync(at('include/a.h'), 'two'), 20);
      },
    ],
    ['that removes it', () => rmSync(at('include/a.h'))],
    ['that removes its folder', () => rmSync(at('include'), { recursive: true })],
  ])('is seen: %s', async (_how, change) => {
    expect(await changedAfter(['include/a.h'], change)).toEqual([at('include/a.h')]);
  });

  it('is seen where a file, and its folder, come later', async () => {
    const changed = await changedAfter(['later/a.h', 'include/a.h'], () => {
      mkdirSync(at('later'));
      setTimeout(() => writeFileSync(at('later/a.h'), 'new'), 300);
    });
    expect(changed).toEqual([at('later/a.h')]);
  });

  it('is seen in what a link leads to', async () => {
    mkdirSync(at('src'));
    writeFileSync(at('src/b.h'), 'one');
    symlinkSync('../src/b.h', at('include/b.h'));
    expect(await changedAfter(['include/b.h'], () => writeFileSync(at('src/b.h'), 'two'))).toEqual([at('include/b.h')]);
  });

  it('is seen at once where it was made before anybody waited', async () => {
    const seen = await contentsOf([at('include/a.h')]);
    writeFileSync(at('include/a.h'), 'two');
    expect(await watch.changed(seen, signal())).toEqual([at('include/a.h')]);
  });

  it('is waited for until the saving ends', async () => {
    const seen = await contentsOf([at('include/a.h')]);
    const waiting = watch.changed(seen, signal());
    for (let step = 0; step < 8; step += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(at('include/a.h'), `step ${step}`);
    }
    await waiting;
    const settled = await contentsOf([at('include/a.h')]);
    expect(settled.get(at('include/a.h'))).not.toBe(seen.get(at('include/a.h')));
    expect(await watch.changed(settled, AbortSignal.timeout(600))).toBeNull();
  });
});

it('takes no notice of other files, nor of a file that is written again as it was', async () => {
  const seen = await contentsOf([at('include/a.h')]);
  const waiting = watch.changed(seen, AbortSignal.timeout(1_500));
  setTimeout(() => {
    writeFileSync(at('include/other.h'), 'x');
    writeFileSync(at('include/a.h'), 'one');
  }, 400);
  expect(await waiting).toBeNull();
});
