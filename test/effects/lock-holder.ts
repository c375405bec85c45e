import { join } from 'node:path';
import { build } from 'esbuild';
import { REPOSITORY } from '../helpers/session.ts';

/**
 * A program for processes of their own: takes the lock named by its first argument, prints `held`, holds it for the
 * milliseconds of its second argument, prints `done`.
 */
export async function bundleHolder(folder: string): Promise<string> {
  const outfile = join(folder, 'holder.mjs');
  const lock = JSON.stringify(join(REPOSITORY, 'pipeline/effects/lock.ts'));
  const contents = `
    import { withLock } from ${lock};
    const [file, hold] = process.argv.slice(2);
    await withLock(file, {}, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, Number(hold)));
      console.log('done');
    });`;
  await build({
    stdin: { contents, resolveDir: REPOSITORY },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
