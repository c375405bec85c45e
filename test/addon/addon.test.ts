import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADDON_CHECKS, loadAddon } from './checks.ts';

// A built addon with a libkrun in `lib` beside it; the end-to-end test makes one and runs the same checks.
const { A3S_TEST_ADDON: file = '' } = process.env;

describe.skipIf(file === '')('the built addon', () => {
  it.each(ADDON_CHECKS)('$title', ({ run }) => run(loadAddon(file), file));

  it('loads without any libkrun, says so when called, and opens one that is named then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'a3s-addon-'));
    try {
      // Another file is another library for the system, with a state of its own.
      const copy = join(folder, basename(file));
      await copyFile(file, copy);
      const addon = loadAddon(copy);
      expect(() => addon.krunCreateCtx()).toThrowError(expect.objectContaining({ code: 'ERR_LIBKRUN_LOAD' }));
      expect(() => addon.krunFreeCtx(Number.NaN)).toThrowError(RangeError);
      addon.loadLibrary(join(dirname(file), 'lib'));
      addon.krunFreeCtx(addon.krunCreateCtx());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
