import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHeaders, readStoredHeaders } from '../../pipeline/steps/headers.ts';
import { makeFolder } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let source: string;

beforeEach(() => {
  folder = makeFolder('a3s-headers');
  source = join(folder.path, 'source');
  mkdirSync(join(source, 'include'), { recursive: true });
  mkdirSync(join(source, 'src/input'), { recursive: true });
  writeFileSync(join(source, 'include/libkrun.h'), 'void krun_own(void);\n');
});
afterEach(() => folder.remove());

const refused = expect.objectContaining({ failure: expect.objectContaining({ code: 'A3S3002' }) });

describe('the headers of the source tree', () => {
  it('are libkrun.h alone where a version has no others', async () => {
    expect(await readHeaders(source, [])).toEqual([{ name: 'libkrun.h', content: 'void krun_own(void);\n' }]);
  });

  it('may be links to files elsewhere in the tree', async () => {
    writeFileSync(join(source, 'src/input/libkrun_input.h'), 'struct input;\n');
    symlinkSync('../src/input/libkrun_input.h', join(source, 'include/libkrun_input.h'));
    const headers = await readHeaders(source, []);
    expect(headers[1]).toEqual({ name: 'libkrun_input.h', content: 'struct input;\n' });
  });

  it('may not be links out of the tree', async () => {
    writeFileSync(join(folder.path, 'outside.h'), 'struct outside;\n');
    symlinkSync('../../outside.h', join(source, 'include/libkrun_display.h'));
    await expect(readHeaders(source, [])).rejects.toEqual(refused);
  });

  it('may not be links to nothing', async () => {
    symlinkSync('../src/gone.h', join(source, 'include/libkrun_display.h'));
    await expect(readHeaders(source, [])).rejects.toMatchObject({ failure: { code: 'A3S5002' } });
  });
});

const own = (path: string, root = path.startsWith(folder.path) ? folder.path : '/') =>
  readHeaders(source, [{ path, root }]);

describe("the user's own headers", () => {
  it('come after them, by file name', async () => {
    const path = join(folder.path, 'more.h');
    writeFileSync(path, 'void more(void);\n');
    const headers = await readHeaders(source, [{ path, root: folder.path }]);
    expect(headers.map(({ name }) => name)).toEqual(['libkrun.h', 'more.h']);
    expect(headers[1]?.path).toBe(path);
  });

  it('must be there, be files, and have a header’s size', async () => {
    const large = join(folder.path, 'large.h');
    writeFileSync(large, '');
    truncateSync(large, 4 * 1024 * 1024 + 1);
    await expect(own(large)).rejects.toEqual(refused);
    await expect(own(source)).rejects.toEqual(refused);
    await expect(own('/dev/zero')).rejects.toEqual(refused);
    await expect(own(join(folder.path, 'gone.h'))).rejects.toMatchObject({ failure: { code: 'A3S5002' } });
  });

  it('may be links inside their folder, and not out of it', async () => {
    symlinkSync('source/include/libkrun.h', join(folder.path, 'inside.h'));
    symlinkSync('/etc/passwd', join(folder.path, 'outside.h'));
    expect(await own(join(folder.path, 'inside.h'))).toHaveLength(2);
    const outside = own(join(folder.path, 'outside.h'));
    await expect(outside).rejects.toEqual(refused);
    await expect(outside).rejects.not.toMatchObject({ failure: { message: expect.stringContaining('passwd') } });
    await expect(own(join(folder.path, 'outside.h'), '/')).resolves.toHaveLength(2);
  });

  it('may hold comments in any encoding, and code in UTF-8 only', async () => {
    const path = join(folder.path, 'latin.h');
    const write = (text: string) => writeFileSync(path, Buffer.from(text, 'latin1'));
    write('/* caf\xe9 */\nvoid more(void); // \xe9\n#define SLASHES "//" /* \xff */\n');
    expect((await own(path))[1]?.content).toContain('caf\ufffd');
    write('/* caf\xe9 */\n#define NAME "\xc3\xa9 caf\xe9" // x\n');
    await expect(own(path)).rejects.toMatchObject({
      failure: {
        code: 'A3S3002',
        where: { file: path, line: 2, column: 21, source: { text: '#define NAME "\xc3\xa9 caf\xe9" // x', caret: 20 } },
      },
    });
  });
});

describe('the headers of a stored tree', () => {
  const LINK = '../src/input/libkrun_input.h';
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const digests = new Map([
    ['include/libkrun.h', digest('void krun_own(void);\n')],
    ['include/libkrun_input.h', digest(`link:${LINK}`)],
    ['src/input/libkrun_input.h', digest('struct input;\n')],
  ]);
  const stored = () => readStoredHeaders(source, digests, []);
  beforeEach(() => {
    writeFileSync(join(source, 'src/input/libkrun_input.h'), 'struct input;\n');
    symlinkSync(LINK, join(source, 'include/libkrun_input.h'));
  });

  it('are read when every one is what it was', async () => {
    expect((await stored())?.map(({ name, content }) => [name, content])).toEqual([
      ['libkrun.h', 'void krun_own(void);\n'],
      ['libkrun_input.h', 'struct input;\n'],
    ]);
  });

  it.each<readonly [string, () => void]>([
    ['one was changed', () => writeFileSync(join(source, 'include/libkrun.h'), 'void krun_other(void);\n')],
    [
      'one that a link leads to was changed',
      () => writeFileSync(join(source, 'src/input/libkrun_input.h'), 'struct x;\n'),
    ],
    ['one is gone', () => rmSync(join(source, 'include/libkrun_input.h'))],
    [
      'a link leads elsewhere',
      () => {
        rmSync(join(source, 'include/libkrun_input.h'));
        symlinkSync('libkrun.h', join(source, 'include/libkrun_input.h'));
      },
    ],
  ])('are not trusted when %s', async (_what, damage) => {
    damage();
    expect(await stored()).toBeUndefined();
  });
});
