import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { matchesArchive, verifyArchive, verifyFile } from '../../pipeline/effects/verify.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('verify');
afterAll(folder.remove);

const ORIGIN = 'https://registry.example/a.tgz';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const integrity = (text: string): string => `sha512-${createHash('sha512').update(text).digest('base64')}`;

function fileOf(content: string): string {
  const path = join(folder.path, sha256(content));
  writeFileSync(path, content);
  return path;
}

const pinOf = (text: string) => ({ size: text.length, sha256: sha256(text), integrity: integrity(text) });

describe('a file with the pinned bytes', () => {
  it('passes, by whatever the pin states', async () => {
    const path = fileOf('good');
    for (const pin of [pinOf('good'), { sha256: sha256('good') }, { integrity: integrity('good') }]) {
      await expect(verifyArchive(path, pin, ORIGIN)).resolves.toBeUndefined();
      expect(await matchesArchive(path, pin)).toBe(true);
    }
  });
});

describe('a file with other bytes', () => {
  it('is refused with both digests and the origin', async () => {
    const path = fileOf('evil');
    const { code, exit, message, where } = await failureOf(() => verifyArchive(path, pinOf('good'), ORIGIN));
    expect({ code, exit, where }).toEqual({ code: 'A3S2001', exit: 65, where: { file: path } });
    for (const part of [ORIGIN, sha256('good'), sha256('evil'), '4 bytes']) expect(message).toContain(part);
  });

  it('is refused with both SRI digests where that is what the pin states', async () => {
    const { message } = await failureOf(() => verifyArchive(fileOf('evil'), { integrity: integrity('good') }, ORIGIN));
    expect(message).toContain(integrity('good'));
    expect(message).toContain(integrity('evil'));
  });

  it('is refused when only one of several digests, or only the size, differs', async () => {
    const path = fileOf('good');
    const mixed = [
      { ...pinOf('good'), integrity: integrity('evil') },
      { ...pinOf('good'), sha256: sha256('evil') },
      { ...pinOf('good'), size: 5 },
    ];
    for (const pin of mixed) {
      expect((await failureOf(() => verifyArchive(path, pin, ORIGIN))).code).toBe('A3S2001');
      expect(await matchesArchive(path, pin)).toBe(false);
    }
    expect((await failureOf(() => verifyFile(path, { size: 4, sha256: sha256('evil') }, ORIGIN))).code).toBe('A3S2001');
  });

  it.each([
    ['<!DOCTYPE html><p>Log in', 'an HTML page'],
    ['\n  <html lang="en">', 'an HTML page'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', 'a Git LFS pointer'],
    ['{"error":"not found"}', 'a JSON document'],
  ])('is called what it looks like: %j', async (content, name) => {
    const { cause } = await failureOf(() => verifyArchive(fileOf(content), pinOf('good'), ORIGIN));
    expect(cause).toContain(name);
    expect(cause).toContain('proxy or login page');
  });
});

it('matches nothing that is not there, and reports it when it must be', async () => {
  const path = join(folder.path, 'absent');
  expect(await matchesArchive(path, pinOf('good'))).toBe(false);
  expect((await failureOf(() => verifyArchive(path, pinOf('good'), ORIGIN))).code).toBe('A3S5002');
});
