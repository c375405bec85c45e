import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cargoProgress } from '../../pipeline/steps/cargo.ts';
import { compileError } from '../../pipeline/steps/compile-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'compile-error-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failure(log: string, result = {}) {
  const file = join(folder, 'x.log');
  writeFileSync(file, log);
  const error = await compileError(
    'cargo',
    { code: 101, signal: null, stdout: '', tail: log.split('\n').slice(-3), ...result },
    file,
  );
  return error.failure;
}

describe('a compile error', () => {
  it('is the first one, however much came after it', async () => {
    const log = `Compiling a\nerror[E0308]: mismatched types\n --> src/lib.rs:4:9\n${'noise\n'.repeat(500)}error: could not compile \`a\`\n`;
    expect(await failure(log)).toMatchObject({
      code: 'A3S1203',
      message: expect.stringContaining('mismatched types'),
      where: { file: 'src/lib.rs', line: 4, column: 9 },
    });
  });

  it('has a place in C as well', async () => {
    const log = "init.c: In function 'main':\ninit.c:3:5: error: 'x' undeclared\n";
    expect((await failure(log)).where).toEqual({ file: 'init.c', line: 3, column: 5 });
  });

  it.each([
    ['/usr/bin/ld: cannot find -lc: No such file or directory', 'The static C library is missing on this system.'],
    ['error: linker `cc` not found', 'rustc found no linker.'],
    [
      'error: the lock file /x/Cargo.lock needs to be updated but --locked was passed',
      'The source tree and its Cargo.lock do not agree.',
    ],
  ])('%s has a cause of its own', async (log, cause) => {
    expect(await failure(log)).toMatchObject({ code: 'A3S1203', cause });
  });

  it('is a full disk where the system says so', async () => {
    expect(await failure('error: failed to write x: No space left on device (os error 28)')).toMatchObject({
      code: 'A3S5001',
      exit: 74,
    });
  });

  it('is no compile error when the compiler was killed', async () => {
    expect(await failure('', { code: null, signal: 'SIGKILL' })).toMatchObject({
      code: 'A3S1204',
      message: 'cargo was killed by SIGKILL',
    });
  });

  it('is told from the last lines when there is no log', async () => {
    const error = await compileError(
      'cc',
      { code: 1, signal: null, stdout: '', tail: ['a', 'b'] },
      join(folder, 'missing.log'),
    );
    expect(error.failure.message).toContain('b');
  });
});

describe("cargo's progress bar", () => {
  it('gives crates done, crates in all and the current ones', () => {
    expect(cargoProgress('    Building [====>           ] 54/120: vm-memory, devices(build)...')).toEqual({
      done: 54,
      total: 120,
      unit: 'crates',
      detail: 'vm-memory, devices(build)',
    });
  });

  it.each(['   Compiling vm-memory v0.1.0', 'Building nothing', ''])('is not %j', (line) => {
    expect(cargoProgress(line)).toBeUndefined();
  });
});
