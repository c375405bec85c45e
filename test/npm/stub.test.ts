import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type RunOptions, VmError } from '../../native/npm/api.ts';
import { stubLibrary, stubVm } from '../../native/npm/stub.ts';
import { REPOSITORY } from '../helpers/session.ts';

const TABLE = {
  functions: [
    ['krunCreateCtx', 'krun_create_ctx'],
    ['loadLibrary', 'loadLibrary'],
  ],
  raw: [['krunStartEnter', 'krun_start_enter']],
  constants: [
    ['KRUN_ONE', 1],
    ['__proto__', 2n],
  ],
} as const;

const CONFIG = { root: '/', command: '/bin/true' };

const thrown = (work: () => unknown): unknown => {
  try {
    return expect.unreachable(String(work()));
  } catch (error) {
    return error;
  }
};

describe('stubLibrary', () => {
  const library = stubLibrary(TABLE) as Record<string, () => unknown> & { raw: Record<string, () => unknown> };

  it('has the names of the addon and the values of its constants', () => {
    expect(Object.keys(library).toSorted()).toEqual(['KRUN_ONE', '__proto__', 'krunCreateCtx', 'loadLibrary', 'raw']);
    expect(library['KRUN_ONE']).toBe(1);
    expect(library['krunCreateCtx']?.name).toBe('krunCreateCtx');
    expect('raw' in stubLibrary({ ...TABLE, raw: [] })).toBe(false);
  });

  it('throws from every function an error that names it, and the variable', () => {
    for (const [call, names] of [
      [library['krunCreateCtx'], ['krunCreateCtx', 'krun_create_ctx']],
      [library['loadLibrary'], ['loadLibrary']],
      [library.raw['krunStartEnter'], ['krunStartEnter', 'krun_start_enter']],
    ] as const) {
      const error = thrown(() => call?.());
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ code: 'ERR_LIBKRUN_STUB' });
      for (const word of [...names, 'A3S_DEPS_STUB']) expect((error as Error).message).toContain(word);
    }
  });
});

describe('stubVm', () => {
  const start = (options: RunOptions = {}) => stubVm(CONFIG, options);

  it('rejects as a VM that did not run, from the handle and from its exit', async () => {
    const vm = start();
    for (const wait of [async () => vm, () => vm.exit]) {
      const error = await wait().then(
        () => expect.unreachable('it ran'),
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(VmError);
      expect(error).toMatchObject({ code: 'ERR_LIBKRUN_STUB', message: expect.stringContaining('A3S_DEPS_STUB') });
    }
    expect([vm.pid, vm.kill()]).toEqual([undefined, false]);
  });

  it('does not end the process of a caller who awaits it later', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  it('has pipes that are at their end, and no others', async () => {
    const { stdin, stdout, stderr } = start({ stdio: 'pipe' });
    if (stdin === null || stdout === null || stderr === null) throw new Error('a pipe is missing');
    expect([await text(stdout), await text(stderr)]).toEqual(['', '']);
    await new Promise<void>((resolve) => stdin.end('input', resolve));
    expect(start()).toMatchObject({ stdin: null, stdout: null, stderr: null });
    const given = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() };
    expect(start(given)).toMatchObject({ stdin: null, stdout: null, stderr: null });
  });

  it('refuses at once what the real one refuses at once', () => {
    expect(thrown(() => stubVm({ ...CONFIG, root: '' }, {}))).toMatchObject({ code: 'LAUNCHER_BAD_DESCRIPTION' });
    expect(thrown(() => start({ signal: AbortSignal.abort('no more') }))).toBe('no more');
  });
});

it('is documented where a person meets it', () => {
  for (const file of ['native/npm/api.ts', 'native/npm/index.ts', 'README.md']) {
    expect(readFileSync(join(REPOSITORY, file), 'utf8')).toContain('ERR_LIBKRUN_STUB');
  }
});
