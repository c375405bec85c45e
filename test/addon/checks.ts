import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';

/** The part of the addon that the checks call; arguments are of any kind, since wrong ones are the point. */
export interface Addon {
  readonly raw: Readonly<Record<string, unknown>>;
  loadLibrary(folder: unknown): void;
  krunCreateCtx(): number;
  krunFreeCtx(...values: unknown[]): void;
  krunSetVmConfig(...values: unknown[]): void;
  krunSetRoot(...values: unknown[]): void;
  krunSetNetMac(...values: unknown[]): void;
  krunSetExec(...values: unknown[]): void;
  krunAddVirtiofs2(...values: unknown[]): void;
  krunSetSndDevice(...values: unknown[]): void;
  krunSetTeeConfigFile(...values: unknown[]): void;
  readonly KRUN_LOG_TARGET_DEFAULT: number;
  readonly NET_FEATURE_HOST_UFO: number;
}

export interface AddonCheck {
  readonly title: string;
  /** `file` is the `.node` file; a libkrun must lie in `lib` beside it. */
  readonly run: (addon: Addon, file: string) => void | Promise<void>;
}

/** Loads the `.node` file as an application would. */
export function loadAddon(file: string): Addon {
  return createRequire(import.meta.url)(file);
}

type Call = (addon: Addon, context: number) => unknown;

/** Calls that must fail, by what is thrown: class, `code`, and the parameter named in the message. */
const REFUSED: readonly (readonly [call: Call, kind: typeof Error, code: string, names: string])[] = [
  [(a) => a.krunFreeCtx(Number.NaN), RangeError, 'ERR_OUT_OF_RANGE', '"ctxId"'],
  [(a) => a.krunFreeCtx(1.5), RangeError, 'ERR_OUT_OF_RANGE', '"ctxId"'],
  [(a) => a.krunFreeCtx(-1), RangeError, 'ERR_OUT_OF_RANGE', '"ctxId"'],
  [(a) => a.krunFreeCtx(2 ** 32), RangeError, 'ERR_OUT_OF_RANGE', '"ctxId"'],
  [(a) => a.krunFreeCtx(Number.POSITIVE_INFINITY), RangeError, 'ERR_OUT_OF_RANGE', '"ctxId"'],
  [(a) => a.krunFreeCtx('0'), TypeError, 'ERR_INVALID_ARG_TYPE', '"ctxId"'],
  [(a) => a.krunFreeCtx(0n), TypeError, 'ERR_INVALID_ARG_TYPE', '"ctxId"'],
  [(a) => a.krunFreeCtx(null), TypeError, 'ERR_INVALID_ARG_TYPE', '"ctxId"'],
  [(a) => a.krunFreeCtx(), TypeError, 'ERR_INVALID_ARG_TYPE', '"ctxId"'],
  [(a, c) => a.krunSetVmConfig(c, 256, 512), RangeError, 'ERR_OUT_OF_RANGE', '"numVcpus"'],
  [(a, c) => a.krunAddVirtiofs2(c, 'tag', '/', -1n), RangeError, 'ERR_OUT_OF_RANGE', '"shmSize"'],
  [(a, c) => a.krunAddVirtiofs2(c, 'tag', '/', 2n ** 64n), RangeError, 'ERR_OUT_OF_RANGE', '"shmSize"'],
  [(a, c) => a.krunAddVirtiofs2(c, 'tag', '/', 2 ** 53), RangeError, 'ERR_OUT_OF_RANGE', '"shmSize"'],
  [(a, c) => a.krunSetSndDevice(c, 1), TypeError, 'ERR_INVALID_ARG_TYPE', '"enable"'],
  [(a, c) => a.krunSetRoot(c, 'a\0b'), TypeError, 'ERR_INVALID_ARG_VALUE', '"rootPath"'],
  [(a, c) => a.krunSetRoot(c, null), TypeError, 'ERR_INVALID_ARG_TYPE', '"rootPath"'],
  [(a, c) => a.krunSetExec(c, '/bin/sh', ['a', 'b\0']), TypeError, 'ERR_INVALID_ARG_VALUE', '"argv[1]"'],
  [(a, c) => a.krunSetExec(c, '/bin/sh', ['a', 1]), TypeError, 'ERR_INVALID_ARG_TYPE', '"argv[1]"'],
  [(a, c) => a.krunSetExec(c, '/bin/sh', 'a'), TypeError, 'ERR_INVALID_ARG_TYPE', '"argv"'],
  [(a, c) => a.krunSetNetMac(c, new Uint8Array(5)), RangeError, 'ERR_INVALID_ARG_VALUE', '"cMac"'],
  [(a, c) => a.krunSetNetMac(c, new Uint16Array(6)), TypeError, 'ERR_INVALID_ARG_TYPE', '"cMac"'],
  [(a, c) => a.krunSetNetMac(c, [2, 0, 0, 0, 0, 1]), TypeError, 'ERR_INVALID_ARG_TYPE', '"cMac"'],
];

