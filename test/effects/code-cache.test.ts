import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleScript } from '../helpers/bundle-worker.ts';
import { makeFolder } from '../helpers/session.ts';
import { PRIVILEGED, withSmallDisk } from '../helpers/small-disk.ts';

const folder = makeFolder('code-cache');
afterAll(folder.remove);

let bundle = '';
beforeAll(async () => {
  bundle = await bundleScript('pipeline/effects/code-cache.ts');
});

let count = 0;

/** A program with one file of its own, which says `word`, and one of a package. */
function writeProgram(word: string, program = join(folder.path, `program-${++count}`)): string {
  mkdirSync(join(program, 'chunks'), { recursive: true });
  mkdirSync(join(program, 'node_modules/far'), { recursive: true });
  writeFileSync(join(program, 'node_modules/far/index.cjs'), 'exports.far = true;');
  writeFileSync(
    join(program, 'main.mjs'),
    `import { createRequire } from 'node:module';
import { useKeptCode } from ${JSON.stringify(bundle)};
const keep = useKeptCode(import.meta.dirname, process.env);
const { say } = createRequire(import.meta.url)('./chunks/part-1a2b.cjs');
console.log(say());
keep();
`,
  );
  writePart(program, word);
  return program;
}

function writePart(program: string, word: string): void {
  const code = `'use strict';const {far}=require('far/index.cjs');exports.say=function(){return [${JSON.stringify(word)},far].join()};`;
  writeFileSync(join(program, 'chunks/part-1a2b.cjs'), code);
}

function start(program: string, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): string {
  const variables = { ...process.env, NODE_V8_COVERAGE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined, ...env };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, 'main.mjs'], {
    cwd: program,
    env: variables,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

const keptFile = (program: string): string => {
  const [version = ''] = readdirSync(join(program, 'code'));
  return join(program, 'code', version, 'part-1a2b.cjs.bin');
};

describe('code that V8 made', () => {
  it('is kept for the next start, which does not make it again', () => {
    const program = writeProgram('first');
    expect(start(program)).toBe('first,true');
    const kept = readFileSync(keptFile(program));
    // V8 takes code as that of any text of the same length: the name of a file must tell one content from another.
    writePart(program, 'other');
    expect(start(program)).toBe('first,true');
    expect(readFileSync(keptFile(program)).equals(kept)).toBe(true);
  });

  it.each([
    [
      'one bit differs',
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 1 : byte))),
    ],
    ['its end is missing', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['it is empty', () => Buffer.alloc(0)],
  ])('is made again where %s', (_what, damage) => {
    const program = writeProgram('first');
    start(program);
    const kept = readFileSync(keptFile(program));
    const damaged = damage(Buffer.from(kept));
    expect(damaged.equals(kept)).toBe(false);
    writeFileSync(keptFile(program), damaged);
    writePart(program, 'other');
    expect(start(program)).toBe('other,true');
    writePart(program, 'third');
    expect(start(program)).toBe('other,true');
  });

  it('is made again where V8 was set otherwise', () => {
    const program = writeProgram('first');
    start(program, {}, ['--no-opt']);
    writePart(program, 'other');
    expect(start(program)).toBe('other,true');
  });

  it.each(['NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'])('is neither kept nor used with %s', (name) => {
    const program = writeProgram('first');
    const env = { [name]: join(program, 'coverage') };
    expect(start(program, env)).toBe('first,true');
    expect(existsSync(join(program, 'code'))).toBe(false);
    start(program);
    writePart(program, 'other');
    expect(start(program, env)).toBe('other,true');
  });

  it('is not kept where the folder is not the own one of the user, or cannot be written', () => {
    const foreign = writeProgram('first');
    const other = join(foreign, 'other-user.cjs');
    writeFileSync(other, 'const user = process.getuid(); process.getuid = () => user + 1;');
    expect(start(foreign, { NODE_OPTIONS: `--require ${other}` })).toBe('first,true');
    expect(existsSync(join(foreign, 'code'))).toBe(false);
    const blocked = writeProgram('first');
    writeFileSync(join(blocked, 'code'), 'no folder');
    expect(start(blocked)).toBe('first,true');
    expect(readFileSync(join(blocked, 'code'), 'utf8')).toBe('no folder');
  });

  it.runIf(PRIVILEGED)('is not kept, and nothing of it left behind, where the disk is full', async () => {
    await withSmallDisk('size=32k', async (disk) => {
      const program = writeProgram('first', join(disk, 'program'));
      const filler = join(disk, 'filler');
      for (let size = 32; size > 0; size -= 1) {
        try {
          writeFileSync(filler, Buffer.alloc(size * 1024));
          break;
        } catch {
          // Not that much room.
        }
      }
      expect(start(program)).toBe('first,true');
      const [version = ''] = readdirSync(join(program, 'code'));
      expect(readdirSync(join(program, 'code', version))).toEqual([]);
      rmSync(filler);
      start(program);
      expect(readdirSync(join(program, 'code', version))).toEqual(['part-1a2b.cjs.bin']);
    });
  });

  it('leaves errors where they stand in the file', () => {
    const program = writeProgram('first');
    const code = `exports.say=function(){throw new Error('here')};`;
    writeFileSync(join(program, 'chunks/part-1a2b.cjs'), code);
    const { stderr } = spawnSync(process.execPath, ['main.mjs'], { cwd: program, encoding: 'utf8' });
    expect(stderr).toContain(`part-1a2b.cjs:1:${code.indexOf('new Error') + 1})`);
  });
});