function failureOf(call: () => unknown): Error & Readonly<Record<string, unknown>> {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return Object.assign(error);
    throw error;
  }
  throw new Error('the call did not fail');
}

function withContext(addon: Addon, use: (context: number) => void): void {
  const context = addon.krunCreateCtx();
  try {
    use(context);
  } finally {
    addon.krunFreeCtx(context);
  }
}

const WORKERS = 8;

/** Everything that can be proven of an addon without starting a virtual machine. */
export const ADDON_CHECKS: readonly AddonCheck[] = [
  {
    title: 'makes and frees contexts',
    run: (addon) => {
      const context = addon.krunCreateCtx();
      expect(Number.isInteger(context) && context >= 0).toBe(true);
      expect(addon.krunSetVmConfig(context, 1, 512)).toBeUndefined();
      expect(addon.krunFreeCtx(context)).toBeUndefined();
      expect(failureOf(() => addon.krunFreeCtx(context))['code']).toBe('ENOENT');
    },
  },
  {
    title: 'throws what libkrun returns as a system error',
    run: (addon) => {
      const error = failureOf(() => addon.krunFreeCtx(4_000_000_000));
      expect(error.constructor).toBe(Error);
      expect(error).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'krun_free_ctx' });
      expect(error.message).toBe('krun_free_ctx: ENOENT: no such file or directory');
      expect(getSystemErrorName(Number(error['errno']))).toBe('ENOENT');
    },
  },
  {
    title: 'refuses every argument that C would misread, naming the parameter',
    run: (addon) =>
      withContext(addon, (context) => {
        for (const [call, kind, code, names] of REFUSED) {
          const error = failureOf(() => call(addon, context));
          expect([error.constructor, error['code']], String(call)).toEqual([kind, code]);
          expect(error.message).toContain(names);
        }
      }),
  },
  {
    title: 'takes what is right: a bigint, a Buffer, null and nothing for a nullable array',
    run: (addon) =>
      withContext(addon, (context) => {
        addon.krunAddVirtiofs2(context, 'tag', '/', 1n << 30n);
        addon.krunSetNetMac(context, Buffer.from([2, 0, 0, 0, 0, 1]));
        addon.krunSetExec(context, '/bin/sh', ['sh', '-c', 'true'], null);
        addon.krunSetExec(context, '/bin/sh', ['sh'], undefined);
        expect(addon.krunSetExec(context, '/bin/sh', [])).toBeUndefined();
      }),
  },
  {
    title: 'throws ENOSYS for a function that libkrun lacks, only when it is called',
    run: (addon) => {
      const error = failureOf(() => addon.krunSetTeeConfigFile(0, '/none'));
      expect(error).toMatchObject({ code: 'ENOSYS', errno: -38, syscall: 'krun_set_tee_config_file' });
    },
  },
  {
    title: 'refuses another library once one is open, and takes the same again',
    run: (addon, file) => {
      withContext(addon, () => {});
      expect(failureOf(() => addon.loadLibrary('/'))['code']).toBe('ERR_LIBKRUN_LOADED');
      expect(addon.loadLibrary(join(dirname(file), 'lib'))).toBeUndefined();
      expect(failureOf(() => addon.loadLibrary('/no/such/folder'))['code']).toBe('ERR_LIBKRUN_LOAD');
    },
  },
  {
    title: 'holds the constants of the header, and the call that never returns in a namespace of its own',
    run: (addon) => {
      expect(addon.KRUN_LOG_TARGET_DEFAULT).toBe(-1);
      expect(addon.NET_FEATURE_HOST_UFO).toBe(1 << 14);
      expect(Object.keys(addon.raw)).toEqual(['krunStartEnter']);
      expect(Object.keys(addon)).not.toContain('krunStartEnter');
    },
  },
  {
    title: 'works in several worker threads at once',
    run: async (_addon, file) => {
      const program = `
        const addon = require(${JSON.stringify(file)});
        const context = addon.krunCreateCtx();
        addon.krunFreeCtx(context);
        try { addon.krunFreeCtx(1.5); } catch (error) { require('node:worker_threads').parentPort.postMessage(error.code); }`;
      const codes = Array.from({ length: WORKERS }, () => {
        const worker = new Worker(program, { eval: true });
        return new Promise((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        });
      });
      expect(new Set(await Promise.all(codes))).toEqual(new Set(['ERR_OUT_OF_RANGE']));
    },
  },
];
